package rpz

import (
	"bytes"
	"cmp"
	"embed"
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
	TLS     *Secure // nil: transfers travel in the clear
	Key     *Key    // nil: known by address
	Feed    string  // the address beneath which its zone files are; "" if it has none
	Zones   []Offer
	Trial   bool // log what would have been stopped, and stop nothing
}

// Secure is where zones are transferred over TLS (RFC 9103).
type Secure struct {
	Port uint16
	Name string // in our certificate
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

// A recipe is a kind of resolver that Config writes for: a template of its
// name in the folder config.
type recipe struct {
	name string
	feed bool // it fetches files, and has to know from where
	tls  bool // it can transfer over TLS

	names bool // it knows what is asked for, and nothing of addresses
}

var recipes = []recipe{
	{name: "bind", tls: true},
	{name: "bind-options", tls: true},
	{name: "unbound", tls: true},
	{name: "unbound-url", feed: true},
	{name: "powerdns"},
	{name: "powerdns-conf"},
	{name: "knot-resolver", feed: true, names: true},
	{name: "knot-resolver-6", feed: true, names: true},
	{name: "dnsmasq", feed: true, names: true},
	{name: "knot"},
	{name: "nsd", tls: true},
}

//go:embed config
var configFiles embed.FS

var configs *template.Template

func init() { // not at its declaration: a template calls commented, which looks up another
	configs = template.Must(template.New("").Funcs(template.FuncMap{"commented": commented}).ParseFS(configFiles, "config/*.tmpl"))
}

// Resolvers lists what Config writes for.
func Resolvers() (names []string) {
	for _, r := range recipes {
		names = append(names, r.name)
	}
	return names
}

// Fetches reports whether a resolver takes files from a [Setup.Feed].
func Fetches(resolver string) bool {
	return slices.ContainsFunc(recipes, func(r recipe) bool { return r.name == resolver && r.feed })
}

// Config writes the lines of a resolver's configuration that make it take the
// zones and act on them. BIND wants them in two places: "bind-options" goes
// inside its options, "bind" beside them.
//
// A resolver acts on the first zone that has the name, so those that let
// names pass come first, then the hot ones, then the others as they are given.
func Config(w io.Writer, resolver string, s Setup) error {
	i := slices.IndexFunc(recipes, func(r recipe) bool { return r.name == resolver })
	if i < 0 {
		return fmt.Errorf("no configuration for %q; try one of %v", resolver, Resolvers())
	}
	r := recipes[i]
	if r.names {
		s.Zones = slices.DeleteFunc(slices.Clone(s.Zones), func(o Offer) bool { return o.Addresses })
	}
	switch {
	case r.feed && s.Feed == "":
		return fmt.Errorf("%s fetches files, and this subscriber has no address for them", resolver)
	case s.TLS != nil && !r.tls:
		return fmt.Errorf("%s can't transfer over TLS in the versions that we know", resolver)
	}
	p, err := newSheet(s)
	if err != nil {
		return err
	}
	return configs.ExecuteTemplate(w, resolver+".tmpl", p)
}

// A sheet is a Setup in the words of the templates.
type sheet struct {
	Setup
	Host   string
	Port   uint16
	Name   string // of the key
	Secret string
	Folder string // where fetched files are kept
	Every  uint32 // seconds between two looks: what the most urgent zone asks for
	Zones  []sheetZone
}

type sheetZone struct {
	Name           string
	Hot, Pass      bool
	Unknown6       bool // Knot Resolver 6 passes over its rules
	Refresh, Retry uint32
}

// folder is where systemd puts what the units in config/fetch.tmpl keep.
const folder = "/var/lib/tocsin-fetch"

func newSheet(s Setup) (*sheet, error) {
	p := &sheet{Setup: s, Host: s.Primary.Addr().String(), Port: s.Primary.Port(), Folder: folder}
	if s.TLS != nil {
		p.Port = s.TLS.Port
	}
	if s.Key != nil {
		if s.Key.hash() == nil {
			return nil, fmt.Errorf("no algorithm %q; try one of [hmac-sha256 hmac-sha384 hmac-sha512]", s.Key.Algorithm)
		}
		p.Name = strings.TrimSuffix(hostText(s.Key.Name), ".")
		p.Secret = base64.StdEncoding.EncodeToString(s.Key.Secret)
	}
	for _, o := range s.Zones {
		if _, ok := appendName(nil, o.Origin); !ok {
			return nil, fmt.Errorf("zone %q has no name that fits in DNS", o.Origin)
		}
		t := o.Terms.withDefaults()
		if p.Every == 0 || t.Refresh < p.Every {
			p.Every = t.Refresh
		}
		p.Zones = append(p.Zones, sheetZone{strings.TrimSuffix(hostText(o.Origin), "."), o.Hot, t.Action == Passthru, t.Action == Drop || t.Action == TCPOnly, t.Refresh, t.Retry})
	}
	slices.SortStableFunc(p.Zones, func(a, b sheetZone) int { return cmp.Compare(a.rank(), b.rank()) })
	return p, nil
}

func (z sheetZone) rank() int {
	switch {
	case z.Pass:
		return 0
	case z.Hot:
		return 1
	}
	return 2
}

// commented renders a template with a mark before each of its lines.
func commented(mark, name string, data any) (string, error) {
	var b bytes.Buffer
	if err := configs.ExecuteTemplate(&b, name+".tmpl", data); err != nil {
		return "", err
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(mark+l, " ")
	}
	return strings.Join(lines, "\n"), nil
}

// Everything stands for all zones of a subscriber in the name of a list.
const Everything = "blocked"

// A fetching is what config/fetch.tmpl says of a resolver.
type fetching struct {
	*sheet
	User   string   // as which the resolver runs, and its unit's name
	Files  []string // beneath Feed, and in Folder
	Reload bool     // the resolver has to be told of a new file
}

// Fetching is called by templates. dnsmasq has one list of all names; other
// resolvers have a file a zone.
func (p *sheet) Fetching(user, ending string) fetching {
	f := fetching{sheet: p, User: user}
	if ending == ".dnsmasq" {
		f.Files, f.Reload = []string{Everything + ending}, true
		return f
	}
	for _, z := range p.Zones {
		f.Files = append(f.Files, z.Name+ending)
	}
	return f
}
