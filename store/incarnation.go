package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"tocsin"
)

// A store that is put back from a backup begins another life, an incarnation,
// in which the same line numbers may come to stand for other changes. Two things
// follow. Projections of an earlier life are of no use, however well their place
// fits: [DB.Claim]. And whoever was served from an earlier life remembers
// numbers that this one has yet to reach: [Reincarnate].

const incarnationSetting = "incarnation"

// Incarnation names the life that the store is in.
func (db *DB) Incarnation() string { return hex.EncodeToString(db.incarnation) }

// ServedBeyond is how many lines a store may have written, and zones may have
// been served from, after the backup that it is put back from. The number is far
// above what days of writing bring, and far below the 2³¹ within which serials
// can be compared (RFC 1982, 3.2).
const ServedBeyond = 1 << 28

// Reincarnate begins another life of the store that e keeps, which was just put
// back from a backup. It appends a line of [tocsin.KindExchange] whose number is
// above all that were ever served, so that log and serials only go forward, and
// returns it.
func Reincarnate(ctx context.Context, e Engine, now time.Time) (line tocsin.Seq, err error) {
	err = e.Write(ctx, func(w Writer) error {
		turn, err := w.Turn(ctx)
		if err != nil {
			return err
		}
		line = turn.Head + ServedBeyond
		if err := w.AppendLines(ctx, []LogLine{{Seq: line, At: now, Kind: tocsin.KindExchange}}); err != nil {
			return err
		}
		return w.PutSetting(ctx, incarnationSetting, newIncarnation())
	})
	if err != nil {
		return 0, fmt.Errorf("begin another life of the store: %w", err)
	}
	return line, nil
}

// drawIncarnation names the life of a new store, unless another node has done so.
func (db *DB) drawIncarnation(ctx context.Context) error {
	return db.engine.Write(ctx, func(w Writer) (err error) {
		if db.incarnation, err = w.Setting(ctx, incarnationSetting); db.incarnation != nil || err != nil {
			return err
		}
		db.incarnation, db.unnamed = newIncarnation(), true
		return w.PutSetting(ctx, incarnationSetting, db.incarnation)
	})
}

func newIncarnation() []byte {
	b := make([]byte, 16)
	rand.Read(b)
	return b
}

// stampFile says, in the folder of a projection, of which life it is.
const stampFile = "incarnation"

// Claim makes dir a folder for a projection of this store. What another life
// left there is removed; the projection is then built from the log.
func (db *DB) Claim(dir string) error {
	stamp := filepath.Join(dir, stampFile)
	is := []byte(db.Incarnation() + "\n")
	was, err := os.ReadFile(stamp)
	switch {
	case err == nil && bytes.Equal(was, is):
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("whose projection is in %s: %w", dir, err)
	}
	// A projection without a stamp is from before there were any, and so is a store
	// that had no incarnation until now: they belong together.
	if err == nil || !db.unnamed {
		if _, err := os.Stat(dir); err == nil {
			db.log.Warn("a projection of another life of the store is removed, and built anew from the log", "folder", dir)
		}
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("remove what another life of the store left: %w", err)
		}
	}
	return writeStamp(stamp, is)
}

// writeStamp is durable before the projection writes anything.
func writeStamp(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}
