package store

import (
	"context"
	"iter"
	"strings"
	"sync"

	"tocsin"
	"tocsin/vocab"
)

// A Library is the reference data as one viewer has it. Everyone on the exchange has
// all of it; whoever is not sees nothing. What it returns is shared with others and
// must not be changed.
type Library struct {
	w    View
	body func(ctx context.Context, setting string) ([]byte, error)
}

// Library returns the reference data.
func (w View) Library() Library {
	return Library{w, func(ctx context.Context, setting string) (b []byte, err error) {
		err = w.db.engine.Read(ctx, func(r Reader) (err error) {
			b, err = r.Setting(ctx, setting)
			return err
		})
		return b, err
	}}
}

// All iterates over the vocabularies of a sort in order of their number.
func (l Library) All(s tocsin.VocabularySort) iter.Seq[*tocsin.Vocabulary] {
	return func(yield func(*tocsin.Vocabulary) bool) {
		for _, v := range l.index().sorts[s] {
			if l.has(v) && !yield(v) {
				return
			}
		}
	}
}

// Numbered returns the vocabulary of a sort with that number.
func (l Library) Numbered(s tocsin.VocabularySort, number int64) (*tocsin.Vocabulary, error) {
	if v := l.index().numbers[numbered{s, number}]; l.has(v) {
		return v, nil
	}
	return nil, tocsin.Errorf(tocsin.NotFound, "no %s %d", s, number)
}

// Named returns the vocabulary of a sort with that name, without regard to case: a
// taxonomy by its namespace, a galaxy by its type.
func (l Library) Named(s tocsin.VocabularySort, name string) (*tocsin.Vocabulary, error) {
	if v := l.index().names[string(s)+"/"+strings.ToLower(name)]; l.has(v) {
		return v, nil
	}
	return nil, tocsin.Errorf(tocsin.NotFound, "no %s %q", s, name)
}

// ByUUID returns the vocabulary of a sort with that uuid.
func (l Library) ByUUID(s tocsin.VocabularySort, u tocsin.UUID) (*tocsin.Vocabulary, error) {
	if v := l.index().names[string(s)+"/"+u.String()]; l.has(v) {
		return v, nil
	}
	return nil, tocsin.Errorf(tocsin.NotFound, "no %s %s", s, u)
}

// has reports whether the viewer has v, which may be nil.
func (l Library) has(v *tocsin.Vocabulary) bool {
	return v != nil && l.w.db.mayReadDoc(l.w.v, v, l.w.db.dir)
}

// Taxonomy returns what is in a taxonomy.
func (l Library) Taxonomy(ctx context.Context, v *tocsin.Vocabulary) (*vocab.Taxonomy, error) {
	return open(ctx, l, v, word[vocab.Taxonomy])
}

// Template returns what is in an object template.
func (l Library) Template(ctx context.Context, v *tocsin.Vocabulary) (*vocab.ObjectTemplate, error) {
	return open(ctx, l, v, word[vocab.ObjectTemplate])
}

// Noticelist returns what is in a noticelist.
func (l Library) Noticelist(ctx context.Context, v *tocsin.Vocabulary) (*vocab.Noticelist, error) {
	return open(ctx, l, v, word[vocab.Noticelist])
}

// DecayingModel returns what is in a decaying model.
func (l Library) DecayingModel(ctx context.Context, v *tocsin.Vocabulary) (*vocab.DecayingModel, error) {
	return open(ctx, l, v, word[vocab.DecayingModel])
}

// Relationships returns the words for how objects relate to others.
func (l Library) Relationships(ctx context.Context, v *tocsin.Vocabulary) (*vocab.Relationships, error) {
	return open(ctx, l, v, word[vocab.Relationships])
}

// Galaxy returns a galaxy, of whose clusters those are unpacked that are asked for.
func (l Library) Galaxy(ctx context.Context, v *tocsin.Vocabulary) (*vocab.Galaxy, error) {
	return open(ctx, l, v, func(b []byte) (*vocab.Galaxy, error) { return vocab.OpenGalaxy(b, v.Number) })
}

// TaxonomyTag returns what a taxonomy says of a tag, whether it is enabled or not.
func (l Library) TaxonomyTag(ctx context.Context, tag string) (*tocsin.Vocabulary, vocab.TaxonomyTag, error) {
	v, err := l.Named(tocsin.Taxonomies, vocab.Namespace(tag))
	if err != nil {
		return nil, vocab.TaxonomyTag{}, err
	}
	t, err := l.Taxonomy(ctx, v)
	if err != nil {
		return nil, vocab.TaxonomyTag{}, err
	}
	if is, ok := t.Tag(tag); ok {
		return v, is, nil
	}
	return nil, vocab.TaxonomyTag{}, tocsin.Errorf(tocsin.NotFound, "the taxonomy %s has no tag %q", v.Name, tag)
}

// ClusterTagged returns the published cluster that a tag stands for, as in
// misp-galaxy:threat-actor="APT28", with its galaxy.
func (l Library) ClusterTagged(ctx context.Context, tag string) (*tocsin.Vocabulary, *vocab.Cluster, error) {
	galaxy, value, ok := vocab.ParseClusterTag(tag)
	if !ok {
		return nil, nil, tocsin.Errorf(tocsin.NotFound, "%q is no tag of a cluster", tag)
	}
	v, err := l.Named(tocsin.Galaxies, galaxy)
	if err != nil {
		return nil, nil, err
	}
	return l.cluster(ctx, v, func(g *vocab.Galaxy) int { return g.Named(value) })
}

