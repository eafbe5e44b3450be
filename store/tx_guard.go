package store

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// A Judge says what the guards say of a value. It is asked within a write, by
// whom others wait, so it has its lists in memory.
type Judge func(indicator.Value) tocsin.Verdict

// JudgeBy has j asked of every value that is written from the next write on. The
// store asks, and not whoever writes, so that there is no way around the guards.
func (db *DB) JudgeBy(j Judge) { db.judge.Store(&j) }

func (tx *Tx) verdict(v indicator.Value) tocsin.Verdict {
	if j := tx.db.judge.Load(); j != nil {
		return (*j)(v)
	}
	return ""
}

// guard judges new attributes. What their writer says of it counts nothing.
// Others wait for this write, so all cores judge if they are many.
func (tx *Tx) guard(as []tocsin.Attribute) {
	judge := func(as []tocsin.Attribute) {
		for i := range as {
			as[i].Guard, as[i].Override, as[i].OverriddenBy = tx.verdict(as[i].Value), "", 0
		}
	}
	n := min(runtime.GOMAXPROCS(0), 1+len(as)/alone)
	var others sync.WaitGroup
	for i := 1; i < n; i++ {
		others.Go(func() { judge(as[i*len(as)/n : (i+1)*len(as)/n]) })
	}
	judge(as[:len(as)/n])
	others.Wait()
}

// alone is how many values are worth a goroutine.
const alone = 2048

// guardAgain judges a changed attribute. An override was given to one value and
// ends with it.
func (tx *Tx) guardAgain(a, old *tocsin.Attribute) {
	a.Guard, a.Override, a.OverriddenBy = old.Guard, old.Override, old.OverriddenBy
	if a.Value != old.Value {
		one := []tocsin.Attribute{*a}
		tx.guard(one)
		*a = one[0]
	}
}

// annotate writes what this exchange says of an attribute. The claim is what it
// was, so its event and its time stay as peers know them.
func (tx *Tx) annotate(old, a *tocsin.Attribute) error {
	e, err := tx.event(a.Event)
	if err != nil {
		return err
	}
	a.Seq = tx.next()
	if err := tx.w.PutAttribute(tx.ctx, a); err != nil {
		return err
	}
	before, after := *old, *a
	tx.line(tocsin.Line{Kind: tocsin.KindAttribute, ID: a.ID, Before: &before, After: &after, Event: e.Label})
	return nil
}

// maxReason is how long the reason of an override may be, in octets.
const maxReason = 1000

// Override has an attribute blocked although it is guarded, because its owner
// says why. What a list warns of takes a publisher, what a list denies an
// administrator of the owner's organisation. The line of the log says who and
// when; the event stays published, for nothing of the claim has changed.
func (tx *Tx) Override(id int64, reason string) (*tocsin.Attribute, error) {
	reason = strings.TrimSpace(strings.ToValidUTF8(reason, "\ufffd"))
	old, e, err := tx.Attribute(id)
	if err != nil {
		return nil, err
	}
	if _, err := tx.mine(e.ID); err != nil {
		return nil, err
	}
	class := old.Guard.Class()
	switch {
	case class < tocsin.Warn:
		return nil, tocsin.Errorf(tocsin.Conflict, "nothing keeps attribute %d from being blocked", id)
	case !tx.v.May(access.Publish):
		return nil, errMayNot("have blocked what is guarded; ask a publisher of your organisation")
	case class == tocsin.Deny && !tx.v.May(access.OrgAdmin):
		return nil, errMayNot(fmt.Sprintf("have blocked what the list %s denies; ask an administrator of your organisation", old.Guard.List()))
	case reason == "":
		return nil, tocsin.Errorf(tocsin.Invalid, "say why %s should be blocked although the list %s guards it", old.Value, old.Guard.List())
	case strings.IndexByte(reason, 0) >= 0:
		return nil, tocsin.Errorf(tocsin.Invalid, "the reason holds a NUL character")
	case len(reason) > maxReason:
		return nil, tocsin.Errorf(tocsin.Invalid, "the reason is longer than %d octets", maxReason)
	}
	a := *old
	a.Override, a.OverriddenBy = reason, tx.v.User()
	return &a, tx.annotate(old, &a)
}

// Uphold takes an override back: the guards hold again. It only takes away, so
// whoever may change the event may do it.
func (tx *Tx) Uphold(id int64) (*tocsin.Attribute, error) {
	old, e, err := tx.Attribute(id)
	if err != nil {
		return nil, err
	}
	if _, err := tx.mine(e.ID); err != nil {
		return nil, err
	}
	if old.Override == "" {
		return nil, tocsin.Errorf(tocsin.Conflict, "attribute %d is not overridden", id)
	}
	a := *old
	a.Override, a.OverriddenBy = "", 0
	return &a, tx.annotate(old, &a)
}

