package mispapi

import (
	"context"
	"fmt"
	"net/http"

	"tocsin"
	"tocsin/access"
	"tocsin/intake"
	"tocsin/vocab"
)

// A Library takes in reference data (package intake).
type Library interface {
	// Update reads what is new from the place that an administrator named, and takes it.
	Update(context.Context, access.Viewer, ...tocsin.VocabularySort) (intake.Taken, error)
	// Take takes what somebody sends.
	Take(context.Context, access.Viewer, *vocab.Published) (intake.Taken, error)
}

// update reads what is new of some sorts. Where nobody has said from where, that is
// the answer.
func (c *call) update(sorts ...tocsin.VocabularySort) (intake.Taken, error) {
	if c.Library == nil {
		return intake.Taken{}, intake.ErrNoPlace
	}
	return c.Library.Update(c.r.Context(), c.v, sorts...)
}

// updated says what became of an update in MISP's words, of which PyMISP's tests know
// those that say that nothing was new, and which files were refused.
func (c *call) updated(t intake.Taken, sentence, url string) error {
	var refused []string
	for _, r := range t.Refused {
		refused = append(refused, fmt.Sprintf("%s: %s", r.File, r.Err))
	}
	return c.reply(struct {
		Saved   bool     `json:"saved"`
		Success bool     `json:"success"`
		Name    string   `json:"name"`
		Message string   `json:"message"`
		URL     string   `json:"url"`
		Errors  []string `json:"errors,omitempty"`
	}{true, true, sentence, sentence, url, refused})
}

// newer is how many are new, in MISP's words.
func newer(t intake.Taken, what string) string {
	n := t.New + t.Newer
	switch {
	case n == 0 && len(t.Refused) == 0:
		return fmt.Sprintf("All %s are up to date already.", what)
	case n == 0:
		return fmt.Sprintf("Could not update any of the %s", what)
	case len(t.Refused) > 0:
		return fmt.Sprintf("Successfully updated %d %s. However, could not update %d %s.", n, what, len(t.Refused), what)
	}
	return fmt.Sprintf("Successfully updated %d %s.", n, what)
}

func updateTaxonomies(c *call) error {
	t, err := c.update(tocsin.Taxonomies)
	if err != nil {
		return err
	}
	return c.updated(t, newer(t, "taxonomy libraries"), "/taxonomies/update")
}

func updateWarninglists(c *call) error {
	t, err := c.update(tocsin.Warninglists)
	if err != nil {
		return err
	}
	return c.updated(t, newer(t, "warninglists"), "/warninglists/update")
}

func updateNoticelists(c *call) error {
	t, err := c.update(tocsin.Noticelists)
	if err != nil {
		return err
	}
	return c.updated(t, newer(t, "noticelists"), "/noticelists/update")
}

func updateGalaxies(c *call) error {
	t, err := c.update(tocsin.Galaxies)
	if err != nil {
		return err
	}
	return c.updated(t, "Galaxies updated.", "/galaxies/update")
}

// updateTemplates sends whoever asked to the list of templates, as MISP does: PyMISP
// follows, and wants a list.
func updateTemplates(c *call) error {
	if _, err := c.update(tocsin.ObjectTemplates, tocsin.Relations); err != nil {
		return err
	}
	return c.sendTo("/objectTemplates/index")
}

// sendTo answers that the answer lies elsewhere on this server.
func (c *call) sendTo(path string) error {
	c.w.Header().Set("Content-Type", mediaJSON)
	c.w.Header().Set("Location", origin(c.r)+path)
	c.w.WriteHeader(http.StatusFound)
	return nil
}
