package intake_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/codec"
	"tocsin/intake"
	"tocsin/store"
)

// states lists the imports that v sees.
func (w *world) states(v access.Viewer) (out []string) {
	for r := range w.DB.As(v).Imports() {
		out = append(out, fmt.Sprintf("%d %s event %d: %d read, %d written, %d duplicates, %d refused",
			r.ID, r.State, r.Event, r.Read, r.Written, r.Duplicates, r.Refused))
	}
	return out
}

func (w *world) get(t testing.TB, event int64) *tocsin.Event {
	t.Helper()
	e, err := w.DB.As(w.ours).Event(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const text = "# a list\nevil.example\n\nnonsense value\n192.0.2.1\nevil[.]example\nhxxp://evil.example/x # seen today\n"

func TestImport(t *testing.T) {
	w := newWorld(t)
	w.Batch = 2
	var steps []string
	p, err := w.Import(t.Context(), w.ours, intake.ImportOptions{Name: "list.txt", Publish: true, Tags: []intake.TagDraft{{Name: "tlp:clear"}}},
		list(t, text), func(p intake.Progress) {
			steps = append(steps, fmt.Sprint(p.Read, p.Written, p.Duplicates, p.Refused, w.get(t, p.Event).Published))
		})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "steps, unpublished until the end", steps, []string{"2 1 0 1 false", "4 2 1 1 false", "5 3 1 1 false"})
	equal(t, "refusals", fmt.Sprint(len(p.Refusals), " ", p.Refusals[0].Line, " ", p.Refusals[0].Text), "1 4 nonsense value")
	equal(t, "head", p.Seq, w.DB.Head())
	e := w.get(t, p.Event)
	equal(t, "event", fmt.Sprint(e.Info, " ", e.Published, e.Distribution, e.Attributes),
		"list.txt "+w.DB.Now().UTC().Format("2006-01-02")+" true 0 3")
	equal(t, "claims", w.claims(t, w.ours, e.ID),
		[]string{"Network activity/domain evil.example", "Network activity/ip-dst 192.0.2.1", "Network activity/url http://evil.example/x"})
	equal(t, "record", w.states(w.ours), []string{"1 done event 1: 5 read, 3 written, 1 duplicates, 1 refused"})
	equal(t, "theirs", w.states(w.theirs), []string(nil))
}

func TestImportGoesOn(t *testing.T) {
	w := newWorld(t)
	w.Batch = 10
	var b strings.Builder
	for i := range 45 {
		fmt.Fprintf(&b, "evil%d.example\n", i)
	}
	o := intake.ImportOptions{Name: "list", Event: "The list", Publish: true}
	ctx, cancel := context.WithCancel(t.Context())
	p, err := w.Import(ctx, w.ours, o, list(t, b.String()), func(p intake.Progress) {
		if p.Read == 20 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || p.State != intake.Interrupted {
		t.Fatalf("got %v, %+v", err, p)
	}
	equal(t, "interrupted", w.states(w.ours), []string{"1 interrupted event 1: 20 read, 20 written, 0 duplicates, 0 refused"})
	equal(t, "published", w.get(t, p.Event).Published, false)

	p, err = w.Import(t.Context(), w.ours, o, list(t, b.String()), nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "went on", w.states(w.ours), []string{"1 done event 1: 45 read, 25 written, 20 duplicates, 0 refused"})
	equal(t, "event", fmt.Sprint(w.get(t, p.Event).Published, w.get(t, p.Event).Attributes), "true 45")

	_, err = w.Import(t.Context(), w.ours, o, list(t, "evil0.example\nnew.example\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "once more", w.states(w.ours)[1], "2 done event 1: 2 read, 1 written, 1 duplicates, 0 refused")
	equal(t, "a published event stays published", w.get(t, p.Event).Published, true)

	if _, err := w.Import(t.Context(), w.theirs, o, list(t, "x.example"), nil); err != nil {
		t.Fatal(err)
	}
	equal(t, "theirs is another event", w.states(w.theirs), []string{"3 done event 2: 1 read, 1 written, 0 duplicates, 0 refused"})
}

// What is added to a published event leaves at once, if whoever adds it may
// publish; otherwise the event waits for someone who may.
func TestImportIntoAPublishedEvent(t *testing.T) {
	w := newWorld(t)
	w.Batch = 1
	id := w.event(t, intake.Draft{Text: "evil.example"})
	apply(t, w.DB, w.ours, func(tx *store.Tx) error { _, err := tx.Publish(id, true); return err })
	for _, c := range []struct {
		v         access.Viewer
		published bool
	}{{w.ours, true}, {w.user, false}} {
		p, err := w.Import(t.Context(), c.v, intake.ImportOptions{Event: "an event"}, list(t, c.v.Name()+"-1.example\n"+c.v.Name()+"-2.example\n"), func(p intake.Progress) {
			equal(t, c.v.Name()+", on the way", w.get(t, p.Event).Published, c.published)
		})
		if err != nil || p.Event != id || p.Written != 2 {
			t.Fatalf("%v %+v", err, p)
		}
	}
}

// An import goes on in the event of exactly its text that is the organisation's
// own, and of several in one that an import made.
func TestWhichEventAnImportFills(t *testing.T) {
	w := newWorld(t)
	add := func(v access.Viewer, info string) int64 {
		r, err := w.AddEvent(t.Context(), v, intake.EventDraft{Info: info, Distribution: new(access.Community)})
		if err != nil {
			t.Fatal(err)
		}
		return r.Event.ID
	}
	add(w.theirs, "The list")
	add(w.ours, "The list of lists")
	add(w.ours, "the list")
	run := func() int64 {
		p, err := w.Import(t.Context(), w.ours, intake.ImportOptions{Event: "The list"}, list(t, "evil.example"), nil)
		if err != nil {
			t.Fatal(err)
		}
		return p.Event
	}
	equal(t, "none fits: a new one", run(), 4)
	add(w.ours, "The list")
	equal(t, "again", run(), 4)
	first := add(w.ours, "Another")
	add(w.ours, "Another")
	p, err := w.Import(t.Context(), w.ours, intake.ImportOptions{Event: "Another"}, list(t, "evil.example"), nil)
	equal(t, "the first, where no import made one", fmt.Sprint(p.Event, err), fmt.Sprint(first, nil))
}

func TestInterrupted(t *testing.T) {
	w := newWorld(t)
	apply(t, w.DB, w.ours, func(tx *store.Tx) error {
		for _, state := range []string{intake.Running, intake.Done} {
			if err := store.Put(tx, &tocsin.Import{Event: 1, Org: 1, State: state}); err != nil {
				return err
			}
		}
		return nil
	})
	if err := w.Interrupted(t.Context()); err != nil {
		t.Fatal(err)
	}
	equal(t, "states", w.states(w.ours), []string{"1 interrupted event 1: 0 read, 0 written, 0 duplicates, 0 refused",
		"2 done event 1: 0 read, 0 written, 0 duplicates, 0 refused"})
}

func TestImportForACollection(t *testing.T) {
	w := newWorld(t)
	tag := tocsin.CollectionTag("block")
	has := func(s tocsin.TagSet) bool {
		found, err := store.ByName[*tocsin.Tag](w.DB.As(w.ours), tag)
		if err != nil {
			t.Fatal(err)
		}
		return slices.Contains(slices.Collect(s.All()), tocsin.Attached{Tag: found.ID, Local: true})
	}
	run := func(info, text string) []tocsin.Attribute {
		p, err := w.Import(t.Context(), w.ours, intake.ImportOptions{Event: info, Collection: "Block"}, list(t, text), nil)
		if err != nil {
			t.Fatal(err)
		}
		var as []tocsin.Attribute
		for a := range w.DB.As(w.ours).Attributes(t.Context(), store.Query{Events: []int64{p.Event}}) {
			as = append(as, a)
		}
		return as
	}
	as := run("new", "evil.example")
	equal(t, "new: on the event", fmt.Sprint(has(w.get(t, as[0].Event).Tags), as[0].Tags == ""), "true true")
	as = run("new", "evil2.example")
	equal(t, "again: on the event", fmt.Sprint(len(as), as[1].Tags == ""), "2 true")
	id := w.event(t, intake.Draft{Text: "benign.example"})
	as = run("an event", "evil3.example")
	equal(t, "there already: on what is for it", fmt.Sprint(as[0].Event == id, has(w.get(t, id).Tags), has(as[0].Tags), has(as[1].Tags)), "true false false true")

	_, err := w.Import(t.Context(), w.ours, intake.ImportOptions{Event: "x", Collection: "none"}, list(t, "x.example"), nil)
	wantError(t, err, tocsin.NotFound, `no collection "none"`)
}

func TestImportRefused(t *testing.T) {
	w := newWorld(t)
	id := w.event(t)
	broken := func(yield func(intake.Draft, error) bool) {
		_ = yield(intake.Draft{Line: 1, Text: "evil.example"}, nil) &&
			yield(intake.Draft{Line: 2}, &codec.LineError{Number: 2, Text: "??", Why: "it is odd"}) &&
			yield(intake.Draft{}, tocsin.Errorf(tocsin.Invalid, "the stream breaks off"))
	}
	for _, c := range []struct {
		v      access.Viewer
		o      intake.ImportOptions
		source func(func(intake.Draft, error) bool)
		code   tocsin.Code
		says   string
	}{
		{w.ours, intake.ImportOptions{Name: "x"}, list(t, ""), tocsin.Invalid, "the file is empty"},
		{w.ours, intake.ImportOptions{Name: "x"}, list(t, "# nothing\n"), tocsin.Invalid, "the list holds no values"},
		{w.ours, intake.ImportOptions{Name: "x"}, list(t, "no value\n"), tocsin.Invalid, `line 1 can't be taken: "no value": it is neither`},
		{w.ours, intake.ImportOptions{Name: "x"}, list(t, "no value\nat all\n"), tocsin.Invalid, `none of 2 lines can be taken; the first is line 1: "no value": it is neither`},
		{w.user, intake.ImportOptions{Name: "x", Publish: true}, list(t, "x.example"), tocsin.Forbidden, "your role does not let you publish"},
		{w.reader, intake.ImportOptions{Name: "x"}, list(t, "x.example"), tocsin.Forbidden, "your role does not let you"},
		{w.ours, intake.ImportOptions{Name: "x", Tags: []intake.TagDraft{{}}}, list(t, "x.example"), tocsin.Invalid, "a tag needs a name"},
		{w.ours, intake.ImportOptions{Name: "x", Distribution: new(access.Inherit)}, list(t, "x.example"), tocsin.Invalid, "distribution is 0 to 4"},
		{w.ours, intake.ImportOptions{Event: "an event", Distribution: new(access.Community)}, list(t, "x.example"), tocsin.Conflict, "has distribution 0, not 1"},
	} {
		_, err := w.Import(t.Context(), c.v, c.o, c.source, nil)
		wantError(t, err, c.code, c.says)
	}
	equal(t, "nothing was written", fmt.Sprint(w.get(t, id).Attributes, len(w.states(w.ours))), "0 0")

	p, err := w.Import(t.Context(), w.ours, intake.ImportOptions{Name: "x", Publish: true}, broken, nil)
	wantError(t, err, tocsin.Invalid, "the stream breaks off")
	equal(t, "what came before is kept, unpublished", fmt.Sprint(p.State, p.Written, p.Refused, p.Refusals[0].Line, w.get(t, p.Event).Published), "interrupted1 1 2 false")
}

func TestOneImportAtATime(t *testing.T) {
	w := newWorld(t)
	w.Batch = 1
	o := intake.ImportOptions{Event: "The list"}
	var err error
	if _, err := w.Import(t.Context(), w.ours, o, list(t, "a.example"), func(intake.Progress) {
		_, err = w.Import(t.Context(), w.ours, o, list(t, "b.example"), nil)
	}); err != nil {
		t.Fatal(err)
	}
	wantError(t, err, tocsin.Conflict, `an import into the event "The list" is running`)
}

func TestRefusalsAreCountedAndTheFirstShown(t *testing.T) {
	w := newWorld(t)
	p, err := w.Import(t.Context(), w.ours, intake.ImportOptions{Name: "x"}, list(t, "evil.example\n"+strings.Repeat("no value\n", 5000)), nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "refused", fmt.Sprint(p.Refused, len(p.Refusals), p.Refusals[999].Line), "5000 1000 1001")
}

// The lists are what operators really have.
func TestSharedLists(t *testing.T) {
	if testing.Short() {
		t.Skip("imports 300,000 values")
	}
	for name, refused := range map[string]int64{
		"lists/ipv4-and-cidr-malicious-100k.txt.gz": 0,
		"lists/hashes-malicious-100k.txt.gz":        0,
		"lists/urls-malicious-100k.txt.gz":          0,
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := codec.Reader("text")
			source := f.Read(shared(t, name), codec.Options{})
			w := newWorld(t)
			p, err := w.Import(t.Context(), w.ours, intake.ImportOptions{Name: name}, source, nil)
			if err != nil {
				t.Fatal(err)
			}
			if p.Read != 100_000 || p.Refused != refused || p.Written+p.Duplicates != p.Read-p.Refused {
				t.Errorf("%d read, %d written, %d duplicates, %d refused: %+v", p.Read, p.Written, p.Duplicates, p.Refused, p.Refusals[:min(5, len(p.Refusals))])
			}
		})
	}
}

// Long values are written in smaller batches, so that they take no more memory.
func TestImportOfLongValues(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("x", 60_000)
	source := func(yield func(intake.Draft, error) bool) {
		for i := range 1000 {
			if !yield(intake.Draft{Line: i + 1, Type: "domain", Text: fmt.Sprint("n", i, ".example"), Comment: long}, nil) {
				return
			}
		}
	}
	var first int64
	p, err := w.Import(t.Context(), w.ours, intake.ImportOptions{Name: "x"}, source, func(p intake.Progress) {
		if first == 0 {
			first = p.Read
		}
	})
	if err != nil || p.Written != 1000 {
		t.Fatalf("%+v, %v", p, err)
	}
	if octets := first * int64(len(long)); octets > 10<<20 {
		t.Errorf("%d MiB were read before anything was written", octets>>20)
	}
}
