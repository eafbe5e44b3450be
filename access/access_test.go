package access

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// A model of MISP's rules in as many words as it takes, to hold the short code
// against. It knows the record's levels one by one, never a settled label.
type part struct {
	dist  Distribution
	group int64
	tlp   TLP
	pap   PAP
}

func modelSees(org int64, groups []int64, owner int64, parts []part) bool {
	if org == 0 {
		return false
	}
	if org == owner {
		return true
	}
	for _, p := range parts {
		switch p.dist {
		case OrgOnly:
			return false
		case Group:
			if p.group == 0 || !slices.Contains(groups, p.group) {
				return false
			}
		}
	}
	return true
}

// modelBeneath is a key's ceiling: nothing stricter, and what is not marked is GREEN.
func modelBeneath(ceiling TLP, parts []part) bool {
	strictest := Unmarked
	for _, p := range parts {
		strictest = max(strictest, p.tlp)
	}
	if strictest == Unmarked {
		strictest = Green
	}
	return ceiling == Unmarked || strictest <= ceiling
}

func modelLeaves(x Exit, published bool, parts []part) bool {
	tlp, pap := Unmarked, PAPUnmarked
	for _, p := range parts {
		tlp, pap = max(tlp, p.tlp), max(pap, p.pap)
	}
	if tlp == Unmarked {
		tlp = Green
	}
	limits := map[Exit]TLP{Zone: Amber, List: Amber, Feed: Amber, Mail: Amber, Push: Green, Public: Clear}
	if tlp > limits[x] {
		return false
	}
	if (x == Zone || x == List) && pap > PAPGreen {
		return false
	}
	return published
}

// Go's one answer, its answer by bits and the settled label must be what the
// rules say of the separate levels.
func TestDecideAgreesWithTheRules(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	labels := NewLabels(nil)
	some := func(inherit bool) part { return randomPart(rnd, inherit) }
	for n := range 200_000 {
		owner, org := int64(1+rnd.IntN(3)), int64(rnd.IntN(4))
		var groups []int64
		for g := int64(1); g <= 3; g++ {
			if rnd.IntN(2) == 0 {
				groups = append(groups, g)
			}
		}
		parts := []part{some(false), some(true), some(true)} // event, object, attribute
		label := NewLabel(owner, parts[0].dist, parts[0].group, parts[0].tlp, parts[0].pap)
		for _, p := range parts[1:] {
			label = NewLabel(99, p.dist, p.group, p.tlp, p.pap).Within(label)
		}
		v, ceiling := Organisation("v", org, groups...), TLP(rnd.IntN(2)*rnd.IntN(6))
		v = v.Under(ceiling)
		published := rnd.IntN(2) == 0
		for x := Read; x <= Public; x++ {
			want := modelSees(org, groups, owner, parts) && modelBeneath(ceiling, parts)
			if x != Read {
				want = want && modelLeaves(x, published, parts)
			}
			d := Decide(v, x, Record{label, published})
			if d.Allowed != want || d.Reason == "" {
				t.Fatalf("%d: %v of %+v by %s to org %d in %v: %+v, want %v", n, parts, label, x, org, groups, d, want)
			}
			if bit := labels.Sight(v, x).Has(labels.ID(label)); x == Read && bit != want || x != Read && (bit && published) != want {
				t.Fatalf("%d: the bit of %+v by %s says %v, want %v", n, label, x, bit, want)
			}
		}
	}
}

// randomPart is one level of a record; half of them are not marked.
func randomPart(rnd *rand.Rand, inherit bool) part {
	p := part{tlp: TLP(rnd.IntN(6)), pap: PAP(rnd.IntN(5))}
	top := int(Group) + 1
	if inherit {
		top++
	}
	p.dist = Distribution(rnd.IntN(top))
	if p.dist == Group {
		p.group = int64(rnd.IntN(4)) // 0: a group that is not there
	}
	if rnd.IntN(2) == 0 {
		p.tlp, p.pap = Unmarked, PAPUnmarked
	}
	return p
}

// A ceiling hides from everyone who has it, whatever else they may, and never rises.
func TestCeiling(t *testing.T) {
	admin := NewViewer("admin", 1, 1, siteAdmin)
	red := NewLabel(1, OrgOnly, 0, Red, 0)
	limited := admin.Under(Amber)
	if !admin.Sees(red) || limited.Sees(red) || limited.SeesAll() || !limited.Administers() || !limited.Sees(NewLabel(2, OrgOnly, 0, Amber, 0)) {
		t.Error("an administrator under TLP:AMBER")
	}
	if v := limited.Under(Red); v.Ceiling() != Amber || limited.Under(Unmarked).Ceiling() != Amber || limited.Under(Clear).Ceiling() != Clear {
		t.Error("a ceiling was raised")
	}
	if admin.Sight() == limited.Sight() || limited.Sight() == admin.Under(Green).Sight() {
		t.Error("ceilings share a sight")
	}
	if v := Organisation("sub", 1).Through(Organisation("owner", 1).Under(Green)); v.Sees(red) {
		t.Error("handed on by one who does not see it")
	}
	if d := Decide(limited, Read, Record{red, true}); d.Allowed || d.Reason != "it is TLP:RED, and the key that asks is shown no more than TLP:AMBER" {
		t.Errorf("%+v", d)
	}
}

