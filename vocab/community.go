package vocab

import "tocsin"

// A Community is a circle of organisations that shares by an instance of its own,
// and that others may ask to join.
type Community struct {
	UUID        tocsin.UUID
	Name        string
	Org         string // who runs it
	OrgUUID     tocsin.UUID
	URL         string
	Email       string
	Sector      string
	Nationality string
	Kind        string
	Shares      string // what is shared in it
	Description string
}

// Communities are those that come with every MISP, in its order.
var Communities = []Community{
	circl("3ab3a65a-0171-401a-9895-8d42bc7bed7c", "CIRCL Private Sector Information Sharing Community - aka MISPPRIV",
		"Various", "Companies, banks and security firms of many countries share here what they meet; CIRCL, Luxembourg's incident response centre for the private sector, runs it."),
	circl("6201a65a-38fa-4b4a-bea7-cf1fb7bc1563", "CIRCL n/g CSIRT information sharing community - aka MISP",
		"n/g CSIRTs in EEA", "National and governmental response teams of the European Economic Area share here."),
	circl("79e28013-747a-4430-b7ba-ed92d053b221", "CIRCL financial information sharing community - aka Financial Sector MISP sharing groups",
		"Financial sector", "Banks and those who process payments share here."),
}

func circl(uuid, name, sector, description string) Community {
	return Community{UUID: must(uuid), Name: name, Org: "CIRCL", OrgUUID: must("55f6ea5e-2c60-40e5-964f-47a8950d210f"),
		URL: "https://www.circl.lu/misp/", Email: "info@circl.lu", Sector: sector, Nationality: "International",
		Kind: "Vetted Information Sharing Community", Shares: "Indicators, reports, what is known of actors, and of fraud.", Description: description}
}

func must(s string) tocsin.UUID {
	u, err := tocsin.ParseUUID(s)
	if err != nil {
		panic(err)
	}
	return u
}
