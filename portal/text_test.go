package portal

import (
	"testing"

	"tocsin/indicator"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"plain":              "<bdi>plain</bdi>",
		"<b>&\"'":            "<bdi>&lt;b&gt;&amp;&#34;&#39;</bdi>",
		"a\u202eb":           `<bdi>a<span class="mark">U+202E</span>b</bdi>`,
		"\u200b\u200b\u200b": `<bdi><span class="mark">U+200B ×3</span></bdi>`,
		"two\nlines":         `<bdi>two<span class="mark">⏎</span>lines</bdi>`,
		"bad\xffbyte":        `<bdi>bad<span class="mark">U+00FF</span>byte</bdi>`,
		"Grüße, 你好, שלום":    "<bdi>Grüße, 你好, שלום</bdi>",
		"1\u00a0000":         "<bdi>1\u00a0000</bdi>",
		"":                   "<bdi></bdi>",
	} {
		if got := string(text(in)); got != want {
			t.Errorf("text(%q) = %s, want %s", in, got, want)
		}
	}
	if got := plain("a\u202eb\tc"); got != "a⟨U+202E⟩b⟨⇥⟩c" {
		t.Errorf("plain is %q", got)
	}
	if got := snippet("a\tb\u200b\nc\n"); got != "a\tb⟨U+200B⟩\nc\n" {
		t.Errorf("snippet is %q", got)
	}
}

// What is shown defanged is read as the same value when it is pasted back.
func TestDefang(t *testing.T) {
	for in, want := range map[string]string{
		"evil.example":                     "evil[.]example",
		"http://evil.example/a.b?c=d.e#f":  "hxxp[:]//evil[.]example/a.b?c=d.e#f",
		"https://evil.example":             "hxxps[:]//evil[.]example",
		"ftp://evil.example/x":             "ftp[:]//evil[.]example/x",
		"192.0.2.1":                        "192[.]0[.]2[.]1",
		"192.0.2.0/24":                     "192[.]0[.]2[.]0/24",
		"2001:db8::1":                      "2001:db8::1",
		"someone@evil.example":             "someone[@]evil[.]example",
		"d41d8cd98f00b204e9800998ecf8427e": "d41d8cd98f00b204e9800998ecf8427e",
		"192.0.2.1:8080":                   "192[.]0[.]2[.]1",
	} {
		v, err := indicator.Detect(in)
		if err != nil {
			t.Fatal(err)
		}
		got := defang(v)
		if v.TypeName() != "ip-dst|port" && got != want {
			t.Errorf("%s is shown as %s, want %s", in, got, want)
		}
		if again, err := indicator.Detect(got); err != nil || again.Keys()[0] != v.Keys()[0] {
			t.Errorf("%s, pasted back, is %s %s (%v)", got, again.TypeName(), again, err)
		}
	}
}

// FuzzText holds that whatever is shown is one element's text and hides nothing.
func FuzzText(f *testing.F) {
	f.Add("a\u202e<b>\x00\xff")
	f.Fuzz(func(t *testing.T, s string) {
		for _, r := range string(text(s)) {
			if r != ' ' && unseen(r) {
				t.Errorf("U+%04X comes through", r)
			}
		}
		for _, r := range plain(s) {
			if unseen(r) {
				t.Errorf("U+%04X comes through", r)
			}
		}
	})
}

func TestNumbers(t *testing.T) {
	for in, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234", -123: "-123"} {
		if got := number(in); got != want {
			t.Errorf("number(%d) = %s", in, got)
		}
	}
}
