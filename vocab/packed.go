package vocab

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"

	"tocsin"
)

// Packed clusters are an index, and chunks of some dozens of clusters each. To
// show one, one chunk is unpacked; a galaxy of some thousands is never held whole.
//
//	"tg1" length of the index, the index, chunk, chunk …
//
// All parts are packed with gzip by themselves.
type packed struct {
	index  []clusterAt
	next   int      // the ordinal of the next cluster that is new
	chunks [][]byte // packed

	mu    sync.Mutex
	last  int // the chunk that was unpacked last
	plain []byte
}

// clusterAt is where a cluster is.
type clusterAt struct {
	uuid    tocsin.UUID
	ordinal int
	name    string
	chunk   int
	at, end int // within the chunk
}

const (
	packedMagic = "tg1"
	chunkSize   = 32 << 10 // octets of JSON
)

// packClusters packs clusters. Those that were there before keep their ordinals.
// What is packed is written to digest, too, if there is one.
func packClusters(vs []value, before *packed, digest io.Writer) ([]byte, error) {
	was, next := map[tocsin.UUID]int{}, 0
	if before != nil {
		next = before.next
		for _, c := range before.index {
			was[c.uuid] = c.ordinal
		}
	}
	var index, chunks bytes.Buffer
	var sizes []int
	put := func(n int) { index.Write(binary.AppendUvarint(nil, uint64(n))) }
	var chunk bytes.Buffer
	flush := func() {
		n := chunks.Len()
		chunks.Write(zipped(chunk.Bytes()))
		sizes = append(sizes, chunks.Len()-n)
		chunk.Reset()
	}
	put(len(vs))
	for i := range vs {
		b, err := json.Marshal(&vs[i])
		if err != nil {
			return nil, err
		}
		if digest != nil {
			digest.Write(b)
		}
		if chunk.Len() > 0 && chunk.Len()+len(b) > chunkSize {
			flush()
		}
		ordinal, known := was[vs[i].UUID]
		if !known {
			ordinal, next = next, next+1
		}
		delete(was, vs[i].UUID) // of two of one uuid the second is another one
		index.Write(vs[i].UUID[:])
		put(ordinal)
		put(len(vs[i].Value))
		index.WriteString(vs[i].Value)
		put(len(sizes))
		put(chunk.Len())
		put(len(b))
		chunk.Write(b)
	}
	if next > maxClusters {
		return nil, errors.New("it has had too many clusters over time")
	}
	flush()
	put(next)
	put(len(sizes))
	for _, n := range sizes {
		put(n)
	}
	head := zipped(index.Bytes())
	out := binary.AppendUvarint([]byte(packedMagic), uint64(len(head)))
	return append(append(out, head...), chunks.Bytes()...), nil
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(b) // into memory, so neither can fail
	z.Close()
	return out.Bytes()
}

func unzipped(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

var errPacked = errors.New("the packed clusters are damaged")

// openPacked reads the index of what packClusters wrote. It keeps b.
func openPacked(b []byte) (*packed, error) {
	p := &packed{last: -1}
	b, ok := bytes.CutPrefix(b, []byte(packedMagic))
	size, w := binary.Uvarint(b)
	if !ok || w <= 0 || uint64(len(b)-w) < size {
		return nil, errPacked
	}
	index, err := unzipped(b[w : w+int(size)])
	if err != nil {
		return nil, errPacked
	}
	r := unpacker{index}
	for range r.number() {
		c := clusterAt{}
		copy(c.uuid[:], r.octets(len(c.uuid)))
		c.ordinal = r.number()
		c.name = string(r.octets(r.number()))
		c.chunk, c.at = r.number(), r.number()
		c.end = c.at + r.number()
		p.index = append(p.index, c)
	}
	p.next = r.number()
	rest := b[w+int(size):]
	for range r.number() {
		n := r.number()
		if n > len(rest) {
			return nil, errPacked
		}
		p.chunks, rest = append(p.chunks, rest[:n]), rest[n:]
	}
	return p, nil
}

// An unpacker reads numbers and texts; from damaged ones it reads nothing.
type unpacker struct{ b []byte }

func (u *unpacker) number() int {
	n, w := binary.Uvarint(u.b)
	if w <= 0 || n > 1<<31 {
		u.b = nil
		return 0
	}
	u.b = u.b[w:]
	return int(n)
}

func (u *unpacker) octets(n int) (b []byte) {
	if n > len(u.b) {
		n = len(u.b)
	}
	b, u.b = u.b[:n], u.b[n:]
	return b
}

// value unpacks one cluster.
func (p *packed) value(c *clusterAt) (v value, err error) {
	if c.chunk >= len(p.chunks) {
		return v, errPacked
	}
	p.mu.Lock()
	plain := p.plain
	if p.last != c.chunk {
		plain = nil
	}
	p.mu.Unlock()
	if plain == nil {
		if plain, err = unzipped(p.chunks[c.chunk]); err != nil {
			return v, fmt.Errorf("%w: %w", errPacked, err)
		}
		p.mu.Lock()
		p.plain, p.last = plain, c.chunk
		p.mu.Unlock()
	}
	if c.end > len(plain) {
		return v, errPacked
	}
	return v, json.Unmarshal(plain[c.at:c.end], &v)
}

// Len is how many clusters g has.
func (g *Galaxy) Len() int { return len(g.packed.index) }

// Clusters iterates over the clusters of g in their order.
func (g *Galaxy) Clusters() iter.Seq2[*Cluster, error] {
	return func(yield func(*Cluster, error) bool) {
		for i := range g.packed.index {
			if c, err := g.At(i); !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// At returns the i'th cluster.
func (g *Galaxy) At(i int) (*Cluster, error) {
	at := &g.packed.index[i]
	v, err := g.packed.value(at)
	if err != nil {
		return nil, fmt.Errorf("galaxy %s: %w", g.Type, err)
	}
	return g.cluster(&v, at.ordinal), nil
}

// find returns the place of the first cluster for which is answers true, or -1.
func (g *Galaxy) find(is func(*clusterAt) bool) int {
	for i := range g.packed.index {
		if is(&g.packed.index[i]) {
			return i
		}
	}
	return -1
}

// Named returns the place of the cluster that is called so, without regard to
// case, or -1.
func (g *Galaxy) Named(value string) int {
	return g.find(func(c *clusterAt) bool { return strings.EqualFold(c.name, value) })
}

// ByUUID returns the place of a cluster, or -1.
func (g *Galaxy) ByUUID(u tocsin.UUID) int {
	return g.find(func(c *clusterAt) bool { return c.uuid == u })
}

// ByID returns the place of a cluster, or -1.
func (g *Galaxy) ByID(id int64) int {
	return g.find(func(c *clusterAt) bool { return clusterID(g.number, c.ordinal) == id })
}

// Name returns what the i'th cluster is called, which is no work.
func (g *Galaxy) ClusterName(i int) string { return g.packed.index[i].name }

// ClusterUUID returns the uuid of the i'th cluster, which is no work.
func (g *Galaxy) ClusterUUID(i int) tocsin.UUID { return g.packed.index[i].uuid }