// Nothing that forgot to say who or what may be shared.
func TestZeroSharesNothing(t *testing.T) {
	everyone := NewLabel(1, Everyone, 0, Clear, PAPClear)
	if !(Viewer{}).OnlyLooks() || (Viewer{}).Sees(everyone) || (Viewer{}).May(Auth) || (Viewer{}).Owns(Label{}) {
		t.Error("the zero viewer may do something")
	}
	if Organisation("x", 7).Sees(Label{}) {
		t.Error("the zero label is shared")
	}
	labels := NewLabels(nil)
	if labels.Sight(Organisation("x", 7), Read).Has(0) || labels.Sight(Organisation("x", 7), Read).Has(12345) {
		t.Error("a label id that was never handed out is shared")
	}
	for d := range Distribution(255) {
		if l := NewLabel(1, d, 0, 0, 0); d > Inherit && Organisation("x", 7).Sees(l) {
			t.Errorf("distribution %d is shared", d)
		}
	}
}

// Putting a record into a narrower parent never widens it, in any order.
func TestWithinOnlyNarrows(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	random := func() Label {
		p := randomPart(rnd, true)
		return NewLabel(1, p.dist, p.group, TLP(rnd.IntN(6)), PAP(rnd.IntN(5)))
	}
	for range 50_000 {
		a, b, c := random(), random(), random()
		if a.Within(b) != b.Within(a) || a.Within(a) != a || a.Within(b).Within(c) != a.Within(b.Within(c)) {
			t.Fatalf("not a meet: %+v %+v %+v", a, b, c)
		}
		v := Organisation("v", 2, int64(rnd.IntN(4)), int64(rnd.IntN(4)))
		if v.Sees(a.Within(b)) && (!v.Sees(a) || !v.Sees(b)) {
			t.Fatalf("%+v in %+v is seen where one of them is not", a, b)
		}
	}
}

func TestMarkings(t *testing.T) {
	for _, c := range []struct {
		tags string
		tlp  TLP
		pap  PAP
	}{
		{"", Unmarked, PAPUnmarked},
		{"tlp:white", Clear, PAPUnmarked},
		{"TLP:CLEAR", Clear, PAPUnmarked},
		{" tlp:Green ", Green, PAPUnmarked},
		{"tlp:amber+strict", AmberStrict, PAPUnmarked},
		{"tlp:green,tlp:amber", Amber, PAPUnmarked},
		{"tlp:ex:chr", Red, PAPUnmarked}, // unknown: the strictest
		{"tlp:", Red, PAPUnmarked},
		{"PAP:GREEN,pap:amber", Unmarked, PAPAmber},
		{"pap:purple", Unmarked, PAPRed},
		{"misp-galaxy:tlp=\"x\",tlp", Unmarked, PAPUnmarked},
	} {
		if tlp, pap := Markings(strings.Split(c.tags, ",")); tlp != c.tlp || pap != c.pap {
			t.Errorf("%q: %s, %s; want %s, %s", c.tags, tlp, pap, c.tlp, c.pap)
		}
	}
}

func TestParseTLP(t *testing.T) {
	for l := Clear; l <= Red; l++ {
		for _, name := range []string{l.Name(), l.String(), " " + l.String() + " "} {
			if got, ok := ParseTLP(name); got != l || !ok {
				t.Errorf("%q: %s, %v", name, got, ok)
			}
		}
	}
	for _, name := range []string{"", "unmarked", "amber strict", "redd", "pap:red", "5"} {
		if got, ok := ParseTLP(name); ok {
			t.Errorf("%q: %s", name, got)
		}
	}
}

