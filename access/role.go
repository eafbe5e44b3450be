package access

// A Permission is one thing that a role may do, as MISP divides them.
type Permission uint32

const (
	Auth             Permission = 1 << iota // use an API key
	Add                                     // create events and change one's own
	ModifyOrg                               // change all events of one's organisation
	Publish                                 // publish events of one's organisation
	Tag                                     // attach tags
	TagEditor                               // create tags
	SharingGroup                            // create sharing groups
	Sync                                    // speak for another instance
	OrgAdmin                                // administer the users of one's organisation
	SiteAdmin                               // administer everything
	Sighting                                // say that one has seen an attribute
	Analyst                                 // write notes, opinions and relationships
	GalaxyEditor                            // write clusters
	Delegate                                // ask others to take an event over
	Audit                                   // read the log of one's organisation
	Template                                // make templates of events
	ObjectTemplate                          // make templates of objects
	Decaying                                // make models by which indicators age
	Warninglist                             // edit lists of what should not be blocked
	Regexp                                  // edit what is rewritten or allowed as it comes in
	FeedCorrelations                        // see what feeds have in common with events
	ZMQ                                     // publish to a message queue
	Kafka                                   // likewise
)

// A Role is a set of permissions. The zero Role may only look.
type Role Permission

// May reports whether the role holds p.
func (r Role) May(p Permission) bool { return Permission(r)&p == p }

// A NamedRole is a role that comes with every exchange.
type NamedRole struct {
	ID   int64
	Name string
	Role Role
}

const (
	reader    = Role(Auth | Audit)
	user      = reader | Role(Add|ModifyOrg|Tag|Sighting|Analyst|GalaxyEditor|Decaying)
	publisher = user | Role(Publish|Delegate|ZMQ|Kafka)
	orgAdmin  = publisher | Role(OrgAdmin|SharingGroup|TagEditor|Template)
	syncUser  = publisher | Role(Sync|SharingGroup|TagEditor)
	siteAdmin = orgAdmin | syncUser | Role(SiteAdmin|ObjectTemplate|Warninglist|Regexp|FeedCorrelations)
)

// Roles are MISP's default roles, with MISP's ids, names and powers.
var Roles = []NamedRole{
	{1, "admin", siteAdmin},
	{2, "Org Admin", orgAdmin},
	{3, "User", user},
	{4, "Publisher", publisher},
	{5, "Sync user", syncUser},
	{6, "Read Only", reader},
}

// RoleByID returns MISP's role of that id.
func RoleByID(id int64) (NamedRole, bool) {
	if id < 1 || id > int64(len(Roles)) {
		return NamedRole{}, false
	}
	return Roles[id-1], true
}
