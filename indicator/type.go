package indicator

// A Type is one row of the table of types: a MISP attribute type with all that
// is particular to it.
type Type struct {
	ID              uint16 // for storage; stable, never reused
	Name            string // MISP's name
	DefaultCategory string
	Categories      []string // those it may appear in, MISP's order
	ToIDS           bool     // MISP's default for to_ids
	Correlates      bool     // two equal values have something to do with each other

	categories categorySet
	form
}

// A form is how the values of one or more types behave. Only parse and keys
// are needed; parse gets text that [clean] has passed, the others a normal form.
type form struct {
	plain  func(text string) bool            // it is a normal form as it stands
	parse  func(text string) (string, error) // to the normal form
	facets func(text string) Facets
	keys   func(dst []Key, text string) []Key
	cut    func(text string) (value1, value2 string)
	alone  bool // values are equal by chance: a counter's 4, a port's 443
	// verbatim says that the key of a text that parse takes is [textKeys] of that text.
	verbatim bool
}

func alone(f form) form {
	f.alone = true
	return f
}

var byName, byID = indexTypes(types)

func newTypes(rows []row) []Type {
	ts := make([]Type, len(rows))
	for i, r := range rows {
		ts[i] = Type{
			ID: r.id, Name: r.name, ToIDS: r.toIDS,
			DefaultCategory: r.category.String(), Categories: r.categories.names(),
			Correlates: !r.form.alone, categories: r.categories, form: r.form,
		}
	}
	return ts
}

func indexTypes(types []Type) (map[string]*Type, []*Type) {
	names, ids := make(map[string]*Type, len(types)), []*Type{}
	for i := range types {
		t := &types[i]
		names[t.Name] = t
		for len(ids) <= int(t.ID) {
			ids = append(ids, nil)
		}
		ids[t.ID] = t
	}
	return names, ids
}

// Types returns all types, in the order of the table.
func Types() []*Type {
	ts := make([]*Type, len(types))
	for i := range types {
		ts[i] = &types[i]
	}
	return ts
}

// TypeByName finds a type by its MISP name, which is case-sensitive ("AS").
func TypeByName(name string) (*Type, bool) {
	t, ok := byName[name]
	return t, ok
}

// TypeByID finds a type by its number in storage.
func TypeByID(id uint16) (*Type, bool) {
	if int(id) >= len(byID) || byID[id] == nil {
		return nil, false
	}
	return byID[id], true
}

// Allows reports whether values of type t may appear in category c.
func (t *Type) Allows(c Category) bool { return t.categories&c.set() != 0 }
