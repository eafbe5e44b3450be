package storetest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"tocsin"
	"tocsin/seal"
	"tocsin/store"
)

var secretTests = map[string]func(*testing.T, *world){
	"SecretsAreSealed":      secretsAreSealed,
	"OldSecretsAreSealed":   oldSecretsAreSealed,
	"TheKeyFileIsTheRight":  theKeyFileIsTheRight,
	"SealedAnewWithANewKey": sealedAnewWithANewKey,
	"LaterKindsAreNobodys":  laterKindsAreNobodys,
}

const aSecret = "an octet string that nobody may read"

// resolver adds a subscriber with a TSIG key of organisation 1.
func (w *world) resolver(t *testing.T, secret string) int64 {
	t.Helper()
	var id int64
	w.write(t, w.admin, func(tx *store.Tx) error {
		c := &tocsin.Collection{Name: "block " + secret[:4], Org: 1}
		if err := store.Put(tx, c); err != nil {
			return err
		}
		s := &tocsin.Subscriber{Name: "resolver " + secret[:4], Collection: c.ID, Org: 1,
			TSIG: &tocsin.TSIG{Name: "key " + secret[:4], Algorithm: "hmac-sha256", Secret: tocsin.NewSecret([]byte(secret))}}
		err := store.Put(tx, s)
		id = s.ID
		return err
	})
	return id
}

func (w *world) secret(t *testing.T, id int64) string {
	t.Helper()
	s, err := store.One[*tocsin.Subscriber](w.As(w.admin), id)
	if err != nil {
		t.Fatal(err)
	}
	return string(s.TSIG.Secret.Clear())
}

