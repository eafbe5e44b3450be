package tocsin

import "time"

// A Vocabulary is one piece of the reference data that everyone on the exchange
// shares: a taxonomy, a galaxy with its clusters, an object template. What is in it
// is kept beside it, packed; package vocab reads it.
type Vocabulary struct {
	ID     int64          `json:"id"`
	Sort   VocabularySort `json:"sort"`
	Number int64          `json:"number"` // within its sort, from 1: what MISP's clients call its id
	Key    string         `json:"key"`    // a name or a uuid, which no other of its sort has
	Name   string         `json:"name"`   // the namespace of a taxonomy, the type of a galaxy, else its name
	UUID   UUID           `json:"uuid,omitzero"`

	Title       string `json:"title,omitempty"` // what people read, where it is not the name
	Description string `json:"description,omitempty"`
	Group       string `json:"group,omitempty"` // the namespace of a galaxy, the meta-category of a template
	Version     int64  `json:"version"`         // as whoever keeps it counts
	Parts       int    `json:"parts"`           // tags of a taxonomy, clusters of a galaxy, elements of a template

	Exclusive bool `json:"exclusive,omitempty"` // of a taxonomy's tags a record carries one at most

	// What an instance decides of it.
	Enabled     bool `json:"enabled,omitempty"` // a template is offered to those who make objects
	Required    bool `json:"required,omitempty"`
	Highlighted bool `json:"highlighted,omitempty"`

	Own     bool      `json:"own,omitempty"`  // it comes with the program
	Org     int64     `json:"org,omitempty"`  // which made it here; 0: it was published for all
	User    int64     `json:"user,omitempty"` // likewise
	Digest  string    `json:"digest"`         // SHA-256 of what is in it, hexadecimal
	Source  string    `json:"source,omitempty"`
	Changed time.Time `json:"changed"`
}

// A VocabularySort says what a vocabulary is.
type VocabularySort string

const (
	Taxonomies      VocabularySort = "taxonomy"
	Galaxies        VocabularySort = "galaxy"
	ObjectTemplates VocabularySort = "object-template"
	Relations       VocabularySort = "relations" // the words for how objects relate to others
	Noticelists     VocabularySort = "noticelist"
	DecayingModels  VocabularySort = "decaying-model"
)

// Warninglists are published beside the vocabularies, and are kept as guard lists.
const Warninglists VocabularySort = "warninglist"

// VocabularySorts are all sorts of vocabularies.
var VocabularySorts = []VocabularySort{Taxonomies, Galaxies, ObjectTemplates, Relations, Noticelists, DecayingModels}

func (*Vocabulary) Kind() Kind             { return KindVocabulary }
func (v *Vocabulary) RecordID() int64      { return v.ID }
func (v *Vocabulary) SetRecordID(id int64) { v.ID = id }
func (v *Vocabulary) RecordName() string   { return string(v.Sort) + "/" + v.Key }