// Cluster returns the published cluster with that id, with its galaxy.
func (l Library) Cluster(ctx context.Context, id int64) (*tocsin.Vocabulary, *vocab.Cluster, error) {
	v, err := l.Numbered(tocsin.Galaxies, vocab.GalaxyOf(id))
	if err != nil {
		return nil, nil, err
	}
	return l.cluster(ctx, v, func(g *vocab.Galaxy) int { return g.ByID(id) })
}

// ClusterByUUID returns the published cluster with that uuid, with its galaxy. Some
// clusters are in several galaxies; this is the first.
func (l Library) ClusterByUUID(ctx context.Context, u tocsin.UUID) (*tocsin.Vocabulary, *vocab.Cluster, error) {
	for v := range l.All(tocsin.Galaxies) {
		switch v, c, err := l.cluster(ctx, v, func(g *vocab.Galaxy) int { return g.ByUUID(u) }); {
		case err == nil:
			return v, c, nil
		case tocsin.CodeOf(err) != tocsin.NotFound:
			return nil, nil, err
		}
	}
	return nil, nil, tocsin.Errorf(tocsin.NotFound, "no cluster %s", u)
}

func (l Library) cluster(ctx context.Context, v *tocsin.Vocabulary, find func(*vocab.Galaxy) int) (*tocsin.Vocabulary, *vocab.Cluster, error) {
	g, err := l.Galaxy(ctx, v)
	if err != nil {
		return nil, nil, err
	}
	i := find(g)
	if i < 0 {
		return nil, nil, tocsin.Errorf(tocsin.NotFound, "the galaxy %s has no such cluster", v.Name)
	}
	c, err := g.At(i)
	return v, c, err
}

// Body returns what is kept in a vocabulary, packed.
func (l Library) Body(ctx context.Context, v *tocsin.Vocabulary) (packed []byte, err error) {
	if !l.has(v) {
		return nil, tocsin.Errorf(tocsin.NotFound, "no such vocabulary")
	}
	return l.body(ctx, vocabularySetting(v.ID))
}

// A library is what is kept in memory of the reference data: an index, and what was
// opened lately. Galaxies stay packed.
type library struct {
	mu    sync.Mutex
	moves uint64
	index *libraryIndex
	opens map[int64]opened
}

// An opened vocabulary is good as long as the record has this digest.
type opened struct {
	digest string
	word   any
}

// maxOpen is how many vocabularies are kept open. All of MISP's galaxies are 131.
const maxOpen = 512

type libraryIndex struct {
	sorts   map[tocsin.VocabularySort][]*tocsin.Vocabulary
	numbers map[numbered]*tocsin.Vocabulary
	names   map[string]*tocsin.Vocabulary // by sort/name and sort/uuid
}

type numbered struct {
	sort   tocsin.VocabularySort
	number int64
}

// index returns where vocabularies are found, made anew when one has changed.
func (l Library) index() *libraryIndex {
	db := l.w.db
	moves := db.Moves(tocsin.KindVocabulary)
	db.shelf.mu.Lock()
	defer db.shelf.mu.Unlock()
	if db.shelf.index == nil || db.shelf.moves != moves {
		db.shelf.index, db.shelf.moves = newLibraryIndex(db.dir.all(tocsin.KindVocabulary)), moves
	}
	return db.shelf.index
}

func newLibraryIndex(all iter.Seq[tocsin.Record]) *libraryIndex {
	x := &libraryIndex{map[tocsin.VocabularySort][]*tocsin.Vocabulary{}, map[numbered]*tocsin.Vocabulary{}, map[string]*tocsin.Vocabulary{}}
	for r := range all { // in order of id, and so of number
		v := r.(*tocsin.Vocabulary)
		x.sorts[v.Sort] = append(x.sorts[v.Sort], v)
		x.numbers[numbered{v.Sort, v.Number}] = v
		x.name(v, strings.ToLower(v.Name))
		if !v.UUID.IsZero() {
			x.name(v, v.UUID.String())
		}
	}
	return x
}

// name keeps that v is found by a name. Of several the first is.
func (x *libraryIndex) name(v *tocsin.Vocabulary, name string) {
	if key := string(v.Sort) + "/" + name; x.names[key] == nil {
		x.names[key] = v
	}
}

// word opens any vocabulary but a galaxy.
func word[W any, P interface {
	*W
	vocab.Kept
}](b []byte) (P, error) {
	w := P(new(W))
	return w, vocab.Open(b, w)
}

// open returns what is in a vocabulary, from memory if it was opened lately.
func open[W any](ctx context.Context, l Library, v *tocsin.Vocabulary, unpack func([]byte) (W, error)) (w W, err error) {
	if !l.has(v) {
		return w, tocsin.Errorf(tocsin.NotFound, "no such vocabulary")
	}
	shelf := &l.w.db.shelf
	shelf.mu.Lock()
	is, ok := shelf.opens[v.ID]
	shelf.mu.Unlock()
	if ok && is.digest == v.Digest {
		if w, ok = is.word.(W); ok {
			return w, nil
		}
	}
	b, err := l.Body(ctx, v)
	if err != nil {
		return w, err
	}
	if w, err = unpack(b); err != nil {
		return w, err
	}
	shelf.keep(v, w)
	return w, nil
}

// keep remembers what was opened, in the place of anything if there is too much.
func (s *library) keep(v *tocsin.Vocabulary, word any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opens == nil {
		s.opens = map[int64]opened{}
	}
	for id := range s.opens {
		if len(s.opens) < maxOpen {
			break
		}
		delete(s.opens, id)
	}
	s.opens[v.ID] = opened{v.Digest, word}
}
