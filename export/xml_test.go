package export_test

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"

	"tocsin/export"
)

func TestXMLIsWhatMISPWrites(t *testing.T) {
	for json, want := range map[string]string{
		`{"Event":{"id":1,"info":"a & b","published":false,"extends_uuid":"","protected":null,"Attribute":[{"id":1,"Galaxy":[]},{"id":2,"value":"x\ny"}]}}`: "<Event><id>1</id><info>a &amp; b</info><published>0</published><extends_uuid/><protected/><Attribute><id>1</id><Galaxy/></Attribute><Attribute><id>2</id><value>x\ny</value></Attribute></Event>",
		`{"response":[{"Event":{"id":1}},{"Event":{"id":2}}]}`: "<Event><id>1</id></Event><Event><id>2</id></Event>",
		`{"response":{"Attribute":[{"id":1},{"id":2}]}}`:       "<Attribute><id>1</id></Attribute><Attribute><id>2</id></Attribute>",
		`{"response":[]}`: "",
		`[{"Organisation":{"name":"A","local":true}}]`:                                                                    "<Organisation><name>A</name><local>1</local></Organisation>",
		`{"tags":["a","b"],"none":[],"1x y":"<\/script>\u003c\u0000\ud83d\ude00"}`:                                        "<tags>a</tags><tags>b</tags><none/><_1x_y>&lt;/script&gt;&lt;\uFFFD\U0001F600</_1x_y>",
		`{"Event":{"locked":false,"a":1,"Galaxy":[],"Attribute":[{"Event":{"id":1,"x":["y"]},"value":"v","Galaxy":[]}]}}`: "<Event><a>1</a><Attribute><value>v</value><Galaxy/></Attribute></Event>",
		"{\"x\":\"\uFFFE\"}": "<x>\uFFFD</x>",
	} {
		for _, size := range []int{1, 7, len(json)} { // pieces end anywhere
			var out bytes.Buffer
			x := export.NewXML(&out)
			for rest := []byte(json); len(rest) > 0; rest = rest[min(size, len(rest)):] {
				x.Write(rest[:min(size, len(rest))])
			}
			if x.Close(); out.String() != "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<response>"+want+"</response>\n" {
				t.Errorf("%s\nbecomes %s\nnot     %s", json, out.String(), want)
			}
			if err := xml.Unmarshal(out.Bytes(), new(struct{})); err != nil {
				t.Errorf("%s: %v", json, err)
			}
		}
	}
}

func TestXMLThatBreaksOffIsNotWellFormed(t *testing.T) {
	var out bytes.Buffer
	export.NewXML(&out).Write([]byte(strings.Repeat(`[{"a":"b"},`, 9000)))
	if out.Len() == 0 || xml.Unmarshal(out.Bytes(), new(struct{})) == nil {
		t.Error("half a document is taken for a whole one")
	}
}
