package codec

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"

	"tocsin"
)

var gzipMagic = []byte{0x1f, 0x8b}

// A Limit bounds what a compressed stream may unpack to.
type Limit struct {
	Bytes int64 // in all
	Ratio int64 // unpacked octets for each packed one
	Grace int64 // unpacked octets before the ratio counts
}

// DefaultLimit lets lists of a hundred million names through. Such lists shrink
// to a fourth or a tenth; two hundredfold is no list.
var DefaultLimit = Limit{Bytes: 8 << 30, Ratio: 200, Grace: 16 << 20}

// Open unpacks r if it is gzip (RFC 1952), which it tells by the first octets,
// and otherwise returns it as it is. Memory is constant whatever r claims.
func Open(r io.Reader) (io.Reader, error) { return DefaultLimit.Open(r) }

// Open is [Open] with limit l.
func (l Limit) Open(r io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(r, MaxLine)
	if head, _ := b.Peek(2); string(head) != string(gzipMagic) {
		return b, nil
	}
	// gzip reads octet by octet where it can, so what it took is what was used.
	packed := &counter{r: b}
	z, err := gzip.NewReader(packed)
	if err != nil {
		return nil, unpackError(err)
	}
	return &unpacked{z: z, packed: packed, limit: l}, nil
}

// A counter counts the octets that are read through it.
type counter struct {
	r *bufio.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *counter) ReadByte() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

type unpacked struct {
	z      *gzip.Reader
	packed *counter
	limit  Limit
	n      int64
	err    error // the end, which stays the end
}

func (u *unpacked) Read(p []byte) (int, error) {
	if u.err != nil {
		return 0, u.err
	}
	n, err := u.z.Read(p)
	u.n += int64(n)
	switch {
	case u.n > u.limit.Bytes:
		u.err = tocsin.Errorf(tocsin.Invalid, "the gzip file unpacks to more than %d MiB; split it", u.limit.Bytes>>20)
	case u.n > u.limit.Grace && u.n/max(1, u.packed.n) > u.limit.Ratio:
		u.err = tocsin.Errorf(tocsin.Invalid, "the gzip file unpacks to more than %d times its size, which no list does", u.limit.Ratio)
	case err != nil:
		u.err = unpackError(err)
	}
	if u.err != nil && u.err != io.EOF {
		n = 0
	}
	return n, u.err
}

func unpackError(err error) error {
	switch {
	case err == io.EOF:
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return tocsin.Errorf(tocsin.Invalid, "the gzip file breaks off; fetch it again: %w", err)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		return tocsin.Errorf(tocsin.Invalid, "the gzip file is damaged; fetch it again: %w", err)
	}
	return tocsin.Errorf(tocsin.Invalid, "the gzip file can't be unpacked: %w", err)
}