func TestRoles(t *testing.T) {
	for _, c := range []struct {
		id   int64
		may  []Permission
		mayn []Permission
	}{
		{1, []Permission{SiteAdmin, OrgAdmin, Publish, Sync, Add}, nil},
		{2, []Permission{OrgAdmin, Publish, Add, SharingGroup}, []Permission{SiteAdmin, Sync}},
		{3, []Permission{Add, ModifyOrg, Tag}, []Permission{Publish, OrgAdmin}},
		{4, []Permission{Add, Publish}, []Permission{OrgAdmin, SharingGroup}},
		{5, []Permission{Add, Publish, Sync, SharingGroup}, []Permission{OrgAdmin, SiteAdmin}},
		{6, []Permission{Auth}, []Permission{Add, Publish, Tag}},
	} {
		role, ok := RoleByID(c.id)
		if !ok {
			t.Fatalf("no role %d", c.id)
		}
		v := NewViewer("v", 1, 1, role.Role)
		for _, p := range c.may {
			if !v.May(p) {
				t.Errorf("%s may not %b", role.Name, p)
			}
		}
		if v.OnlyLooks() || !v.ReadOnly().OnlyLooks() || v.ReadOnly().Sight() != v.Sight() {
			t.Errorf("%s with a read-only key", role.Name)
		}
		for _, p := range c.mayn {
			if v.May(p) {
				t.Errorf("%s may %b", role.Name, p)
			}
		}
	}
	if _, ok := RoleByID(7); ok {
		t.Error("there is a role 7")
	}
}

func TestDecideSaysWhy(t *testing.T) {
	v := Organisation("v", 2, 5)
	for _, c := range []struct {
		label     Label
		exit      Exit
		published bool
		want      string
	}{
		{NewLabel(2, OrgOnly, 0, 0, 0), Read, false, "yes: it belongs to the same organisation"},
		{NewLabel(1, OrgOnly, 0, 0, 0), Zone, true, "no: it is for the owner's organisation only"},
		{NewLabel(1, Group, 6, 0, 0), Read, true, "no: it is for sharing group 6, and the organisation is not a member"},
		{NewLabel(1, Group, 0, 0, 0), Read, true, "no: it is shared with a group that has no members"},
		{NewLabel(1, Group, 5, 0, 0), Read, true, "yes: the organisation is a member of its sharing group"},
		{NewLabel(1, Community, 0, 0, 0), Zone, false, "no: its event is not published"},
		{NewLabel(1, Community, 0, Red, 0), Zone, true, "no: TLP:RED does not leave by zone; the limit there is TLP:AMBER"},
		{NewLabel(1, Community, 0, 0, PAPAmber), Zone, true, "no: PAP:AMBER does not permit blocking; that takes PAP:GREEN"},
		{NewLabel(1, Everyone, 0, Amber, 0), Zone, true, "yes: it is shared with all communities, it is published, and TLP:AMBER may leave by zone"},
		{NewLabel(1, Everyone, 0, 0, 0), Public, true, "no: TLP:GREEN does not leave by public; the limit there is TLP:CLEAR"},
	} {
		d := Decide(v, c.exit, Record{c.label, c.published})
		got := fmt.Sprintf("%s: %s", map[bool]string{true: "yes", false: "no"}[d.Allowed], d.Reason)
		if got != c.want {
			t.Errorf("%+v by %s: %q, want %q", c.label, c.exit, got, c.want)
		}
	}
}

// Who is handed things by somebody else gets what both may have.
func TestThroughSeesWhatBothSee(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	labels := NewLabels(nil)
	for range 50_000 {
		p := randomPart(rnd, false)
		l := NewLabel(int64(1+rnd.IntN(3)), p.dist, p.group, p.tlp, p.pap)
		v := Organisation("v", int64(rnd.IntN(4)), int64(rnd.IntN(4)))
		owner := Organisation("owner", int64(rnd.IntN(4)), int64(rnd.IntN(4)))
		both := v.Through(owner)
		if want := v.Sees(l) && owner.Sees(l); v.Org() != owner.Org() && both.Sees(l) != want {
			t.Fatalf("%+v through %+v sees %+v: %v, want %v", v, owner, l, !want, want)
		}
		d := Decide(both, Zone, Record{l, true})
		if bit := labels.Sight(both, Zone).Has(labels.ID(l)); bit != d.Allowed || d.Reason == "" {
			t.Fatalf("the bit says %v, Decide %+v", bit, d)
		}
	}
}

// What may yet be dropped is seen by nobody, and its number may come to mean
// something else.
func TestHeldLabelsAreInNoSight(t *testing.T) {
	labels := NewLabels(nil)
	theirs := labels.Sight(Organisation("theirs", 2), Read)
	labels.Hold()
	id := labels.ID(NewLabel(1, Everyone, 0, 0, 0))
	if theirs.Has(id) || theirs.Bits().Has(id) {
		t.Error("a label that is held is seen")
	}
	labels.Drop()
	labels.Adopt(0, []Label{NewLabel(1, OrgOnly, 0, 0, 0)})
	if theirs.Has(id) {
		t.Error("another label of the same number is seen")
	}
	labels.Hold()
	next := labels.ID(NewLabel(1, Everyone, 0, 0, 0))
	labels.Keep()
	if next != id+1 || !theirs.Has(next) {
		t.Errorf("label %d is kept, and not seen", next)
	}
}
