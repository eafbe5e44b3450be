package export_test

import (
	"encoding/json"
	"strings"
	"testing"

	"tocsin"
	"tocsin/export"
)

// contexts is an answer whose tags mean something, and try to be more than texts.
func contexts(t *testing.T, whole bool) *export.Answer {
	a := answer(t, whole)
	a.Names = func(s tocsin.TagSet) []string {
		if s == "" {
			return nil
		}
		return []string{"tlp:green", `misp-galaxy:mitre-attack-pattern="Phishing <b> - T1566.001"`, `misp-galaxy:mitre-attack-pattern="no number"`, `<script>alert(1)</script>`}
	}
	a.Meaning = func(tag string) export.Meaning {
		switch {
		case tag == "tlp:green":
			return export.Meaning{Colour: "#339900", Namespace: "tlp", About: "The Traffic\n# Light", Word: "green", Text: "<img src=x>"}
		case strings.HasPrefix(tag, "misp-galaxy:"):
			return export.Meaning{Galaxy: "Attack Pattern", Cluster: "Phishing", Description: "[x](javascript:alert(1)) <i>"}
		}
		return export.Meaning{Colour: `red" onclick="x`, Namespace: "own", Word: "w", Text: "t"}
	}
	a.Sighted = func(*tocsin.Attribute) ([]int64, error) { return []int64{1_800_000_000, 1_600_000_000}, nil }
	return a
}

func TestTechniquesSightedAreWhatATTACKTakes(t *testing.T) {
	var seen []struct {
		ID         string
		StartTime  string
		EndTime    string
		Techniques []struct{ TechniqueID string }
	}
	if err := json.Unmarshal([]byte(write(t, "attack-sightings", contexts(t, false))), &seen); err != nil {
		t.Fatal(err)
	}
	if len(seen) != len(hostile) || len(seen[0].Techniques) != 1 || seen[0].Techniques[0].TechniqueID != "T1566.001" ||
		seen[0].StartTime != "2020-09-13T12:26:40Z" || seen[0].EndTime != "2027-01-15T08:00:00Z" {
		t.Errorf("%d: %+v", len(seen), seen[0])
	}
}

func TestContextsHoldNoMarkupOfOthers(t *testing.T) {
	for _, name := range []string{"attack", "context", "context-markdown"} {
		text := write(t, name, contexts(t, true))
		for _, never := range []string{"<script", "<b>", "<img", "<i>\n", "onclick=\"", "\n# Light", "[x]("} {
			if strings.Contains(text, never) && (name == "context-markdown" || strings.HasPrefix(never, "<") || strings.HasPrefix(never, "on")) {
				t.Errorf("%s holds %q: %s", name, never, text)
			}
		}
		if name != "context-markdown" && !strings.Contains(text, "T1566.001") {
			t.Errorf("%s holds no technique: %s", name, text)
		}
		if name != "attack" && !strings.Contains(text, "Phishing") {
			t.Errorf("%s holds no cluster: %s", name, text)
		}
	}
}

func TestOpenDataIsADescription(t *testing.T) {
	var set struct {
		Title     string
		Records   int
		Resources []struct{ URL string }
	}
	if err := json.Unmarshal([]byte(write(t, "opendata", contexts(t, true))), &set); err != nil {
		t.Fatal(err)
	}
	if set.Records != len(hostile) || len(set.Resources) != 3 || set.Resources[0].URL != "https://exchange.example/events/restSearch/json" {
		t.Errorf("%+v", set)
	}
}
