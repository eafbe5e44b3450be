package export

import (
	"html"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin"
)

// A Meaning is what is known of a tag beside its name.
type Meaning struct {
	Colour string
	// Of a tag of a taxonomy:
	Namespace, About string // the taxonomy's name, and what it is for
	Word, Text       string // what stands for it in the taxonomy, and what it means
	// Of a tag of a galaxy:
	Galaxy, Cluster, Description string
}

// aggregated is what was found of tags, each once, with how many records carry it.
type aggregated struct {
	count map[string]int
	event int64
}

// maxAggregated bounds how many different tags are told.
const maxAggregated = 20_000

func (g *aggregated) add(tags []string) {
	for _, t := range tags {
		if g.count[t] > 0 || len(g.count) < maxAggregated {
			g.count[t]++
		}
	}
}

// aggregate counts the tags of what was found, of whole events those of the events too.
func (a *Answer) aggregate() (*aggregated, error) {
	g := &aggregated{count: map[string]int{}}
	for c, err := range a.Claims() {
		if err != nil {
			return nil, err
		}
		if c.Event != g.event {
			g.event = c.Event
			g.add(a.Names(c.In.Tags))
		}
		if c.Tags != "" {
			g.add(a.Names(c.Tags))
		}
	}
	return g, nil
}

// sorted are the tags that some taxonomy or galaxy explains, in order of its name.
func (g *aggregated) sorted(a *Answer, of func(Meaning) string) (groups []group) {
	for _, tag := range slices.Sorted(mapKeys(g.count)) {
		m := a.Meaning(tag)
		name := of(m)
		if name == "" {
			continue
		}
		i := slices.IndexFunc(groups, func(x group) bool { return x.name == name })
		if i < 0 {
			groups, i = append(groups, group{name: name, about: m.About}), len(groups)
		}
		groups[i].tags = append(groups[i].tags, tagged{tag, m, g.count[tag]})
	}
	slices.SortFunc(groups, func(x, y group) int { return strings.Compare(x.name, y.name) })
	return groups
}

type group struct {
	name, about string
	tags        []tagged
}

type tagged struct {
	name string
	Meaning
	records int
}

func mapKeys(m map[string]int) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// readable is black or white, whichever can be read on a colour.
func readable(colour string) string {
	n, err := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 32)
	if err != nil || len(colour) != 7 {
		return "black"
	}
	if (n>>16&255)*2+(n>>8&255)*3+(n&255) > 3*255 {
		return "black"
	}
	return "white"
}

// badge is a tag as MISP shows it.
func badge(t *tagged) string {
	colour := t.Colour
	if _, err := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 32); err != nil || len(colour) != 7 {
		colour = "#ffffff"
	}
	return `<span class="tag-container"><span class="tag" style="background-color: ` + colour + `; color: ` + readable(colour) + `">` +
		html.EscapeString(t.name) + `</span></span>`
}

// oneParagraph is a text of somebody else's as a line of Markdown that can't be more
// than a text.
func oneParagraph(s string) string {
	return unmarkdown.Replace(html.EscapeString(strings.Join(strings.Fields(s), " ")))
}

// unmarkdown takes the meaning from what makes links, pictures and code.
var unmarkdown = strings.NewReplacer("[", "&#91;", "]", "&#93;", "`", "&#96;", "*", "&#42;", `\\`, "&#92;")

// writeMarkdown writes what stands around what was found: taxonomies, galaxies.
func writeMarkdown(w *Writer, a *Answer) error {
	g, err := a.aggregate()
	if err != nil {
		return err
	}
	w.add("# Aggregated context data\n## Tags and Taxonomies\n")
	for _, of := range g.sorted(a, func(m Meaning) string { return m.Namespace }) {
		w.add("#### ", of.name, "\n*", oneParagraph(of.about), "*\n")
		for _, t := range of.tags {
			w.add("- ", badge(&t), "\n\n    - **", oneParagraph(t.Word), "**: ", oneParagraph(t.Text), "\n")
		}
	}
	w.add("## Galaxy Clusters\n")
	for _, of := range g.sorted(a, func(m Meaning) string { return m.Galaxy }) {
		w.add("#### ", oneParagraph(of.name), "\n")
		for _, t := range of.tags {
			w.add("- *", oneParagraph(t.Cluster), "*: ", oneParagraph(t.Description), "\n")
		}
	}
	return w.End()
}

// writeContext writes the same as a piece of HTML, with the techniques as a table.
func writeContext(w *Writer, a *Answer) error {
	g, err := a.aggregate()
	if err != nil {
		return err
	}
	w.add("<div>\n<h2>Tags and Taxonomies</h2>\n<div>")
	for _, of := range g.sorted(a, func(m Meaning) string { return m.Namespace }) {
		w.add("<div><h4><code>", html.EscapeString(of.name), "</code></h4></div><div><i>", html.EscapeString(of.about), "</i></div><ul>")
		for _, t := range of.tags {
			w.add("<li>", badge(&t), "</li><ul><li><strong>", html.EscapeString(t.Word), "</strong>: ", html.EscapeString(t.Text), "</li></ul>")
		}
		w.add("</ul>")
	}
	w.add("</div>\n<h2>Mitre ATT&amp;CK Matrix</h2>\n")
	w.matrix(a, g)
	w.add("<h2>Galaxy Clusters</h2>\n<div>")
	for _, of := range g.sorted(a, func(m Meaning) string { return m.Galaxy }) {
		w.add("<h4>", html.EscapeString(of.name), "</h4><ul>")
		for _, t := range of.tags {
			w.add("<li><strong>", html.EscapeString(t.Cluster), "</strong>: ", html.EscapeString(t.Description), "</li>")
		}
		w.add("</ul>")
	}
	w.add("</div>\n</div>\n")
	return w.End()
}

