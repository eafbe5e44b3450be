package mispapi

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/egress"
	"tocsin/store"
)

// feedWords is a feed as MISP has it. What is sent along with a request may hold a key:
// whether there is something is all that is told.
func feedWords(f *tocsin.Feed) map[string]any {
	source, headers := "network", any(nil)
	if f.Local {
		source = "local"
	}
	if !f.Headers.IsZero() {
		headers = "*****"
	}
	return map[string]any{
		"id": f.ID, "name": f.Name, "provider": f.Provider, "url": f.URL, "rules": rawOrNull(f.Rules), "enabled": f.Enabled,
		"distribution": int(f.Distribution), "sharing_group_id": f.Group, "tag_id": f.Tag, "default": f.Default, "source_format": f.Format,
		"fixed_event": f.FixedEvent, "delta_merge": f.DeltaMerge, "event_id": f.Event, "publish": f.Publish, "override_ids": f.OverrideIDS,
		"settings": rawOrNull(f.Settings), "input_source": source, "delete_local_file": f.DeleteLocal, "lookup_visible": f.Visible, "headers": headers,
		"caching_enabled": f.Caching, "force_to_ids": f.ForceIDS, "orgc_id": f.Orgc, "tag_collection_id": f.TagCollection,
	}
}

func rawOrNull(raw json.RawMessage) any {
	if len(raw) == 0 {
		return nil
	}
	return string(raw)
}

// indexFeeds answers with the feeds that the viewer may know of.
func indexFeeds(c *call) error {
	rows := []any{}
	for f := range c.view.Feeds() {
		w := feedWords(f)
		w["cache_timestamp"] = false
		rows = append(rows, map[string]any{"Feed": w})
	}
	return c.reply(c.page(rows))
}

func (c *call) feedMeant() (*tocsin.Feed, error) {
	return store.One[*tocsin.Feed](c.view, refOf(c.arg(0)).id)
}

// viewFeed answers with one feed.
func viewFeed(c *call) error {
	f, err := c.feedMeant()
	if err != nil {
		return err
	}
	w := feedWords(f)
	w["cached_elements"], w["coverage_by_other_feeds"] = 0, "0%"
	return c.reply(map[string]any{"Feed": w})
}

// readFeed reads what may be said of a feed.
func (c *call) readFeed(f *form, to *tocsin.Feed) {
	f.text("name", &to.Name)
	f.text("provider", &to.Provider)
	f.text("url", &to.URL)
	f.among("source_format", &to.Format, "misp", "csv", "freetext", "network", "1", "0")
	for name, into := range map[string]*int64{"sharing_group_id": &to.Group, "tag_id": &to.Tag, "event_id": &to.Event, "orgc_id": &to.Orgc, "tag_collection_id": &to.TagCollection} {
		f.number(name, into)
	}
	for name, into := range map[string]*bool{"enabled": &to.Enabled, "fixed_event": &to.FixedEvent, "delta_merge": &to.DeltaMerge, "publish": &to.Publish,
		"override_ids": &to.OverrideIDS, "delete_local_file": &to.DeleteLocal, "lookup_visible": &to.Visible, "caching_enabled": &to.Caching, "force_to_ids": &to.ForceIDS} {
		f.flag(name, into)
	}
	if f.has("input_source") {
		to.Local = textOf(f.members["input_source"]) == "local"
	}
	far := int64(to.Distribution)
	if f.number("distribution", &far); far > int64(access.Group) {
		f.refuse("distribution", "Options: 0 to 4.")
	} else {
		to.Distribution = access.Distribution(far)
	}
	f.rules("rules", &to.Rules)
	f.rules("settings", &to.Settings)
	var headers string
	if f.text("headers", &headers); headers != "" && strings.Trim(headers, "*") != "" {
		to.Headers = tocsin.NewSecret([]byte(headers))
	}
	switch {
	case to.Name == "":
		f.refuse("name", "Name cannot be empty.")
	case to.Provider == "":
		f.refuse("provider", "Provider cannot be empty.")
	}
	if to.Local {
		f.refuse("input_source", "Files of the machine are no feeds here.")
	} else if err := egress.CheckURL(to.URL); err != nil {
		f.refuse("url", "Please enter a valid url.")
	}
}

// addFeed adds a feed.
func addFeed(c *call) error {
	f, err := c.form("Feed")
	if err != nil {
		return err
	}
	to := &tocsin.Feed{Created: c.db.Now(), Format: "misp", FixedEvent: true, Settings: json.RawMessage(`[]`)}
	c.readFeed(f, to)
	return c.putFeed("add Feed", f, to, feedWords)
}

// editFeed changes what the body names of a feed.
func editFeed(c *call) error {
	f, err := c.form("Feed")
	if err != nil {
		return err
	}
	old, err := c.feedMeant()
	if err != nil {
		return err
	}
	to := *old
	c.readFeed(f, &to)
	if said := textOf(f.members["headers"]); to.URL != old.URL && !old.Headers.IsZero() && strings.Trim(said, "*") == "" {
		// Else whoever edits could have what is in them sent to an address of their own.
		f.refuse("headers", "A new address takes the headers anew.")
	}
	return c.putFeed("edit Feed", f, &to, func(to *tocsin.Feed) map[string]any { return editedFeed(feedWords(to)) })
}

func (c *call) putFeed(what string, f *form, to *tocsin.Feed, words func(*tocsin.Feed) map[string]any) error {
	if err := c.keep(what, f, "name", "A feed with this name already exists.", func(tx *store.Tx) error { return store.Put(tx, to) }); err != nil {
		return err
	}
	return c.reply(map[string]any{"Feed": words(to)})
}

