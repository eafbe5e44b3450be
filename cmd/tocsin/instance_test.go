package main

import "testing"

// TestInstanceHasAName asks an exchange whose organisations came after it began to
// serve, as a demo's do, by which uuid peers know it.
func TestInstanceHasAName(t *testing.T) {
	w := newWorld(t, "telecom")
	answer := w.must("telecom", "GET", "/servers/getVersion", nil)
	if answer["uuid"] == "" || answer["uuid"] != w.instance().String() {
		t.Errorf("the exchange is known as %q, not %s", answer["uuid"], w.instance())
	}
}
