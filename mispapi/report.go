package mispapi

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

var noReport = answer{http.StatusNotFound, "Invalid Event Report."}

// addReport adds a text about an event.
func addReport(c *call) error {
	e, err := c.event(c.arg(0))
	if err != nil {
		return err
	}
	said, err := c.told("EventReport")
	if err != nil {
		return err
	}
	r := &tocsin.Report{Head: tocsin.Head{About: tocsin.Link{Kind: tocsin.KindEvent, ID: e.ID}, Distribution: access.Inherit}}
	if text := textOf(said["uuid"]); text != "" {
		if r.UUID, err = tocsin.ParseUUID(text); err != nil {
			return c.unsaved("add EventReport", "/event_reports/add", map[string][]string{"uuid": {err.Error()}}, nil)
		}
	}
	if err := c.writeReport(r, said, "add EventReport"); err != nil {
		return err
	}
	err = c.change(func(tx *store.Tx) error { return store.AddRemark(tx, r) })
	if err != nil {
		return c.notSaid("add EventReport", "/event_reports/add", "name", err)
	}
	return c.reply(c.reportWords(r, e))
}

// writeReport takes what a body says of a report.
func (c *call) writeReport(r *tocsin.Report, said map[string]any, what string) error {
	if v, ok := said["name"]; ok {
		r.Name = textOf(v)
	}
	if v, ok := said["content"]; ok {
		r.Content = textOf(v)
	}
	if err := c.howFar(&r.Head, said); err != nil {
		return c.unsaved(what, c.act.path, map[string][]string{"distribution": {err.Error()}}, nil)
	}
	if v, ok := said["deleted"]; ok {
		r.Deleted = truthy(v)
	}
	return nil
}

// howFar reads how far a remark may travel, where a body says so.
func (c *call) howFar(h *tocsin.Head, said map[string]any) error {
	if text := textOf(said["distribution"]); text != "" {
		n, err := strconv.ParseUint(text, 10, 8)
		if err != nil || !access.Distribution(n).Valid() {
			return tocsin.Errorf(tocsin.Invalid, "distribution is 0 to 5, not %q", text)
		}
		h.Distribution = access.Distribution(n)
	}
	if text := textOf(said["sharing_group_id"]); text != "" && text != "0" {
		f := refOf(text)
		if h.Group = f.id; f.id == 0 {
			g, err := small[*tocsin.Group](c.view, text)
			if err != nil {
				return tocsin.Errorf(tocsin.Invalid, "there is no sharing group %q", text)
			}
			h.Group = g.ID
		}
	}
	if h.Distribution != access.Group {
		h.Group = 0
	}
	return nil
}

// notSaid says why a remark was not kept, in the shape of a field's error.
func (c *call) notSaid(what, url, field string, err error) error {
	switch tocsin.CodeOf(err) {
	case tocsin.Invalid, tocsin.Conflict, tocsin.Gone:
		return c.unsaved(what, url, map[string][]string{field: {err.Error()}}, nil)
	}
	return err
}

// report returns the report in the path, deleted or not, and its event.
func (c *call) report() (*tocsin.Report, *tocsin.Event, error) {
	r, err := store.OneRemark(c.view.Reports(c.r.Context(), remarked(c.arg(0))))
	if err != nil {
		return nil, nil, err
	}
	e, err := c.view.Event(c.r.Context(), r.Event)
	return r, e, err
}

// viewReport answers with one report.
func viewReport(c *call) error {
	r, e, err := c.report()
	if err != nil {
		return err
	}
	return c.reply(asRead{c.reportWords(r, e), []any{}})
}

// editReport changes of a report what the body names.
func editReport(c *call) error {
	r, e, err := c.report()
	if err != nil {
		return err
	}
	said, err := c.told("EventReport")
	if err != nil {
		return err
	}
	if r, err = c.changeReport(r.ID, func(r *tocsin.Report) error { return c.writeReport(r, said, "edit EventReport") }); err != nil {
		return c.notSaid("edit EventReport", "/event_reports/edit", "name", err)
	}
	return c.reply(c.reportWords(r, e))
}

func (c *call) changeReport(id int64, change func(*tocsin.Report) error) (r *tocsin.Report, err error) {
	err = c.change(func(tx *store.Tx) (err error) {
		r, err = store.EditRemark(tx, id, change)
		return err
	})
	return r, err
}

// deleteReport withdraws a report, so that peers learn of it, or deletes it for good:
// /event_reports/delete/7/1, or {"hard": 1}.
func deleteReport(c *call) error {
	r, _, err := c.report()
	if err != nil {
		return err
	}
	said, err := c.told("EventReport")
	if err != nil {
		return err
	}
	how := "soft"
	if truthy(c.arg(1)) || truthy(said["hard"]) {
		how = "hard"
		err = c.change(func(tx *store.Tx) error { return tx.DeleteRemark(tocsin.KindReport, r.ID) })
	} else {
		_, err = c.changeReport(r.ID, func(r *tocsin.Report) error { r.Deleted = true; return nil })
	}
	if err != nil {
		return err
	}
	return c.done("Event Report "+c.arg(0)+" "+how+" deleted", "/event_reports/delete/"+c.arg(0), c.arg(0))
}

