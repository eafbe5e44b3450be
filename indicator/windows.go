package indicator

import "strings"

// Things of Windows: registry keys, pipes, services
//
// Registry keys and pipes are kept as they come, since sharers quote what they
// saw. Their keys are those of one spelling: a hive by its whole name, one
// backslash where a report has two, no case.

var (
	regkey    = form{parse: parseLine, keys: regkeyKeys}
	regvalue  = form{parse: parsePair, keys: regvalueKeys, cut: cutFirst}
	namedPipe = form{parse: parseLine, keys: pipeKeys}
	service   = rewritten(same, isService, "it wants at most 256 octets on one line, without slashes")
)

var hives = map[string]string{
	"hklm": "hkey_local_machine", "hkcu": "hkey_current_user", "hkcr": "hkey_classes_root", "hku": "hkey_users", "hkcc": "hkey_current_config",
	"hkey_local_machine": "hkey_local_machine", "hkey_current_user": "hkey_current_user", "hkey_classes_root": "hkey_classes_root",
	"hkey_users": "hkey_users", "hkey_current_config": "hkey_current_config",
}

// registryPath is the one spelling of a key in the registry.
func registryPath(s string) string {
	s = strings.TrimPrefix(windowsPath(s), `computer\`)
	s = strings.TrimPrefix(s, `\registry\`)
	s = strings.TrimPrefix(s, `registry::`)
	hive, path, _ := strings.Cut(s, `\`)
	if whole := hives[strings.TrimSuffix(hive, ":")]; whole != "" { // PowerShell writes HKLM:\
		hive = whole
	}
	switch {
	case path != "":
		return hive + `\` + path
	case hive != "":
		return hive
	}
	return `\`
}

// windowsPath folds case, slashes that were escaped, and the one at the end.
func windowsPath(s string) string {
	s = strings.ToLower(s)
	for strings.Contains(s, `\\`) {
		s = strings.ReplaceAll(s, `\\`, `\`)
	}
	if trimmed := strings.TrimRight(s, `\ `); trimmed != "" {
		return trimmed
	}
	return s
}

func regkeyKeys(dst []Key, s string) []Key { return append(dst, Key("t:"+registryPath(s))) }

func regvalueKeys(dst []Key, s string) []Key {
	key, value := cutFirst(s)
	dst = regkeyKeys(dst, key)
	if value = strings.TrimSpace(value); value != "" {
		dst = textKeys(dst, value)
	}
	return dst
}

// pipeKeys leaves out the machine: \\.\pipe\x and \\server\pipe\x are both x.
func pipeKeys(dst []Key, s string) []Key {
	s = windowsPath(s)
	if _, name, ok := strings.Cut(s, `pipe\`); ok && name != "" {
		s = name
	}
	return append(dst, Key(`t:pipe\`+s))
}

func isService(s string) bool {
	return len(s) <= 256 && !strings.ContainsAny(s, `/\`) && oneLine(s) == nil
}
