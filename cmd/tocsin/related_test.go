package main

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

// Events are related not only by equal values: an address and the range around
// it have to do with each other, and so have files that are alike. What somebody
// may not see relates nothing for him.
func TestEventsAreRelatedByRangesAndLikeness(t *testing.T) {
	const (
		file    = "192:Cf+JaqvlWFWYFQrbwiGYKdvB6TN/vuzUvk+/LZ84i5DHvF6bPuKNHyg8MUwE42gj:Cfq82+YJnuAHLZIDHtoPrHl8MM42hK7"
		variant = "96:cvPYsndjYJarGGPW1hQSTE0WFWM7FvIeHurhwk2IKvQuCIqQSUeq1iRNnbYPnflY:Cf+JaqvlWFWYFQrbwiGYKdvB6TL"
		other   = "192:MzuJaEtjBWFWdEcne8Y+DBxKdLGyOp3TKyRTEUHLZkakrJzNB7J6bbGONHlQ48Mx:Mzy4AWIDKyRnLZEzD1objHZ8M4AKlm7"
	)
	w := newWorld(t, "telco", "provider")
	event := func(org string, distribution int, typ, value string) string {
		out := w.must(org, "POST", "/events/add", map[string]any{"Event": map[string]any{"info": value, "distribution": distribution, "published": true,
			"Attribute": []map[string]any{{"type": typ, "value": value}}}})
		return fmt.Sprint(out["Event"].(map[string]any)["id"])
	}
	network := event("telco", 1, "ip-dst", "198.51.100.0/24")
	address := event("provider", 1, "ip-dst|port", "198.51.100.7|443")
	event("provider", 0, "ip-src", "198.51.100.8")
	event("provider", 1, "ip-src", "203.0.113.7")
	sample := event("telco", 1, "filename|ssdeep", "x.exe|"+file)
	similar := event("provider", 1, "ssdeep", variant)
	event("provider", 0, "ssdeep", file)
	event("provider", 1, "ssdeep", other)

	for _, tt := range []struct{ org, id, want string }{
		{"telco", network, address}, {"telco", address, network}, {"telco", sample, similar}, {"telco", similar, sample},
	} {
		related := map[string]bool{}
		found, _ := w.must(tt.org, "GET", "/events/view/"+tt.id, nil)["Event"].(map[string]any)["RelatedEvent"].([]any)
		for _, r := range found {
			related[fmt.Sprint(r.(map[string]any)["Event"].(map[string]any)["id"])] = true
		}
		if got := slices.Sorted(maps.Keys(related)); !slices.Equal(got, []string{tt.want}) {
			t.Errorf("event %s is related to %v, want %s alone", tt.id, got, tt.want)
		}
	}
}
