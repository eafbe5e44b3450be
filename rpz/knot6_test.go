package rpz

import (
	"errors"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// A knot6 is what Knot Resolver 6 reads of a configuration that holds policy zones: the
// keys and types of local-data in the manual ("Local Data and RPZ") and schema of
// 6.0.13 to 6.4. What is not here it refuses.
type knot6 struct {
	LocalData struct {
		TTL            string            `yaml:"ttl"`
		NoData         *bool             `yaml:"nodata"`
		Addresses      map[string]any    `yaml:"addresses"`
		AddressesFiles []string          `yaml:"addresses-files"`
		Records        string            `yaml:"records"`
		Rules          []map[string]any  `yaml:"rules"`
		RPZ            []knot6PolicyZone `yaml:"rpz"`
	} `yaml:"local-data"`
}

type knot6PolicyZone struct {
	File     string   `yaml:"file"`     // has to be there
	Watchdog any      `yaml:"watchdog"` // "auto" or a boolean
	Tags     []string `yaml:"tags"`
	Log      []string `yaml:"log"` // of ip, name
}

var knot6Tag = regexp.MustCompile(`^[a-z0-9-]*[a-z0-9]$`)

// fault says what the schema has against a zone.
func (z knot6PolicyZone) fault() error {
	_, flag := z.Watchdog.(bool)
	switch {
	case !path.IsAbs(z.File):
		return errors.New("the file is named relative to a folder that depends on how it is started")
	case z.Watchdog != nil && z.Watchdog != "auto" && !flag:
		return errors.New("watchdog is auto or a boolean")
	case slices.ContainsFunc(z.Log, func(s string) bool { return s != "ip" && s != "name" }):
		return errors.New("log names ip and name")
	case slices.ContainsFunc(z.Tags, func(s string) bool { return !knot6Tag.MatchString(s) }):
		return errors.New("a tag is lower-case letters, digits and hyphens")
	}
	return nil
}

// readKnot6 reads a configuration as strictly as the program does.
func readKnot6(text string) (c knot6, err error) {
	dec := yaml.NewDecoder(strings.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil && err != io.EOF {
		return c, err
	}
	for _, z := range c.LocalData.RPZ {
		if err := z.fault(); err != nil {
			return c, err
		}
	}
	return c, nil
}

func TestKnotResolver6TakesWhatIsPrinted(t *testing.T) {
	setup := Setup{Feed: "https://exchange.example/feeds/s3cret", Zones: []Offer{
		{Origin: "base.rpz.example."},
		{Origin: "hot.rpz.example.", Hot: true, Terms: Terms{Action: NoData}},
		{Origin: "away.rpz.example.", Terms: Terms{Action: "walled.garden.example."}},
		{Origin: "allow.rpz.example.", Terms: Terms{Action: Passthru}},
		{Origin: "drop.rpz.example.", Terms: Terms{Action: Drop}},
		{Origin: "tcp.rpz.example.", Terms: Terms{Action: TCPOnly}},
		{Origin: "addresses.rpz.example.", Addresses: true},
	}}
	text := config(t, "knot-resolver-6", setup)
	c, err := readKnot6(text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	var files []string
	for _, z := range c.LocalData.RPZ {
		files = append(files, strings.TrimPrefix(z.File, folder+"/"))
		if !slices.Equal(z.Log, []string{"name"}) {
			t.Errorf("%s logs %v", z.File, z.Log)
		}
		if !strings.Contains(text, "tocsin fetch "+path.Base(z.File)+" "+z.File) {
			t.Errorf("nothing fetches %s:\n%s", z.File, text)
		}
	}
	if want := []string{"hot.rpz.example.rpz", "base.rpz.example.rpz", "away.rpz.example.rpz"}; !slices.Equal(files, want) {
		t.Errorf("takes %v; want %v", files, want)
	}
	for _, zone := range []string{"drop", "tcp"} {
		if !strings.Contains(text, "# "+zone+".rpz.example is left out") {
			t.Errorf("does not say that %s is left out:\n%s", zone, text)
		}
	}

	setup.Trial = true
	trial := config(t, "knot-resolver-6", setup)
	if c, err := readKnot6(trial); err != nil || len(c.LocalData.RPZ) != 0 {
		t.Errorf("on trial it takes %v, %v", c.LocalData.RPZ, err)
	}
	_, lines, _ := strings.Cut(trial, "\n# local-data:\n")
	lines, _, _ = strings.Cut(lines, "\n\n")
	if c, err := readKnot6("local-data:\n" + strings.ReplaceAll("\n"+lines, "\n# ", "\n")); err != nil || len(c.LocalData.RPZ) != 3 {
		t.Errorf("with the # taken away: %+v, %v", c.LocalData.RPZ, err)
	}
}

func TestKnotResolver6IsRead(t *testing.T) {
	for _, bad := range []string{
		"local-data:\n  rpz:\n    - path: /x\n",
		"local-data:\n  rpz: /x\n",
		"local-data:\n  rpz:\n    - file: /x\n      log: name\n",
		"local-data:\n  rpz:\n    - file: /x\n      log: [ names ]\n",
		"local-data:\n  rpz:\n    - file: x\n",
		"local-data:\n  rpz:\n    - file: /x\n      dry-run: true\n",
		"policy:\n  rpz: []\n",
	} {
		if _, err := readKnot6(bad); err == nil {
			t.Errorf("taken:\n%s", bad)
		}
	}
}
