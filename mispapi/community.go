package mispapi

import (
	"tocsin"
	"tocsin/vocab"
)

// A community as MISP has it.
type community struct {
	ID          int         `json:"id"`
	Name        string      `json:"name"`
	UUID        tocsin.UUID `json:"uuid"`
	OrgUUID     tocsin.UUID `json:"org_uuid"`
	OrgName     string      `json:"org_name"`
	Description string      `json:"description"`
	URL         string      `json:"url"`
	Sector      string      `json:"sector"`
	Nationality string      `json:"nationality"`
	Type        string      `json:"type"`
	Email       string      `json:"email"`
	Vetted      bool        `json:"misp_project_vetted"`
	Scope       string      `json:"scope_of_data_to_be_shared"`
}

// communities are those that one may ask to join. They are no secret.
func communities() (out []community) {
	for i, k := range vocab.Communities {
		out = append(out, community{i + 1, k.Name, k.UUID, k.OrgUUID, k.Org, k.Description, k.URL, k.Sector, k.Nationality, k.Kind, k.Email, true, k.Shares})
	}
	return out
}

func indexCommunities(c *call) error { return c.reply(communities()) }

func viewCommunity(c *call) error {
	f := refOf(c.arg(0))
	for _, k := range communities() {
		if int64(k.ID) == f.id || !f.uuid.IsZero() && k.UUID == f.uuid {
			return c.reply(map[string]any{"Community": k})
		}
	}
	return tocsin.Errorf(tocsin.NotFound, "no community %s", c.arg(0))
}