// Rejudge judges attributes anew after the lists changed, writes those for which
// that makes a difference, and returns how many. An override stays, unless what
// it was given against has become stricter.
func (tx *Tx) Rejudge(ids []int64) (changed int, err error) {
	if !tx.v.May(access.SiteAdmin) {
		return 0, errMayNot("judge the claims of others")
	}
	for _, id := range ids {
		old, err := tx.w.Attribute(tx.ctx, id)
		if err != nil {
			return changed, err
		}
		if old == nil {
			continue // deleted meanwhile
		}
		a := *old
		if a.Guard = tx.verdict(old.Value); a.Guard == old.Guard {
			continue
		}
		if a.Guard.Class() > max(old.Guard.Class(), tocsin.Inform) {
			a.Override, a.OverriddenBy = "", 0
		}
		if err := tx.annotate(old, &a); err != nil {
			return changed, err
		}
		changed++
	}
	return changed, nil
}

// PutGuardList adds a list or replaces the one with its id, together with what is
// on it, which is packed; nil leaves that as it is.
func (tx *Tx) PutGuardList(l *tocsin.GuardList, packed []byte) error {
	l.Changed = tx.now
	if err := Put(tx, l); err != nil || packed == nil {
		return err
	}
	return tx.w.PutSetting(tx.ctx, guardSetting(l.ID), packed)
}

// RemoveGuardList removes a list and what is on it.
func (tx *Tx) RemoveGuardList(id int64) error {
	l, err := Get[*tocsin.GuardList](tx, id)
	if err != nil {
		return err
	}
	if l.Own {
		return tocsin.Errorf(tocsin.Conflict, "the list %s comes with the program and can't be removed; turn it off by the class off", l.Name)
	}
	if err := Remove[*tocsin.GuardList](tx, id); err != nil {
		return err
	}
	return tx.w.PutSetting(tx.ctx, guardSetting(id), []byte{})
}

func guardSetting(id int64) string { return fmt.Sprint("guard-list/", id) }

// GuardEntries returns what is on a list, packed. Whoever may know of the list
// may know what is on it.
func (w View) GuardEntries(ctx context.Context, id int64) (packed []byte, err error) {
	if _, err := One[*tocsin.GuardList](w, id); err != nil {
		return nil, err
	}
	err = w.db.engine.Read(ctx, func(r Reader) (err error) {
		packed, err = r.Setting(ctx, guardSetting(id))
		return err
	})
	return packed, err
}

// mayWriteGuardList lets an organisation's administrator say what is its own.
// That it is not to be blocked at all is for a site administrator to say, or one
// member could keep the others from blocking whatever it likes.
func (tx *Tx) mayWriteGuardList(before, after tocsin.Record) error {
	no := errMayNot("change guard lists; what your organisation runs itself goes into its list of assets")
	was, _ := before.(*tocsin.GuardList)
	is, _ := after.(*tocsin.GuardList)
	for _, l := range []*tocsin.GuardList{was, is} {
		if l != nil && (l.Org == 0 || l.Org != tx.v.Org() || l.Own || !tx.v.May(access.OrgAdmin)) {
			return no
		}
	}
	if is != nil && is.Class > tocsin.Inform && (was == nil || is.Class > was.Class || is.Digest != was.Digest) {
		return tocsin.Errorf(tocsin.Forbidden, "a list of assets informs; ask an administrator of the exchange to look at it, and to have it warn or deny")
	}
	return nil
}

// A GuardSweep is how far judging all attributes anew has come, after the lists
// changed: over those up to After, by the lists that Lists stands for.
type GuardSweep struct {
	Lists   string `json:"lists"`
	After   int64  `json:"after"`
	Changed int64  `json:"changed"`
	Done    bool   `json:"done"`

	// Aim are the lists that Lists stands for, as Seen has them. A sweep that has begun
	// comes to its end whatever becomes of the lists meanwhile: what it has yet to look
	// at it judges by the newest, and the next one looks for what is new since Aim.
	Aim map[int64]string `json:"aim,omitempty"`
	// Seen are the lists by which all claims were judged when a sweep last came to
	// its end: their numbers, and what stands for what they guarded.
	Seen map[int64]string `json:"seen,omitempty"`
}

const sweepSetting = "guard-sweep"

// GuardSweep returns how far it has come.
func (w View) GuardSweep(ctx context.Context) (s GuardSweep, err error) {
	err = w.db.engine.Read(ctx, func(r Reader) error {
		b, err := r.Setting(ctx, sweepSetting)
		if err != nil || len(b) == 0 {
			return err
		}
		return json.Unmarshal(b, &s)
	})
	return s, err
}

// PutGuardSweep writes down how far it has come, together with what was judged.
func (tx *Tx) PutGuardSweep(s GuardSweep) error {
	if !tx.v.May(access.SiteAdmin) {
		return errMayNot("judge the claims of others")
	}
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return tx.w.PutSetting(tx.ctx, sweepSetting, b)
}
