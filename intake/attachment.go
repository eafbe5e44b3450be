package intake

import (
	"tocsin"
	"tocsin/store"
)

// attachments puts what came with drafts beside the attributes that were added of
// them, which are in the same order.
func (w *writing) attachments(added store.Addition, from []*Draft) error {
	for i, a := range added.Added {
		if err := w.attach(a.ID, from[added.From[i]].Attachment); err != nil {
			return err
		}
	}
	return nil
}

// attach has an attribute hold content, in place of what it held.
func (w *writing) attach(attribute int64, is *tocsin.Attachment) error {
	if is == nil {
		return nil
	}
	old, err := w.tx.AttachmentOf(attribute)
	switch {
	case err != nil:
		return err
	case old == nil:
		a := *is
		a.About = tocsin.Link{Kind: tocsin.KindAttribute, ID: attribute}
		return store.AddRemark(w.tx, &a)
	case old.SHA256 == is.SHA256:
		return nil
	}
	_, err = store.EditRemark(w.tx, old.ID, func(x *tocsin.Attachment) error {
		x.SHA256, x.Size = is.SHA256, is.Size
		return nil
	})
	return err
}
