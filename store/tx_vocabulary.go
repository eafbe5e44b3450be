package store

import (
	"encoding/binary"
	"fmt"
	"strings"

	"tocsin"
)

// PutVocabulary adds a vocabulary or replaces the one with its id, together with
// what is in it, which is packed; nil leaves that as it is. A new one gets the next
// number of its sort.
func (tx *Tx) PutVocabulary(v *tocsin.Vocabulary, packed []byte) error {
	if v.ID == 0 {
		if packed == nil {
			return tocsin.Errorf(tocsin.Invalid, "the vocabulary %s is empty", v.Name)
		}
		n, err := tx.nextNumber(v.Sort)
		if err != nil {
			return err
		}
		v.Number = n
	}
	v.Changed = tx.now
	if err := Put(tx, v); err != nil || packed == nil {
		return err
	}
	return tx.w.PutSetting(tx.ctx, vocabularySetting(v.ID), packed)
}

// nextNumber hands out the numbers of a sort, each once.
func (tx *Tx) nextNumber(s tocsin.VocabularySort) (int64, error) {
	name := "vocabulary-next/" + string(s)
	b, err := tx.w.Setting(tx.ctx, name)
	if err != nil {
		return 0, err
	}
	next, _ := binary.Uvarint(b)
	next = max(next, 1)
	return int64(next), tx.w.PutSetting(tx.ctx, name, binary.AppendUvarint(nil, next+1))
}

// RemoveVocabulary removes a vocabulary and what is in it. One that comes with the
// program would be back at the next start.
func (tx *Tx) RemoveVocabulary(id int64) error {
	v, err := Get[*tocsin.Vocabulary](tx, id)
	if err != nil {
		return err
	}
	if v.Own {
		return tocsin.Errorf(tocsin.Conflict, "%s comes with the program and can't be removed; disable it", v.Name)
	}
	if err := Remove[*tocsin.Vocabulary](tx, id); err != nil {
		return err
	}
	return tx.w.PutSetting(tx.ctx, vocabularySetting(id), []byte{})
}

func vocabularySetting(id int64) string { return fmt.Sprint("vocabulary/", id) }

// library is the reference data as it was before this write, read within it.
func (tx *Tx) library() Library { return Library{View{tx.db, tx.v}, tx.w.Setting} }

// OfferTag makes a tag for everyone, or makes one that there is what its taxonomy
// has it be. A hidden tag is not offered to those who attach tags; one that is not
// there is not made to be hidden.
func (tx *Tx) OfferTag(name string, hidden bool) error {
	t := &tocsin.Tag{Name: name, Exportable: true}
	if old, ok := tx.docs.named(tocsin.KindTag, name).(*tocsin.Tag); ok {
		t = new(*old)
	} else if hidden {
		return nil
	}
	if !hidden {
		t.Colour, t.Coined = "", 0
		if err := tx.likeItsTaxonomy(t); err != nil {
			return err
		}
		if t.Colour == "" {
			t.Colour = ColourOf(name)
		}
	}
	t.Hidden = hidden
	return Put(tx, t)
}

// likeItsTaxonomy gives a new tag the colour and the number that its taxonomy, if
// there is one, has for it.
func (tx *Tx) likeItsTaxonomy(t *tocsin.Tag) error {
	v, is, err := tx.library().TaxonomyTag(tx.ctx, t.Name)
	if tocsin.CodeOf(err) == tocsin.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	tax, err := tx.library().Taxonomy(tx.ctx, v)
	if err != nil {
		return err
	}
	if t.Numeric = is.Numerical(); t.Colour == "" {
		t.Colour = tax.Colour(&is)
	}
	return nil
}

// soundVocabulary refuses a vocabulary that could not be found again.
func soundVocabulary(before tocsin.Record, v *tocsin.Vocabulary) error {
	was, _ := before.(*tocsin.Vocabulary)
	switch {
	case v.Key == "" || v.Name == "" || strings.IndexByte(v.Name, 0) >= 0:
		return tocsin.Errorf(tocsin.Invalid, "the %s needs a name", v.Sort)
	case was != nil && (was.Sort != v.Sort || was.Number != v.Number):
		return tocsin.Errorf(tocsin.Invalid, "%s %d stays what it is", was.Sort, was.Number)
	}
	return nil
}
