package codec

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"

	"tocsin"
	"tocsin/misp"
)

func init() {
	register(Format{Name: "misp-feed", Media: "application/x-tar", Extensions: []string{".tar", ".tgz"},
		Describe: "a MISP feed: a folder of events with its manifest.json, or a tar of it, of which the claims are taken",
		Looks:    func(h head) bool { return len(h.text) > 262 && string(h.text[257:262]) == "ustar" }, Read: readFeed})
}

// maxManifest is the longest manifest that is read; MISP's own feed of ten years
// is a megabyte.
const maxManifest = 64 << 20

// maxFiles is how many events a feed may have: what was seen of each is in memory
// until the end, and an archive packs millions of empty files into very little.
const maxFiles = 200_000

// maxMember is how long a member's name may be to be kept: they are uuids.
const maxMember = 64

// readFeed reads a tar of a feed's folder. Every event in it is read as [readMISP]
// does; what is wrong with one file costs that file. hashes.csv is for looking
// up values without the events, and some feeds put other things there, so it is
// left alone.
func readFeed(r io.Reader, _ Options) iter.Seq2[Draft, error] {
	return func(yield func(Draft, error) bool) {
		f := feedReader{mispReader: mispReader{yield: yield}, seen: map[string]bool{}}
		if err := f.read(tar.NewReader(r)); err != nil && !errors.Is(err, errStopped) {
			yield(Draft{Line: f.n + 1}, err)
		}
	}
}

type feedReader struct {
	mispReader
	manifest map[string]struct{}
	listed   bool
	files    int
	seen     map[string]bool // files by what they are called, events by uuid
}

func (f *feedReader) read(t *tar.Reader) error {
	for {
		h, err := t.Next()
		if err == io.EOF {
			return f.missing()
		}
		if err != nil {
			return tarError(err)
		}
		name := path.Base(path.Clean(h.Name))
		switch {
		case h.Typeflag != tar.TypeReg || path.Ext(name) != ".json" || strings.HasPrefix(name, "._"):
		case name == "manifest.json":
			err = f.list(io.LimitReader(t, maxManifest))
		default:
			err = f.file(name, t)
		}
		if err != nil {
			return err
		}
	}
}

func tarError(err error) error {
	if e, ok := errors.AsType[*tocsin.Error](err); ok {
		return e
	}
	return tocsin.Errorf(tocsin.Invalid, "the archive breaks off or is damaged; fetch it again: %w", err)
}

// list reads the manifest.
func (f *feedReader) list(r io.Reader) error {
	f.listed, f.manifest = true, map[string]struct{}{} // the last one holds
	d := json.NewDecoder(r)
	t, err := d.Token()
	if err == nil && t != json.Delim('{') {
		err = errors.New("no object")
	}
	for err == nil && d.More() {
		var skip json.RawMessage
		if t, err = d.Token(); err != nil {
			break
		}
		if u, ok := t.(string); ok && len(u) <= maxMember {
			f.manifest[u] = struct{}{}
		}
		if len(f.manifest) > maxFiles {
			return errTooMany
		}
		err = d.Decode(&skip)
	}
	if err == nil {
		_, err = d.Token()
	}
	if err != nil {
		return f.lost("manifest.json", "it is no object with an event's uuid for each member")
	}
	return nil
}

var errTooMany = tocsin.Errorf(tocsin.Invalid, "a feed of more than %d events is too much for one import; bring it in parts", maxFiles)

// file reads an event's file.
func (f *feedReader) file(name string, t io.Reader) error {
	if f.files++; f.files > maxFiles {
		return errTooMany
	}
	f.within = name
	if u := strings.ToLower(strings.TrimSuffix(name, ".json")); len(u) <= maxMember {
		f.seen[u] = true
	}
	defer func() { f.within = "" }()
	err := misp.DecodeEvents(t, func(e *misp.Event) error {
		if u, ok := e.UUID.Get(); ok {
			f.seen[u.String()] = true
		}
		return f.event(e)
	})
	switch {
	case err == nil || errors.Is(err, errStopped):
		return err
	case tocsin.CodeOf(err) == tocsin.Internal:
		return tarError(err)
	}
	return f.lost(name, err.Error())
}

// lost says that a file is lost.
func (f *feedReader) lost(name, why string) error {
	f.n++
	if !f.yield(Draft{Line: f.n}, &LineError{f.n, beginning([]byte(name)), why}) {
		return errStopped
	}
	return nil
}

// missing says which events are not there although the manifest names them.
func (f *feedReader) missing() error {
	if f.files == 0 && f.n == 0 && !f.listed {
		return tocsin.Errorf(tocsin.Invalid, "there is no manifest.json and no event in it; is it a MISP feed?")
	}
	for _, u := range slices.Sorted(maps.Keys(f.manifest)) {
		if !f.seen[strings.ToLower(u)] {
			if err := f.lost(u, "the manifest names this event, and there is no file of it"); err != nil {
				return err
			}
		}
	}
	return nil
}

// PackFeed writes the tar of a feed's folder that "misp-feed" reads, the manifest
// first. A folder without one is no feed.
func PackFeed(w io.Writer, folder fs.FS) error {
	names, err := fs.Glob(folder, "*.json")
	if err != nil {
		return err
	}
	const manifest = "manifest.json"
	i := slices.Index(names, manifest)
	if i < 0 {
		return tocsin.Errorf(tocsin.Invalid, "there is no manifest.json in the folder; is it a MISP feed?")
	}
	names = slices.Insert(slices.Delete(names, i, i+1), 0, manifest)
	t := tar.NewWriter(w)
	for _, name := range names {
		if err := pack(t, folder, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return t.Close()
}

func pack(t *tar.Writer, folder fs.FS, name string) error {
	f, err := folder.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: info.Size(), Mode: 0o644}); err != nil {
		return err
	}
	_, err = io.Copy(t, f)
	return err
}
