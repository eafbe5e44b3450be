package mispapi

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"tocsin"
	"tocsin/store"
)

// A tagCollection is a collection of tags as MISP answers it, with whose it is.
type tagCollection struct {
	Collection struct {
		ID          int64       `json:"id"`
		UUID        tocsin.UUID `json:"uuid"`
		User        int64       `json:"user_id"`
		Org         int64       `json:"org_id"`
		Name        string      `json:"name"`
		Description string      `json:"description"`
		AllOrgs     bool        `json:"all_orgs"`
	} `json:"TagCollection"`
	Tags []collectedTag `json:"TagCollectionTag"`
	Org  briefOrg       `json:"Organisation"`
	User struct {
		ID    int64  `json:"id"`
		Email string `json:"email"`
	} `json:"User"`
}

// A collectedTag is a tag's row in a collection. Ours have no numbers of their own: a
// tag is in a collection once, so its number will do.
type collectedTag struct {
	ID         int64           `json:"id"`
	Collection int64           `json:"tag_collection_id"`
	TagID      int64           `json:"tag_id"`
	Tag        json.RawMessage `json:"Tag"`
}

func (c *call) tagCollection(t *tocsin.TagCollection) (out tagCollection) {
	col := &out.Collection
	col.ID, col.UUID, col.User, col.Org, col.Name, col.Description, col.AllOrgs = t.ID, t.UUID, t.User, t.Org, t.Name, t.Description, t.AllOrgs
	out.Tags = []collectedTag{}
	for _, id := range t.Tags {
		if tag, err := store.One[*tocsin.Tag](c.view, id); err == nil {
			out.Tags = append(out.Tags, collectedTag{id, t.ID, id, c.encoder().AppendTag(nil, tag)})
		}
	}
	out.Org = c.briefOrg(t.Org)
	if u, err := store.One[*tocsin.User](c.view, t.User); err == nil {
		out.User.ID, out.User.Email = u.ID, u.Email
	}
	return out
}

// tagsIn are the names of the tags of a collection that the viewer may have.
func (c *call) tagsIn(t *tocsin.TagCollection) (names []string) {
	for _, id := range t.Tags {
		if tag, err := store.One[*tocsin.Tag](c.view, id); err == nil {
			names = append(names, tag.Name)
		}
	}
	return names
}

// indexTagCollections answers with the collections that the viewer may use.
func indexTagCollections(c *call) error {
	rows := []tagCollection{}
	for t := range c.view.TagCollections() {
		rows = append(rows, c.tagCollection(t))
	}
	slices.SortFunc(rows, func(a, b tagCollection) int { return int(a.Collection.ID - b.Collection.ID) })
	return c.reply(rows)
}

func viewTagCollection(c *call) error {
	t, err := small[*tocsin.TagCollection](c.view, c.arg(0))
	if err != nil {
		return err
	}
	return c.reply(c.tagCollection(t))
}

// A collectionDraft is what tag_collections/add and edit are told: what is absent stays.
type collectionDraft struct {
	UUID        *text            `json:"uuid"`
	Name        *string          `json:"name"`
	Description *string          `json:"description"`
	AllOrgs     *toggle          `json:"all_orgs"`
	Tags        list             `json:"tags"`
	Within      *collectionDraft `json:"TagCollection"`
}

func (c *call) collectionDraft() (d collectionDraft, err error) {
	b, err := c.body()
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(b, &d); err != nil && len(b) > 0 {
		return d, c.because(http.StatusMethodNotAllowed, tocsin.Invalid, notJSON, err.Error())
	}
	for d.Within != nil {
		d = *d.Within
	}
	return d, nil
}

// on puts what a draft says on a collection. Tags that are not there are left out.
func (d *collectionDraft) on(c *call, t *tocsin.TagCollection) {
	if d.Name != nil {
		t.Name = strings.TrimSpace(*d.Name)
	}
	if d.Description != nil {
		t.Description = *d.Description
	}
	set(&t.AllOrgs, d.AllOrgs)
	for _, name := range d.Tags {
		if tag, err := c.knownTag(name); err == nil && !slices.Contains(t.Tags, tag.ID) && len(t.Tags) < maxTaggings {
			t.Tags = append(t.Tags, tag.ID)
		}
	}
}

