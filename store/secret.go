package store

import (
	"context"
	"encoding/json"
	"fmt"

	"tocsin"
)

// Secrets are sealed wherever a store keeps them: in the record and in each image of
// it in the log. In memory a record has them in clear.

// A Compacter is an engine that can rewrite what it keeps, so that nothing that was
// replaced is left on its disk.
type Compacter interface{ Compact(context.Context) error }

// about is what a secret is sealed for.
func about(r tocsin.Record, name string) string {
	return fmt.Sprintf("tocsin record %d/%d %s", r.Kind(), r.RecordID(), name)
}

// image returns a small record as it is kept.
func (db *DB) image(r tocsin.Record) ([]byte, error) {
	b, err := json.Marshal(r)
	c, ok := r.(tocsin.Confidant)
	if err != nil || !ok || len(c.Secrets()) == 0 {
		return b, err
	}
	kept := tocsin.NewRecord(r.Kind()).(tocsin.Confidant)
	if err := json.Unmarshal(b, kept); err != nil {
		return nil, err
	}
	into := kept.Secrets()
	for name, s := range c.Secrets() {
		if len(s.Clear()) == 0 {
			continue // none, or one that nobody here could open: it stays as it is
		}
		if db.seal == nil {
			return nil, fmt.Errorf("keep the secret of %s %d: there is no key to seal it with", r.Kind(), r.RecordID())
		}
		sealed, err := db.seal.Seal(s.Clear(), about(r, name))
		if err != nil {
			return nil, err
		}
		*into[name] = tocsin.SealedSecret(sealed, nil)
	}
	return json.Marshal(kept)
}

// record reads what was kept. plain says that a secret in it was not sealed.
func (db *DB) record(k tocsin.Kind, b []byte) (r tocsin.Record, plain bool, err error) {
	if r = tocsin.NewRecord(k); r == nil {
		return nil, false, nil
	}
	if err := json.Unmarshal(b, r); err != nil {
		return nil, false, err
	}
	c, ok := r.(tocsin.Confidant)
	if !ok {
		return r, false, nil
	}
	for name, s := range c.Secrets() {
		switch {
		case s.IsZero():
		case s.Sealed() == "":
			plain = true
		case db.seal != nil:
			clear, err := db.seal.Open(s.Sealed(), about(r, name))
			if err != nil {
				return nil, false, fmt.Errorf("open the secret %q of %s %d: %w", name, k, r.RecordID(), err)
			}
			*s = tocsin.SealedSecret(s.Sealed(), clear)
		}
	}
	return r, plain, nil
}

// sealCheck is a setting that opens with the right key.
const sealCheck = "seal-check"

// unlock makes sure that the key file is the one that this store's secrets were sealed
// with. A store that has sealed nothing yet takes the key file that is there, or makes
// one.
func (db *DB) unlock(ctx context.Context) (fresh bool, err error) {
	if db.seal == nil {
		return false, nil
	}
	var check []byte
	err = db.engine.Read(ctx, func(r Reader) (err error) {
		check, err = r.Setting(ctx, sealCheck)
		return err
	})
	if err != nil {
		return false, err
	}
	if check != nil {
		_, err := db.seal.Open(string(check), sealCheck)
		return false, err
	}
	if len(db.seal.IDs()) == 0 {
		if err := db.seal.Create(); err != nil {
			return false, err
		}
		db.log.Info("made a key file; keep a copy of it apart from the exchange's data: without it TSIG and other secrets can't be read", "file", db.seal.Path())
	}
	return true, nil
}

// Reseal seals every secret anew with the newest key, in records and in the log, and
// has the engine leave nothing of what was there. It is for when a key was changed,
// and for stores of the first version, which did not seal. It wants the store to
// itself.
func (db *DB) Reseal(ctx context.Context) error {
	plain := false
	again := func(k tocsin.Kind, b []byte) ([]byte, error) {
		r, was, err := db.record(k, b)
		if err != nil {
			return nil, err
		}
		plain = plain || was
		return db.image(r)
	}
	err := db.engine.Write(ctx, func(w Writer) error {
		// Another node may have been a moment earlier, with another key.
		was, err := w.Setting(ctx, sealCheck)
		if err == nil && was != nil {
			_, err = db.seal.Open(string(was), sealCheck)
		}
		if err != nil {
			return err
		}
		check, err := db.seal.Seal([]byte(sealCheck), sealCheck)
		if err == nil {
			err = w.PutSetting(ctx, sealCheck, []byte(check))
		}
		if err != nil {
			return err
		}
		var docs []Doc
		for d, err := range w.Docs(ctx) {
			if err != nil {
				return err
			}
			if _, ok := tocsin.NewRecord(d.Kind).(tocsin.Confidant); ok {
				docs = append(docs, d)
			}
		}
		for _, d := range docs {
			b, err := again(d.Kind, d.JSON)
			if err != nil {
				return err
			}
			r, _, err := db.record(d.Kind, b)
			if err != nil {
				return err
			}
			if err := w.PutDoc(ctx, Doc{d.Kind, d.ID, uuid(r), name(r), b}); err != nil {
				return err
			}
		}
		for _, k := range tocsin.Confidants() {
			if err := w.RewriteLines(ctx, k, func(b []byte) ([]byte, error) { return again(k, b) }); err != nil {
				return err
			}
		}
		return nil
	})
	if c, ok := db.engine.(Compacter); ok && err == nil && plain {
		err = c.Compact(ctx)
	}
	return err
}
