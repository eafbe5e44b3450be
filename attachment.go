package tocsin

// KindAttachment is that of attachments.
const KindAttachment Kind = 90

// An Attachment is the content that goes with an attribute: a document, a picture, or
// a sample of malware locked away in a zip (MISP core format, section 2.4, data). The
// record says what the content is; the content itself is kept beside the store, under
// its sum. It is About the attribute, and whoever may have that may have it.
type Attachment struct {
	Head
	SHA256 string `json:"sha256"` // of the content, in lower-case hex
	Size   int64  `json:"size"`   // in octets
}

func (*Attachment) Kind() Kind { return KindAttachment }