func addTagCollection(c *call) error {
	d, err := c.collectionDraft()
	if err != nil {
		return err
	}
	t := &tocsin.TagCollection{Org: c.v.Org(), User: c.v.User(), Tags: []int64{}}
	if d.UUID != nil {
		t.UUID = refOf(string(*d.UUID)).uuid
	}
	d.on(c, t)
	if t.Name == "" {
		return c.unsaved("add Tag Collection", "/tag_collections/add", map[string][]string{"name": {"Name cannot be empty."}}, nil)
	}
	if err := c.putTagCollection(t, "add"); err != nil {
		return err
	}
	return c.reply(c.tagCollection(t))
}

func (c *call) putTagCollection(t *tocsin.TagCollection, what string) error {
	_, err := c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error {
		if t.ID == 0 {
			t.Created = tx.Now()
			if t.UUID.IsZero() {
				t.UUID = tocsin.NewUUID(tx.Now())
			}
		}
		return store.Put(tx, t)
	})
	switch tocsin.CodeOf(err) {
	case tocsin.Conflict, tocsin.Invalid:
		return c.unsaved(what+" Tag Collection", "/tag_collections/"+what, map[string][]string{"name": {err.Error()}}, nil)
	}
	return err
}

func editTagCollection(c *call) error {
	t, err := c.ownedCollection()
	if err != nil {
		return err
	}
	d, err := c.collectionDraft()
	if err != nil {
		return err
	}
	d.on(c, t)
	if err := c.putTagCollection(t, "edit"); err != nil {
		return err
	}
	return c.reply(c.tagCollection(t))
}

// ownedCollection returns a copy, to be changed, of the collection that the path names.
func (c *call) ownedCollection() (*tocsin.TagCollection, error) {
	t, err := small[*tocsin.TagCollection](c.view, c.arg(0))
	if err != nil {
		return nil, err
	}
	own := *t
	own.Tags = slices.Clone(t.Tags)
	return &own, nil
}

func deleteTagCollection(c *call) error {
	t, err := c.ownedCollection()
	if err != nil {
		return err
	}
	_, err = c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return store.Remove[*tocsin.TagCollection](tx, t.ID) })
	if err != nil {
		return err
	}
	return c.done("Tag collection deleted", "/tag_collections/delete", nil)
}

// collectTag puts tags into a collection: /tag_collections/addTag/1/tlp:green, or
// {"tag": [1, 2]}.
func collectTag(c *call) error {
	return c.recollect("Tag(s) added.", func(t *tocsin.TagCollection, id int64) {
		if !slices.Contains(t.Tags, id) {
			t.Tags = append(t.Tags, id)
		}
	})
}

// uncollectTag takes them out.
func uncollectTag(c *call) error {
	return c.recollect("Tag removed.", func(t *tocsin.TagCollection, id int64) {
		t.Tags = slices.DeleteFunc(t.Tags, func(other int64) bool { return other == id })
	})
}

func (c *call) recollect(sentence string, change func(*tocsin.TagCollection, int64)) error {
	t, err := c.ownedCollection()
	if err != nil {
		return err
	}
	d, err := c.collectedTags()
	if err != nil {
		return err
	}
	for _, name := range d {
		tag, err := c.knownTag(name)
		if err != nil {
			return c.reply(tagAnswer{Errors: "Invalid Tag."})
		}
		change(t, tag.ID)
	}
	if len(d) == 0 || len(t.Tags) > maxTaggings {
		return c.reply(tagAnswer{Errors: "Invalid Tag."})
	}
	if err := c.putTagCollection(t, "edit"); err != nil {
		return err
	}
	return c.reply(tagAnswer{Saved: true, Success: sentence, Publish: true})
}

// collectedTags are the tags that a call names, in the path or in a body.
func (c *call) collectedTags() (list, error) {
	if c.arg(1) != "" {
		return list{c.arg(1)}, nil
	}
	var d struct {
		Tag list `json:"tag"`
	}
	b, err := c.body()
	if err == nil && len(b) > 0 {
		if err := json.Unmarshal(b, &d); err != nil {
			return nil, c.because(http.StatusMethodNotAllowed, tocsin.Invalid, notJSON, err.Error())
		}
	}
	return d.Tag, err
}
