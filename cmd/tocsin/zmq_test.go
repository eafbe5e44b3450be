package main

import (
	"bufio"
	"os/exec"
	"strings"
	"testing"
	"time"

	"tocsin/internal/lab"
)

// subscriber is a program of somebody else's, on libzmq: it prints each message
// that it gets.
const zmqSubscriber = `
import sys, zmq
s = zmq.Context().socket(zmq.SUB)
s.connect("tcp://" + sys.argv[1])
s.subscribe("misp_json")
while True:
    print(s.recv().decode(), flush=True)
`

// TestZMQ has a program listen to what is published and what is pushed.
func TestZMQ(t *testing.T) {
	python := lab.NeedModule(t, "zmq")
	w := newWorldWith(t, config{ZMQ: "127.0.0.1:0"}, "telecom", "rival")
	program := exec.CommandContext(t.Context(), python, "-c", zmqSubscriber, w.bus.Addr())
	out, err := program.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	defer program.Wait()
	defer program.Process.Kill()
	messages := make(chan string, 100)
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			messages <- lines.Text()
		}
	}()
	event := func(org, info, more string) string {
		answer := w.must(org, "POST", "/events/add", `{"Event":{"info":"`+info+`",`+more+`"Attribute":[{"type":"domain","value":"lantern.example"}]}}`)
		return answer["Event"].(map[string]any)["uuid"].(string)
	}
	// A subscription takes a moment to reach us, and what is sent before is gone.
	pushed := event("telecom", "pushed", `"distribution":0,`)
	for got := false; !got; {
		w.must("telecom", "POST", "/events/pushEventToZMQ/"+pushed, nil)
		select {
		case m := <-messages:
			got = strings.HasPrefix(m, `misp_json {"Event":{`) && strings.Contains(m, pushed) && strings.Contains(m, "lantern.example")
			if !got {
				t.Fatalf("message %.200q", m)
			}
		case <-time.After(20 * time.Millisecond):
		}
	}
	hidden := event("rival", "hidden", `"distribution":0,"published":true,`)
	shared := event("rival", "shared", `"distribution":1,"published":true,`)
	for m := range messages {
		if strings.Contains(m, hidden) {
			t.Fatalf("what the first organisation may not see was sent: %.200q", m)
		}
		if strings.Contains(m, shared) {
			break
		}
	}
}
