package mispapi

import (
	"fmt"
	"slices"
	"strings"

	"tocsin"
	"tocsin/misp"
	"tocsin/vocab"
)

// templated holds an object to its template, if that is known here: what the template
// says of itself the object says, too, and what it wants of its version the object must
// have. It returns what is wrong with the object, "" for nothing. An object of another
// template is kept as it comes.
func (c *call) templated(o *misp.Object) (string, error) {
	known, err := c.view.Library().ByUUID(tocsin.ObjectTemplates, o.TemplateUUID.Or(tocsin.UUID{}))
	if tocsin.CodeOf(err) == tocsin.NotFound {
		return untemplated(o), nil
	}
	if err != nil {
		return "", err
	}
	t, err := c.view.Library().Template(c.r.Context(), known)
	if err != nil {
		return "", err
	}
	o.Name, o.MetaCategory, o.Description = misp.Said(t.Name), misp.Said(t.MetaCategory), misp.Said(t.Description)
	if o.TemplateVersion.Or(known.Version) != known.Version {
		return "", nil
	}
	o.TemplateVersion = misp.Said(known.Version)
	return lacking(t, o.Attributes), nil
}

// lacking says which attributes a template wants and an object has not.
func lacking(t *vocab.ObjectTemplate, as []misp.Attribute) string {
	has := func(relation string) bool {
		return slices.ContainsFunc(as, func(a misp.Attribute) bool { return a.Relation.Or("") == relation })
	}
	for _, want := range t.Required {
		if !has(want) {
			return fmt.Sprintf("Could not save the object as a required attribute is not set (%s)", want)
		}
	}
	if len(t.RequiredOneOf) > 0 && !slices.ContainsFunc(t.RequiredOneOf, has) {
		return "Could not save the object as it requires at least one of the following attributes to be set: " + strings.Join(t.RequiredOneOf, ", ")
	}
	return ""
}

// untemplated says what an object lacks that has to say itself what it is.
func untemplated(o *misp.Object) string {
	lacks := ""
	switch {
	case o.Name.Or("") == "":
		lacks = "name"
	case !o.MetaCategory.Present():
		lacks = "meta-category"
	case !o.Description.Present():
		lacks = "description"
	case !o.TemplateVersion.Present():
		lacks = "template_version"
	case !o.TemplateUUID.Present():
		lacks = "template_uuid"
	default:
		return ""
	}
	return "Object could not be saved.\ntemplate: No valid template found and object lacking template information. (" + lacks + ")"
}
