package vocab

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"tocsin"
)

// Published is reference data as MISP's projects publish it, read and sound.
type Published struct {
	Items   []*Item
	Lists   []PublishedList
	Refused []Refusal
}

// A PublishedList is a guard list, and what was left out of it.
type PublishedList struct {
	From string
	List *List
	Bad  []Bad
}

// A Refusal is a file that was not taken, and why.
type Refusal struct {
	File string
	Err  error
}

// Limits of what is read at once. One file has at most MaxOctets.
const (
	maxFiles  = 20_000
	maxUnread = 1 << 30 // octets of all files
)

// ReadPublished reads all reference data in a folder: MISP's repositories
// misp-taxonomies, misp-galaxy, misp-objects, misp-warninglists, misp-noticelist and
// misp-decaying-models, or any of them, below each other or not, also in archives
// (.tar.gz, .tgz, .zip). What a file is, it says itself: a taxonomy has predicates,
// a warninglist a list. Other files are passed over. A file that is damaged is
// refused by itself and is taken in no part. If sorts are named, only those are read.
func ReadPublished(ctx context.Context, folder fs.FS, sorts ...tocsin.VocabularySort) (*Published, error) {
	files, err := gather(folder)
	if err != nil {
		return nil, err
	}
	return readFiles(ctx, files, sorts)
}

func readFiles(ctx context.Context, files []file, sorts []tocsin.VocabularySort) (*Published, error) {
	found := make([]any, len(files))
	if err := each(ctx, len(files), func(i int) { found[i] = files[i].read(sorts) }); err != nil {
		return nil, err
	}
	return sorted(ctx, files, found)
}

// each does something n times, on all cores.
func each(ctx context.Context, n int, do func(int)) error {
	var work sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		work.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		next <- i
	}
	close(next)
	work.Wait()
	return ctx.Err()
}

// marks are members that tell of which sort a file is.
var marks = map[tocsin.VocabularySort]string{tocsin.Taxonomies: `"predicates"`, tocsin.Galaxies: `"type"`, tocsin.ObjectTemplates: `"meta-category"`,
	tocsin.Relations: `"values"`, tocsin.Noticelists: `"notice"`, tocsin.DecayingModels: `"formula"`, tocsin.Warninglists: `"list"`}

// wanted reports whether a file may be of one of the sorts, before it is read as JSON.
func wanted(text []byte, sorts []tocsin.VocabularySort) bool {
	return len(sorts) == 0 || slices.ContainsFunc(sorts, func(s tocsin.VocabularySort) bool { return bytes.Contains(text, []byte(marks[s])) })
}

// read tells what a file is, and reads it. It returns nil for one that is passed
// over, an error for one that is refused.
func (f *file) read(sorts []tocsin.VocabularySort) any {
	text, err := f.open()
	if err != nil {
		return err
	}
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\ufeff")))
	switch {
	case len(text) == 0:
		return errors.New("it is empty")
	case isMarkup(text):
		return errors.New("it is a web page (HTML or XML), not reference data")
	case !utf8.Valid(text):
		return errors.New("it is no text in UTF-8")
	case text[0] != '{' || !wanted(text, sorts):
		return nil
	}
	var has map[string]json.RawMessage
	if err := json.Unmarshal(text, &has); err != nil {
		return InJSON(err)
	}
	sort, collection := sortOf(func(names ...string) bool {
		return !slices.ContainsFunc(names, func(n string) bool { return has[n] == nil })
	})
	if sort == "" || len(sorts) > 0 && !slices.Contains(sorts, sort) {
		return nil
	}
	return f.readAs(text, sort, collection)
}

// sortOf tells by the members that a file has of which sort it is, "" for none. Of
// galaxies it says whether a file holds the clusters of one.
func sortOf(has func(...string) bool) (s tocsin.VocabularySort, collection bool) {
	switch {
	case has("$schema"):
		return "", false
	case has("namespace", "predicates"):
		return tocsin.Taxonomies, false
	case has("name", "attributes", "meta-category"):
		return tocsin.ObjectTemplates, false
	case has("name", "notice"):
		return tocsin.Noticelists, false
	case has("formula", "parameters"):
		return tocsin.DecayingModels, false
	case has("list", "name"):
		return tocsin.Warninglists, false
	case has("values", "type", "uuid"):
		return tocsin.Galaxies, true
	case has("type", "uuid", "icon"):
		return tocsin.Galaxies, false
	case has("values", "name", "uuid"):
		return tocsin.Relations, false
	}
	return "", false
}

