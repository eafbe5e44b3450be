package indicator

import (
	"fmt"
	"strings"
	"testing"
)

func TestExtract(t *testing.T) {
	for text, want := range map[string]string{
		"":                 "",
		"nothing is named": "",
		"It came from 192[.]0[.]2[.]7 (see hxxp://ft[.]example[.]com/x), twice: hxxp://ft[.]example[.]com/x.": "ip-dst 192.0.2.7, url http://ft.example.com/x",
		"“evil.example.org”; <foo@example.net>":                                                               "hostname evil.example.org, email foo@example.net",
		"[evil.example.org] d41d8cd98f00b204e9800998ecf8427e":                                                 "hostname evil.example.org, md5 d41d8cd98f00b204e9800998ecf8427e",
		"2001:db8::1\tCVE-2024-1234\r\nbad.exe":                                                               "ip-dst 2001:db8::1, vulnerability CVE-2024-1234, filename bad.exe",
		"((((( ]]]] ... ::: \x00 \xff":                                                                        "",
	} {
		var got []string
		for _, v := range Extract(text) {
			got = append(got, fmt.Sprint(v.TypeName(), " ", v))
		}
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("%q: %s, not %s", text, s, want)
		}
	}
}

func FuzzExtract(f *testing.F) {
	f.Add("hxxp://ft[.]example[.]com/x, 192.0.2.7")
	f.Fuzz(func(t *testing.T, text string) {
		for word, v := range Extract(text) {
			if !strings.Contains(text, word) || v.String() == "" {
				t.Errorf("%q: %q %v", text, word, v)
			}
		}
	})
}
