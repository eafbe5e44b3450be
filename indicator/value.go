package indicator

import "net/netip"

type Type struct {
	ID              uint16
	Name            string
	DefaultCategory string
	Categories      []string
	ToIDS           bool
}
type Category uint8
type Key string
type Value struct {
	typ  *Type
	text string
}
type Kind uint8

const (
	Domain Kind = iota + 1
	Host
	Prefix
	Hash
	URL
)

type Name struct {
	Kind   Kind
	Text   string
	Prefix netip.Prefix
}
type Facets struct{ Names, Mentions []Name }

func (v Value) Facets() Facets             { return Facets{} }
func (v Value) AppendKeys(dst []Key) []Key { return dst }
func (v Value) Type() *Type                { return v.typ }
func (v Value) String() string             { return v.text }
func (n Name) WireName() ([]byte, bool)    { return nil, false }

type Hasher struct{ k0, k1 uint64 }

func NewHasher(seed [16]byte) Hasher { return Hasher{} }
func (h Hasher) Sum(k Key) uint64    { return 0 }
