package mispapi

import (
	"encoding/json"
	"net/http"
	"strings"

	"tocsin"
	"tocsin/store"
)

// A noticelist as it stands in answers.
type noticelist struct {
	ID      int64    `json:"id"`
	Name    string   `json:"name"`
	Title   string   `json:"expanded_name"`
	Refs    []string `json:"ref"`
	Areas   []string `json:"geographical_area"`
	Version int64    `json:"version"`
	Enabled bool     `json:"enabled"`
	Entries []notice `json:"NoticelistEntry,omitempty"`
}

type notice struct {
	ID   int64           `json:"id"`
	List int64           `json:"noticelist_id"`
	Data json.RawMessage `json:"data"`
}

// maxNotices keeps the ids of the notices of two lists apart.
const maxNotices = 1000

func (c *call) noticelistOf(v *tocsin.Vocabulary, whole bool) (noticelist, error) {
	n, err := c.view.Library().Noticelist(c.r.Context(), v)
	if err != nil {
		return noticelist{}, err
	}
	out := noticelist{ID: v.Number, Name: v.Name, Title: v.Title, Refs: append([]string{}, n.Refs...), Areas: append([]string{}, n.Areas...), Version: v.Version, Enabled: v.Enabled}
	for i, data := range n.Notices {
		if whole {
			out.Entries = append(out.Entries, notice{(v.Number-1)*maxNotices + int64(i) + 1, v.Number, data})
		}
	}
	return out, nil
}

func indexNoticelists(c *call) error {
	rows := []map[string]noticelist{}
	text := strings.ToLower(c.named["quickFilter"])
	for v := range c.view.Library().All(tocsin.Noticelists) {
		if !strings.Contains(strings.ToLower(v.Name+"\n"+v.Title), text) {
			continue
		}
		n, err := c.noticelistOf(v, false)
		if err != nil {
			return err
		}
		rows = append(rows, map[string]noticelist{"Noticelist": n})
	}
	return c.reply(rows)
}

func (c *call) noticelist() (*tocsin.Vocabulary, error) {
	return c.view.Library().Numbered(tocsin.Noticelists, refOf(c.arg(0)).id)
}

func viewNoticelist(c *call) error {
	v, err := c.noticelist()
	if err != nil {
		return err
	}
	n, err := c.noticelistOf(v, true)
	if err != nil {
		return err
	}
	return c.reply(map[string]noticelist{"Noticelist": n})
}

// noticelistEntries answers with the notices alone.
func noticelistEntries(c *call) error {
	v, err := c.noticelist()
	if err != nil {
		return err
	}
	n, err := c.noticelistOf(v, true)
	if err != nil {
		return err
	}
	return c.reply(n.Entries)
}

// enableNoticelist turns a list on or off, /noticelists/enableNoticelist/1/1, and sends
// whoever asked to it.
func enableNoticelist(c *call) error {
	v, err := c.noticelist()
	if err != nil {
		return err
	}
	if err := c.setVocabulary(v, func(v *tocsin.Vocabulary) { v.Enabled = truthy(c.arg(1)) }); err != nil {
		return err
	}
	return c.sendTo("/noticelists/view/" + itoa(v.Number))
}

// toggleNoticelist turns a list round.
func toggleNoticelist(c *call) error {
	v, err := c.noticelist()
	if tocsin.CodeOf(err) == tocsin.NotFound {
		return c.unsaved("toggleEnable Noticelist", "/noticelists/toggleEnable/"+c.arg(0), "Noticelist not found.", c.arg(0))
	}
	if err != nil {
		return err
	}
	if err := c.setVocabulary(v, func(v *tocsin.Vocabulary) { v.Enabled = !v.Enabled }); err != nil {
		return err
	}
	sentence := "Noticelist enabled."
	if v.Enabled { // as it was
		sentence = "Noticelist disabled."
	}
	return c.done(sentence, "/noticelists/toggleEnable/"+c.arg(0), c.arg(0))
}

func deleteNoticelist(c *call) error {
	v, err := c.noticelist()
	if err != nil {
		return err
	}
	if _, err := c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return tx.RemoveVocabulary(v.ID) }); err != nil {
		return err
	}
	return c.done("Noticelist successfuly deleted.", "/noticelists/delete/"+c.arg(0), c.arg(0))
}

var noNoticelist = answer{http.StatusNotFound, "Noticelist not found."}
