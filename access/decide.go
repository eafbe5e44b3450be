package access

import "fmt"

// An Exit is a way by which a record can reach a viewer.
type Exit uint8

const (
	Read   Exit = iota // a person or key of the exchange looks: the question is See
	Zone               // a DNS policy zone, which blocks
	List               // a block list over HTTP, which blocks
	Feed               // a feed or TAXII collection for machines
	Push               // another instance, which may pass it on
	Mail               // a digest to a mailbox
	Public             // a page for anyone
)

var exitNames = [...]string{"read", "zone", "list", "feed", "push", "mail", "public"}

func (x Exit) String() string { return exitNames[min(x, Public)] }

// blocks reports whether what leaves by x is acted upon: that takes PAP GREEN.
func (x Exit) blocks() bool { return x == Zone || x == List }

// ceiling is the strictest TLP that may leave by x.
//
// Zones, lists and feeds go to organisations that we know by name and that the
// distribution level admits. AMBER lets such an organisation protect itself and
// its clients with what it got, which is what a resolver does. AMBER+STRICT
// does not extend to clients, so it stays off every exit that serves them. RED
// is for named persons, so it leaves by no machine. Passing on to another
// instance, and so to its community, takes GREEN; anyone at all takes CLEAR.
func (x Exit) ceiling() TLP {
	switch x {
	case Read:
		return Red
	case Zone, List, Feed, Mail:
		return Amber
	case Push:
		return Green
	}
	return Clear
}

// A Record is what a decision is about.
type Record struct {
	Label     Label
	Published bool
}

// A Decision is an answer with its reason, in words for the person who asks.
type Decision struct {
	Allowed bool
	Reason  string
}

func yes(format string, args ...any) Decision { return Decision{true, fmt.Sprintf(format, args...)} }
func no(format string, args ...any) Decision  { return Decision{false, fmt.Sprintf(format, args...)} }

// Passes reports whether a record with label l may leave by x, leaving aside who
// asks and whether it is published. It is the part of the decision that can be
// computed once for each label.
func (x Exit) Passes(l Label) bool {
	return l.TLP.orDefault() <= x.ceiling() && (!x.blocks() || l.PAP <= PAPGreen)
}

// Allows reports what [Decide] answers, without the words. It asks the label
// alone, so an index can keep the answer as one bit for each label.
func (x Exit) Allows(v Viewer, l Label) bool { return v.Sees(l) && x.Passes(l) }

// Decide answers whether record r may reach v by exit x, and why.
func Decide(v Viewer, x Exit, r Record) Decision {
	see := see(v, r.Label)
	switch {
	case x == Read || !see.Allowed:
		return see
	case !r.Published:
		return no("its event is not published")
	case r.Label.TLP.orDefault() > x.ceiling():
		return no("%s does not leave by %s; the limit there is %s", r.Label.TLP.orDefault(), x, x.ceiling())
	case x.blocks() && r.Label.PAP > PAPGreen:
		return no("%s does not permit blocking; that takes PAP:GREEN", r.Label.PAP)
	}
	return yes("%s, it is published, and %s may leave by %s", see.Reason, r.Label.TLP.orDefault(), x)
}

// see answers the question See in the words of whoever asks.
func see(v Viewer, l Label) Decision {
	if v.through != nil {
		if d := see(*v.through, l); !d.Allowed {
			return no("the collection's owner may not have it, and can't hand it on: %s", d.Reason)
		}
	}
	switch {
	case v.above(l):
		return no("it is %s, and the key that asks is shown no more than %s", l.TLP.orDefault(), v.ceiling)
	case v.all:
		return yes("a site administrator sees everything")
	case v.org == 0:
		return no("nobody is asking: there is no organisation")
	case l.Owner == v.org:
		return yes("it belongs to the same organisation")
	case l.Reach == OrgOnly || l.Reach > Everyone:
		return no("it is for the owner's organisation only")
	}
	for _, g := range l.Groups {
		switch {
		case g == nobody:
			return no("it is shared with a group that has no members")
		case g != 0 && !v.MemberOf(g):
			return no("it is for sharing group %d, and the organisation is not a member", g)
		}
	}
	if l.Groups[0] != 0 {
		return yes("the organisation is a member of its sharing group")
	}
	return yes("it is shared with %s", reachNames[l.Reach])
}

var reachNames = [...]string{"the owner's organisation only", "this community", "this and connected communities", "all communities"}