// kept is all JSON that the engine keeps.
func (w *world) kept(t *testing.T) []byte {
	t.Helper()
	var all []byte
	err := w.engine.Read(t.Context(), func(r store.Reader) error {
		for d, err := range r.Docs(t.Context()) {
			if err != nil {
				return err
			}
			all = append(all, d.JSON...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range w.lines(t) {
		all = append(append(all, l.Before...), l.After...)
	}
	return all
}

func holds(b []byte, secret string) bool {
	return bytes.Contains(b, []byte(secret)) || bytes.Contains(b, []byte(base64.StdEncoding.EncodeToString([]byte(secret))))
}

func secretsAreSealed(t *testing.T, w *world) {
	id := w.resolver(t, aSecret)
	w.write(t, w.admin, func(tx *store.Tx) error {
		s, err := store.Get[*tocsin.Subscriber](tx, id)
		if err != nil {
			return err
		}
		again := *s
		again.Name = "renamed"
		return store.Put(tx, &again)
	})
	if got := w.secret(t, id); got != aSecret {
		t.Errorf("read back: %q", got)
	}
	s, _ := store.One[*tocsin.Subscriber](w.As(w.admin), id)
	inJSON, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, printed := range []string{fmt.Sprint(s.TSIG.Secret), fmt.Sprintf("%v %+v %#v %s %x %q %d", *s.TSIG, *s.TSIG, *s.TSIG, s.TSIG.Secret, s.TSIG.Secret, s.TSIG.Secret, s.TSIG.Secret), string(inJSON)} {
		if holds([]byte(printed), aSecret) || strings.Contains(printed, fmt.Sprintf("%x", aSecret)) || strings.Contains(printed, "97 110 32 111") {
			t.Errorf("it prints itself: %s", printed)
		}
	}
	w.write(t, w.admin, func(tx *store.Tx) error { return store.Remove[*tocsin.Subscriber](tx, id) })
	if b := w.kept(t); holds(b, aSecret) || !bytes.Contains(b, []byte(tocsin.SealedPrefix)) {
		t.Errorf("kept: %s", b)
	}
}

// What the first version kept in clear is sealed when the store is opened, in the
// log as well.
func oldSecretsAreSealed(t *testing.T, w *world) {
	w.DB.Close()
	w.dir = t.TempDir()
	w.engine = w.open(t, w.dir)
	old := func(name string) []byte {
		return fmt.Appendf(nil, `{"id":1,"name":%q,"collection":1,"org":1,"allow":["192.0.2.53/32"],"tsig":{"name":"k","algorithm":"hmac-sha256","secret":%q},"created":"2026-11-23T12:00:00Z"}`,
			name, base64.StdEncoding.EncodeToString([]byte(aSecret)))
	}
	err := w.engine.Write(t.Context(), func(w store.Writer) error {
		if err := w.PutDoc(t.Context(), store.Doc{Kind: tocsin.KindSubscriber, ID: 1, Name: "old", JSON: old("old")}); err != nil {
			return err
		}
		return w.AppendLines(t.Context(), []store.LogLine{
			{Seq: 1, Kind: tocsin.KindSubscriber, ID: 1, After: old("older")},
			{Seq: 2, Kind: tocsin.KindSubscriber, ID: 1, Before: old("older"), After: old("old")},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.engine.Close(); err != nil {
		t.Fatal(err)
	}
	w.start(t)
	if got := w.secret(t, 1); got != aSecret {
		t.Errorf("read back: %q", got)
	}
	if b := w.kept(t); holds(b, aSecret) || bytes.Count(b, []byte(tocsin.SealedPrefix)) != 4 {
		t.Errorf("kept: %s", b)
	}
	cs := w.changes(t, 1)
	if b, a := tocsin.Records[*tocsin.Subscriber](&cs[0], w.admin); string(b.TSIG.Secret.Clear()) != aSecret || a.Name != "old" || len(a.Allow) != 1 {
		t.Errorf("in the log: %+v, %+v", b, a)
	}
}

func theKeyFileIsTheRight(t *testing.T, w *world) {
	id := w.resolver(t, aSecret)
	w.DB.Close()
	reopen := func() error {
		keys, err := seal.Open(w.keyFile())
		if err != nil {
			return err
		}
		e := w.open(t, w.dir)
		db, err := store.New(t.Context(), e, store.Options{Seal: keys})
		if err != nil {
			e.Close()
			return err
		}
		return db.Close()
	}
	right, err := os.ReadFile(w.keyFile())
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(w.keyFile())
	if err := reopen(); tocsin.CodeOf(err) != tocsin.Conflict || !strings.Contains(err.Error(), "there is no key file "+w.keyFile()) {
		t.Errorf("without the key file: %v", err)
	}
	if _, err := os.Stat(w.keyFile()); err == nil {
		t.Error("another key file was made")
	}
	os.WriteFile(w.keyFile(), bytes.Repeat([]byte{7}, seal.KeySize), 0o600)
	if err := reopen(); tocsin.CodeOf(err) != tocsin.Conflict || !strings.Contains(err.Error(), "put the right file back") {
		t.Errorf("with another key file: %v", err)
	}
	os.WriteFile(w.keyFile(), right, 0o600)
	w.start(t)
	if got := w.secret(t, id); got != aSecret {
		t.Errorf("with the right one again: %q", got)
	}
}

func sealedAnewWithANewKey(t *testing.T, w *world) {
	id := w.resolver(t, aSecret)
	w.DB.Close()
	keys, err := seal.Open(w.keyFile())
	if err != nil {
		t.Fatal(err)
	}
	old := keys.IDs()[0]
	if err := keys.Rotate(); err != nil {
		t.Fatal(err)
	}
	w.start(t)
	if err := w.Reseal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b := w.kept(t); bytes.Contains(b, []byte(old)) {
		t.Errorf("still sealed with %s: %s", old, b)
	}
	w.DB.Close()
	if err := keys.Forget(); err != nil {
		t.Fatal(err)
	}
	w.start(t)
	if got := w.secret(t, id); got != aSecret {
		t.Errorf("read back: %q", got)
	}
}

// A line of a kind that a later version wrote holds no follower up.
func laterKindsAreNobodys(t *testing.T, w *world) {
	head := w.Head()
	w.DB.Close()
	e := w.open(t, w.dir)
	err := e.Write(t.Context(), func(w store.Writer) error {
		return w.AppendLines(t.Context(), []store.LogLine{{Seq: head + 1, Kind: 250, ID: 1, Before: []byte(`{"x":1}`), After: []byte(`[]`)}})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	w.start(t)
	w.event(t, tocsin.Event{}, "a.example")
	if cs := w.changes(t, head); len(cs) != 3 || cs[0].Kind != 250 || cs[0].Kind.String() != "record" {
		t.Errorf("told of %d lines", len(cs))
	}
}
