package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/intake"
	"tocsin/vocab"
)

// A Library takes in reference data (package intake).
type Library interface {
	Take(context.Context, access.Viewer, *vocab.Published) (intake.Taken, error)
	Update(context.Context, access.Viewer, ...tocsin.VocabularySort) (intake.Taken, error)
	Decide(ctx context.Context, v access.Viewer, id int64, decide func(*tocsin.Vocabulary)) (*tocsin.Vocabulary, error)
}

type vocabularyShape struct {
	Sort        tocsin.VocabularySort `json:"sort"`
	Number      int64                 `json:"number"`
	Name        string                `json:"name"`
	UUID        tocsin.UUID           `json:"uuid,omitzero"`
	Title       string                `json:"title"`
	Description string                `json:"description"`
	Version     int64                 `json:"version"`
	Parts       int                   `json:"parts"`
	Enabled     bool                  `json:"enabled"`
	Required    bool                  `json:"required"`
	Highlighted bool                  `json:"highlighted"`
	Own         bool                  `json:"own"`
	Source      string                `json:"source"`
	Changed     time.Time             `json:"changed"`
}

func vocabularyOf(v *tocsin.Vocabulary) vocabularyShape {
	return vocabularyShape{v.Sort, v.Number, v.Name, v.UUID, v.Title, v.Description, v.Version, v.Parts, v.Enabled, v.Required, v.Highlighted, v.Own, v.Source, v.Changed}
}

// vocabularies lists the reference data: all, or what is of one "sort".
func (a *API) vocabularies(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	if err := known(r, "sort"); err != nil {
		return err
	}
	sorts, err := sortsIn(r)
	if err != nil {
		return err
	}
	out := struct {
		Vocabularies []vocabularyShape `json:"vocabularies"`
	}{[]vocabularyShape{}}
	lib := a.db.As(v).Library()
	for _, s := range tocsin.VocabularySorts {
		if len(sorts) > 0 && sorts[0] != s {
			continue
		}
		for voc := range lib.All(s) {
			out.Vocabularies = append(out.Vocabularies, vocabularyOf(voc))
		}
	}
	return reply(w, http.StatusOK, out)
}

func sortsIn(r *http.Request) ([]tocsin.VocabularySort, error) {
	text := r.URL.Query().Get("sort")
	if text == "" {
		return nil, nil
	}
	all := append([]tocsin.VocabularySort{tocsin.Warninglists}, tocsin.VocabularySorts...)
	for _, s := range all {
		if string(s) == text {
			return []tocsin.VocabularySort{s}, nil
		}
	}
	return nil, tocsin.Errorf(tocsin.Invalid, "no sort %q; try one of %v", text, all)
}

// taken says what became of reference data.
func taken(w http.ResponseWriter, t intake.Taken) error {
	type refusal struct {
		File string `json:"file"`
		Why  string `json:"why"`
	}
	out := struct {
		New     int       `json:"new"`
		Newer   int       `json:"newer"`
		Same    int       `json:"same"`
		Refused []refusal `json:"refused"`
	}{t.New, t.Newer, t.Same, []refusal{}}
	for _, r := range t.Refused {
		out.Refused = append(out.Refused, refusal{r.File, fmt.Sprint(r.Err)})
	}
	return reply(w, http.StatusOK, out)
}

// takeVocabularies reads reference data from the body: an archive, or one file. "from" is
// where it was read.
func (a *API) takeVocabularies(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	if err := known(r, "from", "sort"); err != nil {
		return err
	}
	sorts, err := sortsIn(r)
	if err != nil {
		return err
	}
	if !v.May(access.SiteAdmin) { // the store asks again; this is before much is read
		return tocsin.Errorf(tocsin.Forbidden, "your role does not let you change the reference data that everyone shares")
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, vocab.MaxArchive))
	if err != nil {
		return tocsin.Errorf(tocsin.Invalid, "the archive can't be read to its end, or is larger than %d MB", vocab.MaxArchive>>20)
	}
	from := r.URL.Query().Get("from")
	if from == "" {
		from = "what was sent"
	}
	p, err := vocab.ReadFile(r.Context(), from, b, sorts...)
	if err != nil {
		return err
	}
	t, err := a.Library.Take(r.Context(), v, p)
	if err != nil {
		return err
	}
	return taken(w, t)
}

// updateVocabularies reads what is new from the place that was set.
func (a *API) updateVocabularies(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	if err := known(r, "sort"); err != nil {
		return err
	}
	sorts, err := sortsIn(r)
	if err != nil {
		return err
	}
	t, err := a.Library.Update(r.Context(), v, sorts...)
	if err != nil {
		return err
	}
	return taken(w, t)
}

// patchVocabulary changes what was decided of a vocabulary.
func (a *API) patchVocabulary(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	var in struct {
		Enabled     *bool `json:"enabled"`
		Required    *bool `json:"required"`
		Highlighted *bool `json:"highlighted"`
	}
	b, err := body(r)
	if err != nil {
		return err
	}
	if err := decode(b, &in); err != nil {
		return err
	}
	if in.Enabled == nil && in.Required == nil && in.Highlighted == nil {
		return tocsin.Errorf(tocsin.Invalid, `say what is to change: {"enabled": true}`)
	}
	voc, err := a.db.As(v).Library().Named(tocsin.VocabularySort(r.PathValue("sort")), r.PathValue("name"))
	if err != nil {
		return err
	}
	voc, err = a.Library.Decide(r.Context(), v, voc.ID, func(voc *tocsin.Vocabulary) {
		for from, to := range map[*bool]*bool{in.Enabled: &voc.Enabled, in.Required: &voc.Required, in.Highlighted: &voc.Highlighted} {
			if from != nil {
				*to = *from
			}
		}
	})
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, vocabularyOf(voc))
}
