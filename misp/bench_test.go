package misp

import (
	"bytes"
	"fmt"
	"testing"

	"tocsin/access"
)

// large is an event of n attributes as MISP writes it, about 430 octets each.
func large(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"Event":{"uuid":"6f747708-7b06-4a38-8233-8321a25ebb79","info":"a list","Attribute":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":"%d","type":"domain","category":"Network activity","to_ids":true,"uuid":"%08x-7b06-4a38-8233-8321a25ebb79","timestamp":"1725148800","comment":"","value":"bad-%d.example.org"}`, i+1, i, i)
	}
	b.WriteString(`]}}`)
	return b.Bytes()
}

const benchSize = 200_000

func BenchmarkDecodeStream(b *testing.B) {
	text := large(benchSize)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		if _, err := DecodeEvent(bytes.NewReader(text), func(*Attribute) error { n++; return nil }); err != nil || n != benchSize {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkDecodeWhole(b *testing.B) {
	text := large(benchSize)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if e, err := DecodeEvent(bytes.NewReader(text), nil); err != nil || len(e.Attributes) != benchSize {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeStream(b *testing.B) {
	e, attributes, _ := crowd(benchSize)
	c := Encoder{Names: places, Viewer: access.System("benchmark")}
	size := 0
	buf := make([]byte, 0, 64<<10)
	b.ReportAllocs()
	for b.Loop() {
		size = 0
		s := c.Event(e, Beside{})
		buf = s.Head(buf[:0])
		for i := range attributes {
			if buf = s.Attribute(buf, &attributes[i], More{}); len(buf) > 32<<10 {
				size += len(buf)
				buf = buf[:0]
			}
		}
		buf = s.Tail(buf)
		size += len(buf)
	}
	b.SetBytes(int64(size))
}