// techniques are the tags that stand for techniques of ATT&CK.
const techniques = `misp-galaxy:mitre-attack-pattern="`

// techniqueID is the number of the technique that a tag stands for, "" if for none.
func techniqueID(tag string) string {
	value, ok := strings.CutPrefix(tag, techniques)
	if !ok {
		return ""
	}
	at := strings.LastIndex(value, " - ")
	id := strings.TrimSuffix(value[max(0, at):], `"`)
	id = strings.TrimPrefix(id, " - ")
	if at < 0 || len(id) < 5 || id[0] != 'T' || strings.Trim(id[1:], "0123456789.") != "" {
		return ""
	}
	return id
}

// writeMatrix writes the techniques that were found, the more often the darker.
func writeMatrix(w *Writer, a *Answer) error {
	g, err := a.aggregate()
	if err != nil {
		return err
	}
	w.matrix(a, g)
	return w.End()
}

// matrix writes a table of techniques. It loads nothing from anywhere.
func (w *Writer) matrix(a *Answer, g *aggregated) {
	most := 1
	for tag, n := range g.count {
		if techniqueID(tag) != "" {
			most = max(most, n)
		}
	}
	w.add(`<div id="attackmatrix_div" class="statistics_attack_matrix"><table class="matrix-table"><thead><tr><th>Technique</th><th>Name</th><th>Records</th></tr></thead><tbody>`)
	for _, tag := range slices.Sorted(mapKeys(g.count)) {
		id := techniqueID(tag)
		if id == "" {
			continue
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(tag, techniques), " - ")
		shade := strconv.Itoa(255 - 155*g.count[tag]/most)
		w.add("\n<tr style=\"background-color: rgb(255, ", shade, ", ", shade, ")\"><td>", id, "</td><td>", html.EscapeString(name), "</td><td>",
			strconv.Itoa(g.count[tag]), "</td></tr>")
	}
	w.add("\n</tbody></table></div>\n")
}

// writeAttackSightings writes that techniques were seen, as ATT&CK's Sightings
// Ecosystem takes it: of each record with techniques, from its own time and those of
// its sightings.
func writeAttackSightings(w *Writer, a *Answer) error {
	first, event := true, int64(0)
	put := func(id tocsin.UUID, tags []string, times []int64) {
		var ids []string
		for _, t := range tags {
			if id := techniqueID(t); id != "" {
				ids = append(ids, id)
			}
		}
		if len(ids) == 0 {
			return
		}
		if !first {
			w.add(",")
		}
		first = false
		w.add(`{"id":"`, id.String(), `","sightingType":"direct-technique-sighting","startTime":"`, utc(slices.Min(times)), `","endTime":"`, utc(slices.Max(times)),
			`","detectionType":"raw","techniques":[`)
		for i, t := range ids {
			if i > 0 {
				w.add(",")
			}
			w.add(`{"techniqueID":"`, t, `"}`)
		}
		w.add("]}")
	}
	w.add("[")
	for c, err := range a.Claims() {
		if err != nil {
			return err
		}
		if a.Whole && c.Event != event {
			event = c.Event
			put(c.In.UUID, a.Names(c.In.Tags), []int64{c.In.Timestamp})
		}
		if c.Tags != "" {
			times, err := a.Sighted(c.Attribute)
			if err != nil {
				return err
			}
			put(c.UUID, a.Names(c.Tags), append(times, c.Timestamp))
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	w.add("]")
	return w.End()
}

func utc(at int64) string { return time.Unix(at, 0).UTC().Format("2006-01-02T15:04:05Z") }

// writeOpenData writes what a portal of open data is told of a data set: what it is
// called and where it is found. MISP sends it there itself; here whoever asks does,
// since an exchange does not log in anywhere with a key that somebody sends along.
func writeOpenData(w *Writer, a *Answer) error {
	title := a.Said("setup")
	if title == "" {
		title = "Threat intelligence of " + a.Host
	}
	n := 0
	types := map[string]int{}
	for c, err := range a.Claims() {
		if err != nil {
			return err
		}
		n++
		types[c.Value.TypeName()]++
	}
	w.B = appendJSON(append(w.B, `{"title":`...), title)
	w.B = appendJSON(append(w.B, `,"organization":`...), a.Host)
	w.B = append(strconv.AppendInt(append(w.B, `,"records":`...), int64(n), 10), `,"resources":[`...)
	scope := "attributes"
	if a.Whole {
		scope = "events"
	}
	for i, f := range []string{"json", "csv", "stix2"} {
		if i > 0 {
			w.add(",")
		}
		w.B = appendJSON(append(w.B, `{"title":`...), scope+" as "+f)
		w.B = appendJSON(append(w.B, `,"format":`...), f)
		w.B = append(appendJSON(append(w.B, `,"url":`...), a.Base+"/"+scope+"/restSearch/"+f), '}')
	}
	w.add(`],"tags":[`)
	for i, t := range slices.Sorted(mapKeys(types)) {
		if i > 0 {
			w.add(",")
		}
		w.B = appendJSON(w.B, t)
	}
	w.add("]}")
	return w.End()
}
