package rpz

import (
	"bufio"
	"fmt"
	"io"
)

// Text writes z as a master file (RFC 1035, 5), for resolvers that fetch it
// by HTTP. Its last line is a comment that says how many records there are: a
// file without it was cut short.
func Text(w io.Writer, z Zone) error {
	origin, ok := appendName(nil, z.Origin())
	if !ok {
		return fmt.Errorf("zone %q has no name that fits in DNS", z.Origin())
	}
	t := z.Terms().withDefaults()
	out := bufio.NewWriterSize(w, 1<<16)
	fmt.Fprintf(out, `; Response policy zone %[1]s serial %[2]d.
; For resolvers, not for browsing: the names in it are malicious.
$ORIGIN %[1]s
$TTL %[3]d
@ SOA %[4]s %[5]s %[2]d %[6]d %[7]d %[8]d %[9]d
@ NS localhost.
`, nameText(origin), z.Serial(), t.TTL, hostText(t.Primary), hostText(t.Contact), t.Refresh, t.Retry, t.Expire, t.Minimum)

	room := maxName - len(origin)
	action := " CNAME " + hostText(string(t.Action)) + "\n"
	records := 0
	var line []byte
	write := func(first, name []byte) (err error) {
		line = appendText(line[:0], first)
		line = appendText(line, name)
		line = append(line[:len(line)-1], action...) // no final dot: relative to the origin
		records++
		_, err = out.Write(line)
		return err
	}
	var err error
	z.Names(func(name []byte, on Trigger) bool {
		if !legal(name, room) {
			return true
		}
		if on&Exact != 0 {
			err = write(nil, name)
		}
		if on&Beneath != 0 && len(wild)+len(name) <= room && err == nil {
			err = write(wild, name)
		}
		return err == nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "; end of zone, %d records\n", records)
	return out.Flush()
}

// hostText is a name of ours as a master file has it.
func hostText(name string) string {
	wire, _ := appendName(nil, name)
	return nameText(wire)
}
