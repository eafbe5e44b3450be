package match

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// filled returns the directory of a closed index with several segments.
func filled(t *testing.T, w *world) string {
	x := w.open(t.TempDir(), 1<<20)
	x.stopMerger()
	for i := range 3 {
		at := tocsin.Seq(len(w.log))
		for range 30 >> i {
			w.step()
		}
		w.follow(x, w.after(at))
		must(t, x.Flush(context.Background()))
	}
	if st := x.Stats(); st.Segments != 3 || st.Events == 0 {
		t.Fatalf("%+v", st)
	}
	return x.dir
}

// Whatever is done to whatever file, the index starts anew and says so by its
// place, or is none the worse. It never answers wrongly.
func TestDamagedFiles(t *testing.T) {
	w := newWorld(t, 3)
	good := filled(t, w)
	files, err := os.ReadDir(good)
	must(t, err)
	damages := map[string]func(path string, b []byte) error{
		"removed":   func(path string, _ []byte) error { return os.Remove(path) },
		"emptied":   func(path string, _ []byte) error { return os.Truncate(path, 0) },
		"cut":       func(path string, b []byte) error { return os.Truncate(path, int64(len(b)*2/3)) },
		"cut a bit": func(path string, b []byte) error { return os.Truncate(path, int64(len(b)-1)) },
		"longer":    func(path string, b []byte) error { return os.WriteFile(path, append(b, 0), 0o600) },
		"zeroed":    func(path string, b []byte) error { return os.WriteFile(path, make([]byte, len(b)), 0o600) },
	}
	for _, at := range []int{0, 8, 24, 60, 70, -1} {
		damages["bit flipped at "+string(rune('A'+at+1))] = func(path string, b []byte) error {
			b[(at+len(b))%len(b)] ^= 0x10
			return os.WriteFile(path, b, 0o600)
		}
	}
	for _, f := range files {
		for name, damage := range damages {
			t.Run(f.Name()+" "+name, func(t *testing.T) {
				dir := copyDir(t, good, false)
				path := filepath.Join(dir, f.Name())
				b, err := os.ReadFile(path)
				must(t, err)
				must(t, damage(path, b))
				x := w.open(dir, 1<<20)
				defer x.Close()
				if x.Place() != 0 {
					t.Errorf("place is %d", x.Place())
				}
				if st := x.Stats(); st.Entries != 0 || st.Events != 0 {
					t.Errorf("%+v", st)
				}
				if left, _ := os.ReadDir(dir); len(left) != 0 {
					t.Errorf("left behind: %v", left)
				}
				w.follow(x, w.after(x.Place()))
				w.check(x)
			})
		}
	}
}

func TestAnotherHasherStartsAnew(t *testing.T) {
	w := newWorld(t, 4)
	x, err := Open(filled(t, w), indicator.NewHasher([16]byte{2}), w.labels, quiet)
	must(t, err)
	defer x.Close()
	if x.Place() != 0 {
		t.Errorf("place is %d", x.Place())
	}
	w.follow(x, w.after(0))
	w.check(x)
}

// A label's number says nothing in another store, or in an older one.
func TestUnknownLabelsStartAnew(t *testing.T) {
	w := newWorld(t, 4)
	x, err := Open(filled(t, w), indicator.NewHasher([16]byte{1}), access.NewLabels(nil), quiet)
	must(t, err)
	defer x.Close()
	if x.Place() != 0 {
		t.Errorf("place is %d", x.Place())
	}
}

// A directory that can't be read is not a damaged index: it must not be thrown
// away.
func TestUnreadableIsAnError(t *testing.T) {
	w := newWorld(t, 5)
	dir := filled(t, w)
	path := filepath.Join(dir, manifestName)
	must(t, os.Remove(path))
	must(t, os.Mkdir(path, 0o700)) // reads as neither missing nor damaged
	if _, err := Open(dir, indicator.NewHasher([16]byte{1}), w.labels, quiet); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error is %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*"+segmentSuffix)); len(left) != 3 {
		t.Errorf("left: %v", left)
	}
}

// A write that fails loses nothing: the store hands over the same lines again.
func TestFollowAfterAFailedWrite(t *testing.T) {
	w := newWorld(t, 6)
	dir := filepath.Join(t.TempDir(), "index")
	x := w.open(dir, 100)
	defer x.Close()
	for range 30 {
		w.step()
	}
	must(t, os.Rename(dir, dir+".away"))
	var failed error
	for place := tocsin.Seq(0); failed == nil; {
		for range 10 {
			w.step()
		}
		failed = x.Follow(context.Background(), w.after(place))
	}
	held := x.Stats().Delta
	for range 5 {
		if err := x.Follow(context.Background(), w.after(0)); err == nil {
			t.Error("it follows without a directory")
		}
	}
	if now := x.Stats().Delta; now > held+1000 {
		t.Errorf("refused lines pile up: %d, then %d", held, now)
	}
	must(t, os.Rename(dir+".away", dir))
	w.follow(x, w.after(x.Place()))
	w.check(x)
}

func FuzzFiles(f *testing.F) {
	w := newWorld(f, 7)
	seg, err := newSegmentWriter(f.TempDir(), 10)
	must(f, err)
	for i := range uint64(10) {
		seg.add(entry{key: i << 60, who: i << attributeShift, where: i})
	}
	s, err := seg.finish("seed")
	must(f, err)
	e := w.addEvent()
	events := newEventWriter(nil)
	must(f, events.put(e.ID, e))
	f.Add(s.data)
	f.Add(events.table().encode())
	body := "{\"place\":1}"
	f.Add([]byte(manifestHead(body) + "\n" + body))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := parseSegment("fuzz", b); err == nil {
			for key := range uint64(16) {
				s.find(key << 60)
			}
		}
		decodeEvents(b)
		parseManifest(b)
	})
}
