package indicator

import "testing"

func TestParse(t *testing.T) {
	for _, tt := range []struct{ typ, text, want string }{
		{"domain", "  UPPER.Example.COM. ", "upper.example.com"},
		{"domain", "evil[.]example", "evil.example"},
		{"ip-dst", "2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
		{"ip-dst|port", "198.51.100.9:8080", "198.51.100.9|8080"},
		{"url", "hxxp://defanged[.]example.com/a", "http://defanged.example.com/a"},
		{"md5", "D41D8CD98F00B204E9800998ECF8427E", "d41d8cd98f00b204e9800998ecf8427e"},
	} {
		v, err := Parse(tt.typ, tt.text)
		if err != nil || v.String() != tt.want {
			t.Errorf("Parse(%q, %q) = %q, %v; want %q", tt.typ, tt.text, v, err, tt.want)
		}
	}
}
