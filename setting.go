package tocsin

// A Setting is something that an instance's administrators decide for all who use
// it. One that nobody decided has no record, and its zero value is the default.
type Setting struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

// DefaultAttachment and MostAttachment are what [AttachmentLimit] is by itself, and what
// it may be, in octets.
const (
	DefaultAttachment = 50 << 20
	MostAttachment    = 64 << 20
)

// Settings that are known, by name.
const (
	// SightingPolicy is who is shown the sightings of others, by MISP's numbers: see
	// package store.
	SightingPolicy = "sightings.policy"
	// SightingAnonymous is "true" where nobody is told whose a sighting is.
	SightingAnonymous = "sightings.anonymous"
	// HostOrganisation is the id of the organisation that runs the instance.
	HostOrganisation = "host"
	// DefaultRole is the id of the role that a new user has if nobody says another.
	DefaultRole = "role.default"
	// OpenRegistration is "true" where anybody may ask to become a user.
	OpenRegistration = "registration.open"
	// PrivatePeers is "true" where connections may be made to addresses that are not
	// public: peers and feeds in the operator's own network.
	PrivatePeers = "peers.private"
	// EventDistribution is how far an event goes that a client of MISP's API adds and
	// says nothing of it, by MISP's numbers. Nobody decided: 1, this community, as
	// MISP has it. The portal and lists share nothing that nobody said.
	EventDistribution = "event.distribution"
	// Delegation is "true" where events may be handed over to another organisation.
	Delegation = "event.delegation"
	// AttachmentLimit is how many octets one attachment may have, as PHP's
	// upload_max_filesize is for MISP. Nobody decided: 50 MiB. More than
	// [MostAttachment] is not taken by any setting.
	AttachmentLimit = "attachment.limit"
)
