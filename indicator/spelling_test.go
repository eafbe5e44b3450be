package indicator

import (
	"slices"
	"strings"
	"testing"
)

// TestKeysOf asks the quick way what asking every type by itself answers.
func TestKeysOf(t *testing.T) {
	texts := []string{"", " ", "a\x00b", "evil.example", " Evil[.]Example ", "hxxp://evil[.]example/Gate", "192.0.2.1", "192.0.2.0/24|443", "evil.example|192.0.2.1",
		"a.exe|d41d8cd98f00b204e9800998ecf8427e", "D41D8CD98F00B204E9800998ECF8427E", "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU", "someone@evil.example",
		"AS64500", "443", "0443", "CVE-2024-0001", "two\nlines", `HKLM\Software\Evil`, `HKLM\Software\Evil|1`, `\\.\pipe\evil`, "{\"a\":1}", "+49 30 1234567",
		"3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C", "@someone", "Ünïcode", "title: a\nlogsource: {}\ndetection: {a: b, condition: a}"}
	for _, e := range examples {
		for _, one := range slices.Concat(e.becomes, e.refused) {
			if len(one[0]) < 1000 { // to ask every type of a long one takes long
				texts = append(texts, one[0])
			}
		}
	}
	for _, text := range texts {
		keys, composites := KeysOf(text)
		wantKeys, wantComposites := keysOfEach(text)
		slices.Sort(keys)
		slices.Sort(composites)
		if !slices.Equal(keys, wantKeys) || !slices.Equal(composites, wantComposites) {
			t.Errorf("%.60q is under %q and is %q, but its types say %q and %q", text, keys, composites, wantKeys, wantComposites)
		}
	}
}

func keysOfEach(text string) (keys []Key, composites []string) {
	for _, typ := range Types() {
		v, err := typ.Parse(text)
		if err != nil {
			continue
		}
		if _, second := v.Parts(); second != "" {
			composites = append(composites, v.String())
		}
		keys = append(keys, slices.DeleteFunc(v.Keys(), func(k Key) bool { return strings.HasPrefix(string(k), "m:") })...)
	}
	slices.Sort(keys)
	slices.Sort(composites)
	return slices.Compact(keys), composites
}

func BenchmarkKeysOf(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		sink.ks, _ = KeysOf("www.evil-one.example")
	}
}
