package main

import (
	"io"
	"iter"
	"net/netip"
	"slices"

	"tocsin"
	"tocsin/access"
	"tocsin/api"
	"tocsin/codec"
	"tocsin/collection"
	"tocsin/indicator"
	"tocsin/rpz"
)

// lists is packages collection and codec for package api.
type lists struct{ *collection.Set }

func (l lists) List(c *tocsin.Collection, v access.Viewer) (api.List, error) {
	got, ok := l.Set.List(c.ID, v)
	if !ok {
		return nil, tocsin.Errorf(tocsin.Busy, "the collection %q is still being put together; try again in a moment", c.Name)
	}
	return list{got, c.Name}, nil
}

// Received is the list as a subscriber receives it.
func (l lists) Received(c *tocsin.Collection, s *tocsin.Subscriber) (api.List, error) {
	got, ok := l.Set.Received(c.ID, s.ID)
	if !ok {
		return nil, tocsin.Errorf(tocsin.Busy, "the collection %q is still being put together; try again in a moment", c.Name)
	}
	return list{got, c.Name}, nil
}

type list struct {
	collection.List
	name string
}

// Audience tells lists of different audiences apart. Where nothing follows a
// list, its tag is empty, and what is served has no tag that could be reused.
func (l list) Audience() string { return l.ETag() }

func (l list) Media(format string) (string, error) {
	f, err := codec.Lister(format)
	return f.ListMedia, err
}

func (l list) Write(w io.Writer, format string, part api.Part) error {
	f, err := codec.Lister(format)
	if err != nil {
		return err
	}
	if f.Name == "rpz" && part.Of < 2 {
		return rpz.Text(w, new(zones).of(l.View())) // with the terms of the zone itself
	}
	whole := codec.List{Name: l.name, Serial: uint32(l.Serial()), Items: l.items}
	return f.List(w, codec.Shard{Part: part.N, Of: part.Of}.List(whole))
}

// items yields what the list names, of these kinds.
func (l list) items(kinds ...indicator.Kind) iter.Seq2[codec.Item, error] {
	return func(yield func(codec.Item, error) bool) {
		l.Values(func(text []byte, kind indicator.Kind) bool {
			if !slices.Contains(kinds, kind) {
				return true
			}
			i := codec.Item{Kind: kind, Text: text}
			if kind == indicator.Prefix {
				i.Prefix = prefixOf(string(text))
			}
			return yield(i, nil)
		})
	}
}

// prefixOf reads an address or a network; formats leave out what is none.
func prefixOf(text string) netip.Prefix {
	if p, err := netip.ParsePrefix(text); err == nil {
		return p
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(a, a.BitLen())
}
