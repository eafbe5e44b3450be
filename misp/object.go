package misp

import "tocsin"

// AppendObject appends an object by itself, as objects/view answers it,
// unwrapped: with its attributes, unless they are nil, and, unless it is nil,
// with its event. f is the attributes' form: [Split] after objects/add, else [InObject].
func (c *Encoder) AppendObject(b []byte, o *tocsin.Object, e *tocsin.Event, attributes []tocsin.Attribute, f Form) []byte {
	b = appendObject(b, o)
	if e != nil {
		b = c.AppendEventBrief(append(b, `,"Event":`...), e)
	}
	if attributes != nil {
		b = append(b, `,"Attribute":[`...)
		for i := range attributes {
			if i > 0 {
				b = append(b, ',')
			}
			b = c.AppendAttribute(b, &attributes[i], f, More{})
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// AppendEventBrief appends what objects say of their event.
func (c *Encoder) AppendEventBrief(b []byte, e *tocsin.Event) []byte {
	b = appendInt(append(b, `{"id":`...), e.ID)
	b = appendText(append(b, `,"info":`...), e.Info)
	b = appendInt(append(b, `,"org_id":`...), e.Org)
	b = appendInt(append(b, `,"orgc_id":`...), e.Orgc)
	return append(b, '}')
}

// appendObject appends the words of o that every form has, without the end.
func appendObject(b []byte, o *tocsin.Object) []byte {
	b = appendInt(append(b, `{"id":`...), o.ID)
	b = appendUUID(append(b, `,"uuid":`...), o.UUID)
	b = appendInt(append(b, `,"event_id":`...), o.Event)
	b = appendText(append(b, `,"name":`...), o.Name)
	b = appendText(append(b, `,"meta-category":`...), o.MetaCategory)
	b = appendText(append(b, `,"description":`...), o.Description)
	b = appendUUID(append(b, `,"template_uuid":`...), o.TemplateUUID)
	b = appendInt(append(b, `,"template_version":`...), int64(o.TemplateVersion))
	b = appendInt(append(b, `,"timestamp":`...), o.Timestamp)
	b = appendInt(append(b, `,"distribution":`...), int64(o.Distribution))
	b = appendInt(append(b, `,"sharing_group_id":`...), o.Group)
	b = appendText(append(b, `,"comment":`...), o.Comment)
	b = appendBool(append(b, `,"deleted":`...), o.Deleted)
	b = appendSeen(append(b, `,"first_seen":`...), o.FirstSeen)
	return appendSeen(append(b, `,"last_seen":`...), o.LastSeen)
}
