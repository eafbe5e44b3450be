package rpz

import (
	"cmp"
	_ "embed"
	"encoding/base64"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"text/template"
)

// A Setup is what a subscriber's resolver has to know of us.
type Setup struct {
	Primary netip.AddrPort
	Key     *Key // nil: known by address
	Zones   []Offer
	Trial   bool // log what would have been stopped, and stop nothing
}

// An Offer is a zone that a subscriber takes.
type Offer struct {
	Origin string
	Terms  Terms
	Hot    bool // small and often changed

	// Addresses: it speaks of addresses and name servers, so a resolver has to
	// look them up before the zone can say anything.
	Addresses bool
}

//go:embed config.tmpl
var configText string

var configs = template.Must(template.New("").Parse(configText))

// Resolvers lists what Config writes for.
func Resolvers() []string { return []string{"bind", "bind-options", "unbound"} }

// Config writes the lines of a resolver's configuration that make it take the
// zones and act on them. BIND wants them in two places: "bind-options" goes
// inside its options, "bind" beside them.
//
// A resolver acts on the first zone that has the name, so those that let
// names pass come first, and then the hot ones.
func Config(w io.Writer, resolver string, s Setup) error {
	if !slices.Contains(Resolvers(), resolver) {
		return fmt.Errorf("no configuration for %q; try one of %v", resolver, Resolvers())
	}
	type zone struct {
		Name string
		Hot  bool
		Pass bool
	}
	var view struct {
		Setup
		Host   string
		Port   uint16
		Name   string // of the key
		Secret string
		Zones  []zone
	}
	view.Setup = s
	view.Host, view.Port = s.Primary.Addr().String(), s.Primary.Port()
	if s.Key != nil {
		if s.Key.hash() == nil {
			return fmt.Errorf("no algorithm %q; try one of [hmac-sha256 hmac-sha384 hmac-sha512]", s.Key.Algorithm)
		}
		view.Name = strings.TrimSuffix(hostText(s.Key.Name), ".")
		view.Secret = base64.StdEncoding.EncodeToString(s.Key.Secret)
	}
	for _, o := range s.Zones {
		if _, ok := appendName(nil, o.Origin); !ok {
			return fmt.Errorf("zone %q has no name that fits in DNS", o.Origin)
		}
		view.Zones = append(view.Zones, zone{strings.TrimSuffix(hostText(o.Origin), "."), o.Hot, o.Terms.Action == Passthru})
	}
	rank := func(z zone) int {
		switch {
		case z.Pass:
			return 0
		case z.Hot:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(view.Zones, func(a, b zone) int { return cmp.Compare(rank(a), rank(b)) })
	return configs.ExecuteTemplate(w, resolver, view)
}
