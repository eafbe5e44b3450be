package store

import (
	"fmt"

	"tocsin"
)

// How long the texts of a remark may be, in octets, as MISP's columns hold them.
const (
	maxText     = 1<<16 - 1
	maxLongText = 1<<24 - 1 // what is written to be read: reports, notes, descriptions
	maxElements = 100_000   // of a cluster
)

// fits refuses a remark with a text that is longer than anybody would read.
func fits(r tocsin.Remark) error {
	short, long := texts(r)
	for _, s := range short {
		if len(s) > maxText {
			return tocsin.Errorf(tocsin.Invalid, "%.40s… is longer than 65,535 octets", fmt.Sprintf("%q", s[:60]))
		}
	}
	if len(long) > maxLongText {
		return tocsin.Errorf(tocsin.Invalid, "the text of a %s is at most 16,777,215 octets long", r.Kind())
	}
	if c, ok := r.(*tocsin.Cluster); ok && len(c.Elements) > maxElements {
		return tocsin.Errorf(tocsin.Invalid, "%d elements are too many for one cluster; it may have %d", len(c.Elements), maxElements)
	}
	return nil
}

// texts are what a remark says: short ones, and the one that may be long.
func texts(r tocsin.Remark) (short []string, long string) {
	switch r := r.(type) {
	case *tocsin.Reference:
		return []string{r.Relation, r.Comment}, ""
	case *tocsin.Sighting:
		return []string{r.Source}, ""
	case *tocsin.Proposal:
		return []string{r.Comment}, "" // its value is held to its type
	case *tocsin.Report:
		return []string{r.Name}, r.Content
	case *tocsin.Note:
		return []string{r.Authors, r.Language}, r.Note
	case *tocsin.Opinion:
		return []string{r.Authors, r.Comment}, ""
	case *tocsin.Relationship:
		return []string{r.Authors, r.Relation}, ""
	case *tocsin.Cluster:
		short = append([]string{r.Type, r.Value, r.Source}, r.Authors...)
		for _, e := range r.Elements {
			short = append(short, e.Key, e.Value)
		}
		for _, rel := range r.Relations {
			short = append(append(short, rel.Type), rel.Tags...)
		}
		return short, r.Description
	}
	return nil, ""
}
