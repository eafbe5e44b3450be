package indicator

import base16 "encoding/hex"

// A TLSH is a locality-sensitive hash (Oliver, Cheng and Chen, 2013) of the
// usual sort, over 128 buckets with one octet of checksum: the checksum, the
// logarithm of the length, two ratios, and two bits for each bucket.
type TLSH [35]byte

// TLSH returns the hash that k is the key of, if it is the key of one. What else
// is computed in the same way, such as telfhash, counts as one.
func (k Key) TLSH() (d TLSH, ok bool) {
	if len(k) != 2+2*len(d) || k[:2] != "h:" {
		return d, false
	}
	_, err := base16.Decode(d[:], []byte(k[2:]))
	return d, err == nil
}

// TLSHKey returns the key of a hash.
func TLSHKey(d TLSH) Key { return Key("h:" + base16.EncodeToString(d[:])) }

// Length is a logarithm of the file's length. Its digits are written the other
// way around.
func (d TLSH) Length() byte { return d[1]<<4 | d[1]>>4 }

// Distance tells how different two files are: 0 if their hashes are equal, some
// hundreds for files that have nothing to do with each other.
func (d TLSH) Distance(e TLSH) int {
	n := lengthCost(apart(int(d.Length()), int(e.Length()), 256))
	n += ratioCost(apart(int(d[2]>>4), int(e[2]>>4), 16)) + ratioCost(apart(int(d[2]&15), int(e[2]&15), 16))
	if d[0] != e[0] {
		n++
	}
	for i := 3; i < len(d); i++ {
		n += int(bucketCost[d[i]&15][e[i]&15]) + int(bucketCost[d[i]>>4][e[i]>>4])
	}
	return n
}

// apart is how far two numbers are from each other on a circle.
func apart(a, b, around int) int {
	d := max(a-b, b-a)
	return min(d, around-d)
}

func lengthCost(apart int) int {
	if apart <= 1 {
		return apart
	}
	return 12 * apart
}

func ratioCost(apart int) int {
	if apart <= 1 {
		return apart
	}
	return 12 * (apart - 1)
}

// bucketCost is for two buckets each: as far as their quartiles are apart, and
// twice that for the first and the last.
var bucketCost = func() (cost [16][16]uint8) {
	one := [4][4]uint8{{0, 1, 2, 6}, {1, 0, 1, 2}, {2, 1, 0, 1}, {6, 2, 1, 0}}
	for a := range cost {
		for b := range cost {
			cost[a][b] = one[a>>2][b>>2] + one[a&3][b&3]
		}
	}
	return cost
}()