func (f *file) readAs(text []byte, sort tocsin.VocabularySort, collection bool) any {
	switch sort {
	case tocsin.Taxonomies:
		return item[Taxonomy](text)
	case tocsin.ObjectTemplates:
		return item[ObjectTemplate](text)
	case tocsin.Noticelists:
		return item[Noticelist](text)
	case tocsin.DecayingModels:
		return item[DecayingModel](text)
	case tocsin.Relations:
		return item[Relationships](text)
	case tocsin.Warninglists:
		l, bad, err := Read(f.name, bytes.NewReader(text))
		if err != nil {
			return err
		}
		return PublishedList{f.name, l, bad}
	}
	if collection {
		return read(text, new(clusters))
	}
	return read(text, new(Galaxy))
}

// read reads one word.
func read(text []byte, w Kept) any {
	if err := json.Unmarshal(text, w); err != nil {
		return InJSON(err)
	}
	if err := w.settle(); err != nil {
		return err
	}
	return w
}

// item reads one word and packs it.
func item[W any, P interface {
	*W
	Item() (*Item, error)
}](text []byte) any {
	w := P(new(W))
	if err := json.Unmarshal(text, w); err != nil {
		return InJSON(err)
	}
	i, err := w.Item()
	if err != nil {
		return err
	}
	return i
}

// sorted puts together what was found: clusters to their galaxies, and of two that
// are the same thing the newer one.
func sorted(ctx context.Context, files []file, found []any) (*Published, error) {
	p := &Published{}
	byType := p.cluster(files, found)
	err := each(ctx, len(found), func(i int) {
		g, ok := found[i].(*Galaxy)
		if !ok {
			return
		}
		if it, err := galaxyItem(g, byType[g.Type]); err != nil {
			found[i] = err
		} else {
			found[i] = it
		}
	})
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	lists := map[string]bool{}
	for i, f := range found {
		switch f := f.(type) {
		case error:
			p.Refused = append(p.Refused, Refusal{files[i].name, f})
		case *Item:
			f.Record.Source = files[i].name
			p.add(f, at)
		case PublishedList:
			if !lists[f.List.Name] {
				lists[f.List.Name] = true
				p.Lists = append(p.Lists, f)
			}
		}
	}
	if err := p.enough(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(p.Items, func(a, b *Item) int { return cmp.Compare(sortAt(a), sortAt(b)) })
	return p, nil
}

// add adds an item, unless there is the same thing that is as new.
func (p *Published) add(i *Item, at map[string]int) {
	name := i.Record.RecordName()
	if n, twice := at[name]; !twice {
		at[name] = len(p.Items)
		p.Items = append(p.Items, i)
	} else if i.Record.Version > p.Items[n].Record.Version {
		p.Items[n] = i
	}
}

// cluster returns the clusters of each galaxy, and refuses those of none.
func (p *Published) cluster(files []file, found []any) map[string]*clusters {
	galaxies := map[string]bool{}
	for _, f := range found {
		if g, ok := f.(*Galaxy); ok {
			galaxies[g.Type] = true
		}
	}
	byType := map[string]*clusters{}
	for i, f := range found {
		cs, ok := f.(*clusters)
		if !ok {
			continue
		}
		found[i] = nil
		switch other := byType[cs.Type]; {
		case !galaxies[cs.Type]:
			found[i] = fmt.Errorf("there is no galaxy %s to which its clusters belong", clip(cs.Type))
		case other == nil || other.UUID == cs.UUID && other.Version < cs.Version:
			byType[cs.Type] = cs
		case other.UUID != cs.UUID:
			found[i] = fmt.Errorf("there are other clusters of the galaxy %s", cs.Type)
		}
	}
	return byType
}

// enough refuses a place where there is nothing to take.
func (p *Published) enough() error {
	switch {
	case len(p.Items) > 0 || len(p.Lists) > 0:
		return nil
	case len(p.Refused) > 0:
		return tocsin.Errorf(tocsin.Invalid, "%s can't be taken: %w", p.Refused[0].File, p.Refused[0].Err)
	}
	return tocsin.Errorf(tocsin.Invalid, "there is no reference data in it: no taxonomy, galaxy, object template, warninglist, noticelist or decaying model")
}

func sortAt(i *Item) int { return slices.Index(tocsin.VocabularySorts, i.Record.Sort) }

// isData tells by its name whether a file may be one of the published.
func isData(name string) bool {
	return path.Ext(name) == ".json" && !strings.HasPrefix(path.Base(name), ".")
}