func enableFeed(c *call) error  { return c.switchFeed(true, "Feed enabled.") }
func disableFeed(c *call) error { return c.switchFeed(false, "Feed disabled.") }

func (c *call) switchFeed(on bool, sentence string) error {
	old, err := c.feedMeant()
	if err != nil {
		return err
	}
	to := *old
	to.Enabled = on
	if _, err := c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return store.Put(tx, &to) }); err != nil {
		return err
	}
	return c.reply(message{sentence, sentence, c.r.URL.Path, nil})
}

// deleteFeed removes a feed.
func deleteFeed(c *call) error {
	f, err := c.feedMeant()
	if err != nil {
		return err
	}
	if _, err := c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return store.Remove[*tocsin.Feed](tx, f.ID) }); err != nil {
		return err
	}
	return c.done("Feed deleted.", c.r.URL.Path, f.ID)
}

// previewFeed leads back to the feeds, as MISP does where a feed can't be read.
func previewFeed(c *call) error {
	if _, err := c.feedMeant(); err != nil {
		return err
	}
	return c.backTo("/feeds")
}

// backTo sends whoever asks somewhere else.
func (c *call) backTo(path string) error {
	c.w.Header().Set("Content-Type", mediaJSON)
	c.w.Header().Set("Location", c.base()+path)
	c.w.WriteHeader(http.StatusFound)
	return nil
}

// fetchFeed and cacheFeed begin a job. It ends at once, and says in the list of jobs
// that feeds are not run here.
func fetchFeed(c *call) error {
	if _, err := c.feedMeant(); err != nil {
		return err
	}
	c.jobs.note(job{kind: "fetch_feeds", input: "Feed: " + c.arg(0), org: c.v.Org(), message: feedsAreNotRun, failed: true, at: c.db.Now()})
	return c.reply(map[string]string{"result": "Pull queued for background execution."})
}

func fetchFeeds(c *call) error {
	c.jobs.note(job{kind: "fetch_feeds", input: "all", org: c.v.Org(), message: feedsAreNotRun, failed: true, at: c.db.Now()})
	return c.reply(map[string]string{"result": "Pull queued for background execution."})
}

func cacheFeeds(c *call) error {
	scope := c.arg(0)
	if !slices.Contains([]string{"", "all", "freetext", "misp", "csv"}, scope) {
		if _, err := c.feedMeant(); err != nil {
			return err
		}
	}
	c.jobs.note(job{kind: "cache_feeds", input: "Feed: " + scope, org: c.v.Org(), message: feedsAreNotRun, failed: true, at: c.db.Now()})
	return c.done("Feed caching job initiated.", c.r.URL.Path, nil)
}

// nothingCached answers what is asked of caches, of which there are none.
func nothingCached(c *call) error { return c.reply([]any{}) }

// loadDefaultFeeds adds the feeds that MISP's community publishes and that are not here
// yet. None of them is enabled: where an exchange reads from, somebody decides.
func loadDefaultFeeds(c *call) error {
	if c.DefaultFeeds == nil {
		return c.no(http.StatusNotFound, tocsin.NotFound, "No folder of published lists is configured, so there are no default feeds.")
	}
	b, err := c.DefaultFeeds(c.r.Context())
	if err != nil {
		return err
	}
	var rows []defaultFeed
	if err := json.Unmarshal(b, &rows); err != nil {
		return tocsin.Errorf(tocsin.Invalid, "the list of default feeds is not one: %w", err)
	}
	fresh := c.newFeeds(rows)
	_, err = c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error {
		for _, d := range fresh {
			if d.feed.Tag, err = d.tag(tx); err != nil {
				return err
			}
			if err := store.Put(tx, d.feed); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.done("Default feed metadata loaded.", c.r.URL.Path, nil)
}

// A defaultFeed is a row of the list. Numbers in it are those of the instance that
// published it; the tag is known by its name.
type defaultFeed struct {
	Feed map[string]any `json:"Feed"`
	Tag  struct {
		Name   string `json:"name"`
		Colour string `json:"colour"`
	} `json:"Tag"`
	feed *tocsin.Feed
}

// newFeeds are the rows that are sound and not here yet, neither by address nor by name.
func (c *call) newFeeds(rows []defaultFeed) (fresh []defaultFeed) {
	here := map[string]bool{}
	for f := range c.view.Feeds() {
		here[f.URL], here[f.Name] = true, true
	}
	for _, row := range rows {
		for _, number := range []string{"tag_id", "event_id", "orgc_id", "sharing_group_id", "tag_collection_id"} {
			delete(row.Feed, number)
		}
		f, to := &form{row.Feed, map[string][]string{}}, &tocsin.Feed{Created: c.db.Now(), Default: truthy(row.Feed["default"]), Format: "misp"}
		c.readFeed(f, to)
		if to.Enabled, to.Caching = false, false; to.Distribution == access.Group {
			to.Distribution = access.OrgOnly
		}
		if f.sound() && !here[to.URL] && !here[to.Name] {
			row.feed = to
			fresh = append(fresh, row)
			here[to.URL], here[to.Name] = true, true
		}
	}
	return fresh
}

// tag returns the id of the tag that a feed's events carry, which is made if it is not
// here; 0 for none.
func (d *defaultFeed) tag(tx *store.Tx) (int64, error) {
	if d.Tag.Name == "" {
		return 0, nil
	}
	t, err := store.Named[*tocsin.Tag](tx, d.Tag.Name)
	if tocsin.CodeOf(err) == tocsin.NotFound && err != nil {
		t = &tocsin.Tag{Name: d.Tag.Name, Colour: d.Tag.Colour}
		err = store.Put(tx, t)
	}
	if err != nil {
		return 0, err
	}
	return t.ID, nil
}
