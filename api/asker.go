package api

import (
	"strconv"

	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"

	"tocsin"
)

// An asker asks an index for one viewer and writes the answers down. Everything
// it needs for a line it keeps and uses again.
type asker struct {
	look     Look
	labels   *access.Labels
	view     store.View
	endings  *endings
	parents  bool // also what contains the value
	mentions bool // also what only mentions it

	claims []Claim
	out    []byte
	key    []byte
	orgs   map[int64][]byte // names, as JSON
}

func (a *API) asker(v access.Viewer) *asker {
	return &asker{
		look: a.Index.Look(a.db.Labels().Sight(v, access.Read)), labels: a.db.Labels(), view: a.db.As(v),
		endings: &a.endings, orgs: map[int64][]byte{},
	}
}

// maxClaims is how many claims on one value are listed. What more people than
// that have claimed is known well enough.
const maxClaims = 100

// answer appends the answer to one line: a JSON string, an object with a
// "value", or the bare value.
func (k *asker) answer(line []byte) {
	text, given, err := readValue(line)
	if err != nil {
		k.refuse(line, err.Error())
		return
	}
	q, err := k.question(text)
	if err != nil {
		k.begin(text, given)
		k.out = append(k.out, `,"found":false,"error":`...)
		k.out = appendString(k.out, err.Error())
		k.out = append(k.out, '}', '\n')
		return
	}
	k.begin(text, given)
	k.out = append(k.out, `,"key":`...)
	k.out = appendString(k.out, string(q.key))
	first := true
	more := k.list(q.key, "", &first)
	if k.mentions && q.mention != "" {
		more = k.list(q.mention, q.mention, &first) || more
	}
	if k.parents {
		for _, p := range q.key.Parents() {
			more = k.list(p, p, &first) || more
		}
	}
	switch {
	case first:
		k.out = append(k.out, ",\"found\":false}\n"...)
	case more:
		k.out = append(k.out, "],\"more\":true}\n"...)
	default:
		k.out = append(k.out, "]}\n"...)
	}
}

// refuse appends the answer to a line that holds no value.
func (k *asker) refuse(line []byte, why string) {
	k.out = append(k.out, `{"value":`...)
	k.out = appendString(k.out, string(line))
	k.out = append(k.out, `,"found":false,"error":`...)
	k.out = appendString(k.out, why)
	k.out = append(k.out, '}', '\n')
}

// begin appends the value as it was given: given is its JSON, if it came as such.
func (k *asker) begin(text, given []byte) {
	k.out = append(k.out, `{"value":`...)
	if given != nil {
		k.out = append(k.out, given...)
	} else {
		k.out = appendString(k.out, string(text))
	}
}

// A question is what a value is looked up under.
type question struct{ key, mention indicator.Key }

func (k *asker) question(text []byte) (question, error) {
	if k.endings.plainName(text) {
		q := question{key: k.join("d:", text)}
		if k.mentions {
			q.mention = k.join("m:", text)
		}
		return q, nil
	}
	v, err := indicator.Detect(string(text))
	if err != nil {
		return question{}, err
	}
	q := question{key: v.Keys()[0]}
	if k.mentions {
		if names := v.Facets().Names; len(names) > 0 {
			q.mention = names[0].MentionKey()
		}
	}
	return q, nil
}

func (k *asker) join(prefix string, text []byte) indicator.Key {
	k.key = append(append(k.key[:0], prefix...), text...)
	return indicator.Key(k.key)
}

// list appends the claims under key, which were found by way of via.
func (k *asker) list(key, via indicator.Key, first *bool) (more bool) {
	k.claims, more = k.look.FindMax(key, k.claims[:0], maxClaims)
	for i := range k.claims {
		if *first {
			k.out = append(k.out, `,"found":true,"claims":[`...)
			*first = false
		} else {
			k.out = append(k.out, ',')
		}
		k.claim(&k.claims[i], via)
	}
	return more
}

func (k *asker) claim(c *Claim, via indicator.Key) {
	b := append(k.out, `{"attribute":`...)
	b = strconv.AppendInt(b, c.Attribute, 10)
	b = append(b, `,"event":`...)
	b = strconv.AppendInt(b, c.Event, 10)
	b = append(b, `,"event_uuid":"`...)
	b = c.EventUUID.Append(b)
	b = append(b, `","type":"`...) // a type's and a category's name hold nothing to escape
	if t, ok := indicator.TypeByID(c.Type); ok {
		b = append(b, t.Name...)
	}
	b = append(b, `","category":"`...)
	b = append(b, c.Category.String()...)
	b = append(b, `","org":`...)
	b = append(b, k.org(c.Orgc)...)
	b = append(b, `,"to_ids":`...)
	b = strconv.AppendBool(b, c.ToIDS)
	b = append(b, `,"published":`...)
	b = strconv.AppendBool(b, c.Published)
	b = append(b, `,"tlp":"`...)
	b = append(b, k.tlp(c).String()...)
	b = append(b, '"')
	if via != "" {
		b = append(b, `,"via":`...)
		b = appendString(b, string(via))
	}
	k.out = append(b, '}')
}

// tlp is the marking that holds for a claim: the stricter one of its own and its
// event's, or what holds where nobody said anything.
func (k *asker) tlp(c *Claim) access.TLP {
	t := max(k.labels.Label(c.Label).TLP, k.labels.Label(c.EventLabel).TLP)
	if t == access.Unmarked {
		return access.DefaultTLP
	}
	return t
}

// org returns an organisation's name as JSON.
func (k *asker) org(id int64) []byte {
	name, ok := k.orgs[id]
	if !ok {
		name = []byte(`""`)
		if o, err := store.One[*tocsin.Organisation](k.view, id); err == nil {
			name = appendString(nil, o.Name)
		}
		k.orgs[id] = name
	}
	return name
}