// restoreReport takes a withdrawal back.
func restoreReport(c *call) error {
	r, _, err := c.report()
	if err != nil {
		return err
	}
	if _, err := c.changeReport(r.ID, func(r *tocsin.Report) error { r.Deleted = false; return nil }); err != nil {
		return err
	}
	return c.done("Event Report "+c.arg(0)+" restored", "/event_reports/restore/"+c.arg(0), c.arg(0))
}

// indexReports answers with reports: of one event, or all that the viewer may see.
func indexReports(c *call) error {
	said, err := c.filters()
	if err != nil {
		return err
	}
	q := store.RemarkQuery{}
	if text := textOf(said["event_id"]); text != "" {
		e, err := c.event(text)
		if err != nil {
			return err
		}
		q.Events = []int64{e.ID}
	}
	switch strings.ToLower(cmp.Or(textOf(said["context"]), textOf(said["index_context"]))) {
	case "all":
		q.Deleted = store.Any
	case "deleted":
		q.Deleted = store.Withdrawn
	}
	if q.Limit, q.Offset, err = page(said); err != nil {
		return c.invalid(err)
	}
	out, first := c.stream(mediaJSON), true
	out.b = append(out.b, '[')
	for r, err := range c.view.Reports(c.r.Context(), q) {
		if err != nil {
			return err
		}
		e := c.eventByID(r.Event)
		if e == nil {
			continue // it was deleted since
		}
		if !first {
			out.b = append(out.b, ',')
		}
		first = false
		out.b = appendJSON(out.b, asRead{c.reportWords(r, e), []any{}})
		if err := out.flush(); err != nil {
			return err
		}
	}
	out.b = append(out.b, ']')
	return out.end()
}

// importReport would read a page and make a report of it.
func importReport(c *call) error {
	if _, err := c.event(c.arg(0)); err != nil {
		return err
	}
	return c.no(http.StatusMethodNotAllowed, tocsin.Invalid, "Nothing is fetched from the Internet for reports here. Send the text itself to /event_reports/add.")
}

type reportRow struct {
	ID           int64               `json:"id"`
	UUID         tocsin.UUID         `json:"uuid"`
	Event        int64               `json:"event_id"`
	Name         string              `json:"name"`
	Content      string              `json:"content"`
	Distribution access.Distribution `json:"distribution"`
	Group        int64               `json:"sharing_group_id"`
	Timestamp    int64               `json:"timestamp"`
	Deleted      bool                `json:"deleted"`
}

type orgName struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

type reportedEvent struct {
	ID   int64   `json:"id"`
	Orgc int64   `json:"orgc_id"`
	Org  int64   `json:"org_id"`
	Info string  `json:"info"`
	User int64   `json:"user_id"`
	Date string  `json:"date"`
	By   orgName `json:"Org"`
	From orgName `json:"Orgc"`
}

// A reportAnswer is a report with the event that it is about.
type reportAnswer struct {
	Report reportRow     `json:"EventReport"`
	Event  reportedEvent `json:"Event"`
	Group  groupNamed    `json:"SharingGroup"`
}

// An asRead is a report as those calls answer it that only read.
type asRead struct {
	reportAnswer
	Inbound []any `json:"RelationshipInbound"`
}

type groupNamed struct {
	ID   *int64       `json:"id"`
	Name *string      `json:"name"`
	UUID *tocsin.UUID `json:"uuid"`
}

func (c *call) reportWords(r *tocsin.Report, e *tocsin.Event) reportAnswer {
	named := func(id int64) orgName { return orgName{id, c.briefOrg(id).Name} }
	a := reportAnswer{
		Report: reportRow{r.ID, r.UUID, r.Event, r.Name, r.Content, r.Distribution, r.Group, r.Timestamp, r.Deleted},
		Event:  reportedEvent{e.ID, e.Orgc, e.Org, e.Info, e.User, e.Date, named(e.Org), named(e.Orgc)},
	}
	if e.Orgc != c.v.Org() && !c.v.SeesAll() {
		a.Event.User = 0 // who works there is nobody else's business
	}
	if r.Group != 0 && (c.v.SeesAll() || c.v.MemberOf(r.Group)) {
		if g, err := store.One[*tocsin.Group](c.view, r.Group); err == nil {
			a.Group = groupNamed{&g.ID, &g.Name, &g.UUID}
		}
	}
	return a
}
