package store

import (
	"tocsin"
	"tocsin/access"
)

// Nobody gives what they do not have: no user is given a role, no role a permission,
// no key a view beyond that of whoever gives it, site administrators included.

// beneath refuses a small record that has, or gives, more than the viewer has. nil is
// no record.
func (tx *Tx) beneath(r tocsin.Record) error {
	if err := tx.withinKey(r); err != nil {
		return err
	}
	switch r := r.(type) {
	case *tocsin.Role:
		if !tx.v.May(access.Permission(r.Permissions)) {
			return tocsin.Errorf(tocsin.Forbidden, "the role %q may do what you may not; nobody gives what they do not have", r.Name)
		}
	case *tocsin.User:
		return tx.beneathRole(r)
	case *tocsin.Key:
		if u, ok := tx.docs.get(tocsin.KindUser, r.User).(*tocsin.User); ok {
			return tx.beneathRole(u)
		}
	case *tocsin.UserSetting:
		if u, ok := tx.docs.get(tocsin.KindUser, r.User).(*tocsin.User); ok {
			return tx.beneathRole(u)
		}
	}
	return nil
}

// beneathRole refuses to administer a user whose role may do what the viewer may not.
// One's own record is asked for elsewhere.
func (tx *Tx) beneathRole(u *tocsin.User) error {
	is, ok := role(tx.docs, u.Role)
	if !ok {
		return tocsin.Errorf(tocsin.Invalid, "no role %d", u.Role)
	}
	if was, ok := tx.docs.get(tocsin.KindUser, u.ID).(*tocsin.User); ok && was.ID == tx.v.User() && was.Role == u.Role && was.Org == u.Org {
		return nil
	}
	own, _ := tx.docs.get(tocsin.KindRole, u.Role).(*tocsin.Role)
	if !tx.v.May(access.Permission(is.Role)) || own != nil && own.SiteAdminsOnly && !tx.v.May(access.SiteAdmin) {
		return errMayNot("administer that user")
	}
	return nil
}

// withinKey keeps who acts through a key with a ceiling from getting around it: by
// another key, a password, or something that receives without a key.
func (tx *Tx) withinKey(r tocsin.Record) error {
	top := tx.v.Ceiling()
	if top == access.Unmarked {
		return nil
	}
	switch r := r.(type) {
	case nil, *tocsin.Tag, *tocsin.Import:
		return nil
	case *tocsin.Key:
		if r.Ceiling != access.Unmarked && r.Ceiling <= top {
			return nil
		}
	}
	return tocsin.Errorf(tocsin.Forbidden, "the key that you use is shown no more than %s; a %s beyond that takes a key without a ceiling", top, r.Kind())
}
