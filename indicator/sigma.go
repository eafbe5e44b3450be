package indicator

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// Sigma rules
//
// A rule is YAML: what to look for, by names, and a condition that speaks of
// these names; or it is a correlation of other rules, or a filter for them.

var sigma = form{parse: parseSigma, keys: textKeys, verbatim: true}

const (
	errSigma          = why("it is no Sigma rule: it wants title, logsource and detection, in YAML")
	errSigmaDetection = why("its detection wants at least one selection and a condition")
	errSigmaDeep      = why("it is nested more deeply than any rule")
)

// maxNesting bounds the work of reading YAML, which grows with the depth.
const maxNesting = 100

func parseSigma(s string) (_ string, err error) {
	if deep(s) {
		return "", errSigmaDeep
	}
	// A parser of strangers' text that panics must not take the exchange along.
	defer func() {
		if recover() != nil {
			err = errSigma
		}
	}()
	rules := 0
	// Several documents are one rule for several sources, or a set of rules.
	for d := yaml.NewDecoder(strings.NewReader(s)); ; {
		var doc yaml.Node
		if err := d.Decode(&doc); err != nil {
			if rules == 0 || err.Error() != "EOF" {
				return "", notYAML(err)
			}
			return s, nil
		}
		if err := checkSigma(&doc); err != nil {
			return "", err
		}
		rules++
	}
}

// notYAML passes on what the YAML parser found, which names the line.
func notYAML(err error) error {
	said := strings.TrimPrefix(err.Error(), "yaml: ")
	if said == "EOF" || len(said) > 200 || strings.ContainsAny(said, "\n") {
		return errSigma
	}
	return why("it is no Sigma rule, since it is not YAML: " + said)
}

// deep tells what is nested too deeply, by brackets or by indentation.
func deep(s string) bool {
	depth := 0
	for line := range strings.Lines(s) {
		if len(line)-len(strings.TrimLeft(line, " -?:")) > 8*maxNesting {
			return true
		}
		for i := range len(line) {
			switch line[i] {
			case '[', '{':
				depth++
			case ']', '}':
				depth = max(0, depth-1)
			}
		}
		if depth > maxNesting {
			return true
		}
	}
	return false
}

func checkSigma(doc *yaml.Node) error {
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return errSigma
	}
	rule := doc.Content[0]
	switch {
	case field(rule, "correlation") != nil, field(rule, "filter") != nil:
		return nil
	case field(rule, "action") != nil: // what the documents after it share
		return nil
	}
	detection := field(rule, "detection")
	if detection == nil {
		return errSigma
	}
	if detection.Kind != yaml.MappingNode || len(detection.Content) < 4 || field(detection, "condition") == nil {
		return errSigmaDetection
	}
	return nil
}

// field returns a mapping's value by its key, or nil.
func field(m *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return m.Content[i+1]
		}
	}
	return nil
}
