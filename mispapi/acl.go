package mispapi

import (
	"net/http"
	"slices"
	"strings"

	"tocsin"
	"tocsin/access"
)

// queryACL answers what can be asked, and by whom. All of it follows from the table of
// routes: there is nothing in one and not in the other.
func queryACL(c *call) error {
	switch c.arg(0) {
	case "findMissingFunctionNames":
		return c.reply([]any{})
	case "", "printAllFunctionNames":
		return c.reply(c.acl(func(act *action) (any, bool) { return needed(act), true }))
	case "printRoleAccess":
		roles := map[string]any{}
		for _, r := range access.Roles {
			roles[itoa(r.ID)] = map[string]any{"name": r.Name, "urls": c.acl(func(act *action) (any, bool) { return true, r.Role.May(act.needs) })}
		}
		return c.reply(roles)
	}
	return c.no(http.StatusNotFound, tocsin.NotFound, "Invalid query. Try one of: printAllFunctionNames, findMissingFunctionNames, printRoleAccess.")
}

// acl is something of each action, by controller and action.
func (c *call) acl(what func(*action) (any, bool)) map[string]map[string]any {
	out := map[string]map[string]any{}
	for _, act := range c.actions() {
		v, ok := what(&act)
		if !ok {
			continue
		}
		controller, name := act.controller()
		if out[controller] == nil {
			out[controller] = map[string]any{}
		}
		out[controller][name] = v
	}
	return out
}

// controller takes an action's path apart: /admin/users/add is users' admin_add.
func (act *action) controller() (controller, name string) {
	path, admin := strings.CutPrefix(act.path, "/admin")
	controller, name, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if name == "" {
		name = "index"
	}
	if admin {
		name = "admin_" + name
	}
	return controller, name
}

// needed are MISP's names of what an action asks of a role; "*" is nothing.
func needed(act *action) []string {
	names := []string{}
	for name, p := range powers {
		if act.needs != 0 && act.needs&p == p && name != "perm_modify" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return []string{"*"}
	}
	slices.Sort(names)
	return names
}

// describeAPI answers with each call that there is, for clients that build forms of it.
func describeAPI(c *call) error {
	all := map[string]any{}
	for _, act := range c.actions() {
		controller, name := act.controller()
		verb, _, _ := strings.Cut(act.verbs, " ")
		all[act.path] = map[string]any{"api_name": "[" + controller + "] " + name, "controller": controller, "action": name, "url": act.path,
			"methods": strings.Fields(act.verbs), "http_method": verb, "permissions": needed(&act), "mandatory": []any{}, "optional": []any{}, "params": []any{}, "body": []any{}}
	}
	return c.reply(map[string]any{"allValidApis": all, "allValidApisFieldsContraint": []any{}})
}

// nothingHere answers with a list of what this exchange has none of: bookmarks,
// dashboards, workflows, other SightingDBs, TAXII servers to push to, collections of
// analysts, and discussions.
func nothingHere(c *call) error { return c.reply([]any{}) }

func heartbeat(c *call) error { return c.reply(map[string]string{"message": "200: OK"}) }
