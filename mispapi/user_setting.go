package mispapi

import (
	"encoding/json"
	"fmt"

	"tocsin"
	"tocsin/store"
)

// userSettingNames are the settings that MISP knows of users. Another is refused, so
// that a name that was mistyped is told.
var userSettingNames = map[string]bool{
	"publish_alert_filter": true, "dashboard": true, "dashboard_access": true, "homepage": true, "default_restsearch_parameters": true,
	"tag_numerical_value_override": true, "event_index_hide_columns": true, "oidc": true, "periodic_notification_filters": true, "hotp_counter": true,
}

func userSettingWords(s *tocsin.UserSetting) map[string]any {
	return map[string]any{"id": s.ID, "setting": s.Name, "value": s.Value, "user_id": s.User, "timestamp": s.Modified.Unix()}
}

// indexUserSettings answers with the settings that the viewer may know of, their own
// if nothing is said.
func indexUserSettings(c *call) error {
	f, err := c.form("UserSetting")
	if err != nil {
		return err
	}
	user, setting := c.option("user_id"), c.option("setting")
	f.text("user_id", &user)
	f.text("setting", &setting)
	rows := []any{}
	for s := range c.view.UserSettings() {
		if (user == "" || user == "all" || refOf(user).id == s.User) && (setting == "" || setting == s.Name) {
			rows = append(rows, map[string]any{"UserSetting": userSettingWords(s)})
		}
	}
	return c.reply(rows)
}

// userSettingMeant returns the setting that the path names by id or by user and name,
// or the body by user_id and setting, and the name that was asked for.
func (c *call) userSettingMeant(f *form) (s *tocsin.UserSetting, user *tocsin.User, name string, err error) {
	if c.arg(0) != "" && c.arg(1) == "" && refOf(c.arg(0)).id != 0 {
		s, err = store.One[*tocsin.UserSetting](c.view, refOf(c.arg(0)).id)
		return s, nil, "", err
	}
	whose := c.arg(0)
	name = c.arg(1)
	f.text("user_id", &whose)
	f.text("setting", &name)
	if user, err = c.userMeant(whose); err != nil {
		return nil, nil, name, err
	}
	s, err = store.ByName[*tocsin.UserSetting](c.view, (&tocsin.UserSetting{User: user.ID, Name: name}).RecordName())
	return s, user, name, err
}

// viewUserSetting answers with one setting.
func viewUserSetting(c *call) error {
	f, err := c.form("UserSetting")
	if err != nil {
		return err
	}
	s, _, _, err := c.userSettingMeant(f)
	if err != nil {
		return err
	}
	return c.reply(map[string]any{"UserSetting": userSettingWords(s)})
}

// setUserSetting keeps a setting of whoever asks, or of a user whom they administer.
func setUserSetting(c *call) error {
	f, err := c.form("UserSetting")
	if err != nil {
		return err
	}
	old, user, name, err := c.userSettingMeant(f)
	if tocsin.CodeOf(err) == tocsin.NotFound && user != nil {
		err = nil
	}
	if err != nil {
		return err
	}
	s := &tocsin.UserSetting{Name: name, Modified: c.db.Now()}
	if old != nil {
		s.ID, s.User, s.Name = old.ID, old.User, old.Name
	} else {
		s.User = user.ID
	}
	if !userSettingNames[s.Name] {
		f.refuse("setting", "Invalid setting.")
	}
	s.Value = f.value("value")
	if err := c.keep("setSetting UserSetting", f, "setting", "", func(tx *store.Tx) error { return store.Put(tx, s) }); err != nil {
		return err
	}
	return c.reply(map[string]any{"UserSetting": userSettingWords(s)})
}

// value reads a value of any shape. One that is JSON in a text is what is in the text.
func (f *form) value(name string) json.RawMessage {
	v := f.members[name]
	b := appendJSON(nil, v)
	if s, ok := v.(string); ok && json.Valid([]byte(s)) {
		b = []byte(s)
	}
	if len(b) > maxText {
		f.refuse(name, fmt.Sprintf("This is longer than %d characters.", maxText))
	}
	return b
}

// deleteUserSetting removes a setting: its user has what is usual again.
func deleteUserSetting(c *call) error {
	f, err := c.form("UserSetting")
	if err != nil {
		return err
	}
	s, _, _, err := c.userSettingMeant(f)
	if err != nil {
		return err
	}
	if _, err := c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return store.Remove[*tocsin.UserSetting](tx, s.ID) }); err != nil {
		return err
	}
	return c.done("Setting deleted.", c.r.URL.Path, s.ID)
}
