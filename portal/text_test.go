package portal

import (
	"math"
	"regexp"
	"strconv"
	"strings"
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

// Each text colour can be read on the grounds that it stands on, in both sets of
// colours (WCAG 2.2, 1.4.3: 4.5 to 1; 1.4.11: 3 to 1 for edges of fields).
func TestContrast(t *testing.T) {
	css, err := assetFiles.ReadFile("assets/portal.css")
	if err != nil {
		t.Fatal(err)
	}
	light, rest, _ := strings.Cut(string(css), "@media (prefers-color-scheme: dark)")
	dark, _, _ := strings.Cut(rest, "*, ::before")
	colours := regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{3,6})\b`)
	set := map[string]string{}
	for _, part := range [][2]string{{"light", light}, {"dark", dark}} { // the dark set replaces some of the light one
		name := part[0]
		for _, m := range colours.FindAllStringSubmatch(part[1], -1) {
			set[m[1]] = m[2]
		}
		check := func(fore, ground string, least float64) {
			t.Helper()
			if set[fore] == "" || set[ground] == "" {
				t.Fatalf("%s: no colour %s or %s", name, fore, ground)
			}
			if got := contrast(t, set[fore], set[ground]); got < least {
				t.Errorf("%s: %s on %s has a contrast of %.2f, less than %.1f", name, fore, ground, got, least)
			}
		}
		for _, ground := range []string{"ground", "card", "hover"} {
			for _, fore := range []string{"ink", "soft", "accent", "good", "bad"} {
				check(fore, ground, 4.5)
			}
			check("edge", ground, 3)
		}
		check("on-accent", "accent", 4.5)
		for _, both := range []string{"good", "warn", "bad", "org", "community", "connected", "all", "group", "mark"} {
			check(both, both+"-ground", 4.5)
		}
	}
}

// contrast is that of WCAG 2.2, between two colours.
func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + .05) / (min(x, y) + .05)
}

func luminance(t *testing.T, hex string) (l float64) {
	t.Helper()
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	for i, weight := range []float64{.2126, .7152, .0722} {
		c := float64(n>>(16-8*i)&0xff) / 255
		if c <= .04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+.055)/1.055, 2.4)
		}
		l += weight * c
	}
	return l
}
