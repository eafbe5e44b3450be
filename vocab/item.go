package vocab

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"tocsin"
)

// maxWord is how long a name, a namespace or a tag's value may be, in octets.
const maxWord = 255

// An Item is one vocabulary as it was read: the record, and what is kept beside it.
type Item struct {
	Record *tocsin.Vocabulary
	Body   []byte
	Tags   []string // that stand on relations of a galaxy's clusters, each once
}

// newItem packs a word; its record is like says, beside what all have.
func newItem(sort tocsin.VocabularySort, word any, like tocsin.Vocabulary) (*Item, error) {
	text, err := json.Marshal(word)
	if err != nil {
		return nil, err
	}
	like.Sort = sort
	if like.Key == "" {
		like.Key = like.Name
		if !like.UUID.IsZero() {
			like.Key = like.UUID.String()
		}
	}
	sum := sha256.Sum256(text)
	like.Digest = hex.EncodeToString(sum[:])
	return &Item{Record: &like, Body: zipped(text)}, nil
}

// Item returns t as it is kept.
func (t *Taxonomy) Item() (*Item, error) {
	if err := t.settle(); err != nil {
		return nil, err
	}
	return newItem(tocsin.Taxonomies, t, tocsin.Vocabulary{Key: t.Namespace, Name: t.Namespace, UUID: t.UUID, Title: t.Title,
		Description: t.Description, Version: int64(t.Version), Parts: t.Len(), Exclusive: bool(t.Exclusive), Highlighted: bool(t.Highlighted)})
}

// Item returns t as it is kept. Whoever makes objects is offered it.
func (t *ObjectTemplate) Item() (*Item, error) {
	if err := t.settle(); err != nil {
		return nil, err
	}
	return newItem(tocsin.ObjectTemplates, t, tocsin.Vocabulary{Name: t.Name, UUID: t.UUID, Group: t.MetaCategory,
		Description: t.Description, Version: int64(t.Version), Parts: len(t.Elements), Enabled: true})
}

// Item returns n as it is kept.
func (n *Noticelist) Item() (*Item, error) {
	if err := n.settle(); err != nil {
		return nil, err
	}
	return newItem(tocsin.Noticelists, n, tocsin.Vocabulary{Name: n.Name, Title: n.Title, Version: int64(n.Version), Parts: len(n.Notices)})
}

// Item returns m as it is kept.
func (m *DecayingModel) Item() (*Item, error) {
	if err := m.settle(); err != nil {
		return nil, err
	}
	return newItem(tocsin.DecayingModels, m, tocsin.Vocabulary{Name: m.Name, UUID: m.UUID, Description: m.Description, Version: int64(m.Version)})
}

// Item returns r as it is kept.
func (r *Relationships) Item() (*Item, error) {
	if err := r.settle(); err != nil {
		return nil, err
	}
	return newItem(tocsin.Relations, r, tocsin.Vocabulary{Key: r.Name, Name: r.Name, UUID: r.UUID, Description: r.Description,
		Version: int64(r.Version), Parts: len(r.Values)})
}

// galaxyItem returns a galaxy with its clusters as it is kept.
func galaxyItem(g *Galaxy, cs *clusters) (*Item, error) {
	if err := g.settle(); err != nil {
		return nil, err
	}
	var vs []value
	if cs != nil {
		if err := cs.settle(); err != nil {
			return nil, err
		}
		g.Collection, g.Source, g.Authors, g.ClustersVer, vs = cs.UUID, cs.Source, cs.Authors, cs.Version, cs.Values
	}
	head, err := json.Marshal(g)
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	h.Write(head)
	body, err := packClusters(vs, nil, h)
	if err != nil {
		return nil, err
	}
	return &Item{Record: &tocsin.Vocabulary{Sort: tocsin.Galaxies, Key: g.UUID.String(), Name: g.Type, UUID: g.UUID, Title: g.Name,
		Description: g.Description, Group: g.Namespace, Version: int64(g.Version), Parts: len(vs), Enabled: true,
		Digest: hex.EncodeToString(h.Sum(nil))}, Body: galaxyBody(head, body), Tags: relationTags(vs)}, nil
}

// relationTags are the tags on relations of clusters, in their order.
func relationTags(vs []value) (tags []string) {
	seen := map[string]bool{}
	for i := range vs {
		for _, r := range vs[i].Related {
			for _, t := range r.Tags {
				if !seen[t] {
					seen[t] = true
					tags = append(tags, t)
				}
			}
		}
	}
	return tags
}

// galaxyBody is the galaxy itself, and its packed clusters.
func galaxyBody(head, clusters []byte) []byte {
	z := zipped(head)
	return append(append(binary.AppendUvarint(nil, uint64(len(z))), z...), clusters...)
}

func cutGalaxy(body []byte) (head, clusters []byte, err error) {
	n, w := binary.Uvarint(body)
	if w <= 0 || uint64(len(body)-w) < n {
		return nil, nil, errPacked
	}
	head, err = unzipped(body[w : w+int(n)])
	return head, body[w+int(n):], err
}

// KeepIDs has clusters that were there before have the ids that they had: before is
// what was kept of the same galaxy.
func (i *Item) KeepIDs(before []byte) error {
	if i.Record.Sort != tocsin.Galaxies || len(before) == 0 {
		return nil
	}
	old, err := OpenGalaxy(before, 0)
	if err != nil {
		return err
	}
	head, _, err := cutGalaxy(i.Body)
	if err != nil {
		return err
	}
	g, err := OpenGalaxy(i.Body, 0)
	if err != nil {
		return err
	}
	vs := make([]value, len(g.packed.index))
	for n := range vs {
		if vs[n], err = g.packed.value(&g.packed.index[n]); err != nil {
			return err
		}
	}
	body, err := packClusters(vs, old.packed, nil)
	if err != nil {
		return err
	}
	i.Body = galaxyBody(head, body)
	return nil
}

// OpenGalaxy reads what was kept of the galaxy with that number. It keeps body.
func OpenGalaxy(body []byte, number int64) (*Galaxy, error) {
	head, clusters, err := cutGalaxy(body)
	if err != nil {
		return nil, err
	}
	g := &Galaxy{number: number}
	if err := json.Unmarshal(head, g); err != nil {
		return nil, err
	}
	g.packed, err = openPacked(clusters)
	return g, err
}

// A Kept word is one that [Open] reads.
type Kept interface{ settle() error }

// Open reads what was kept of any other vocabulary into word.
func Open(body []byte, word Kept) error {
	text, err := unzipped(body)
	if err != nil {
		return fmt.Errorf("unpack a vocabulary: %w", err)
	}
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(word); err != nil {
		return fmt.Errorf("read a vocabulary: %w", err)
	}
	return word.settle()
}
