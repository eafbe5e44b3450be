package vocab

import (
	"net/netip"
	"strings"

	"tocsin/indicator"
)

// Keys returns the keys under which values are found that an entry of an exact
// list may guard: those that name or mention it, and those that cover it. It
// reports false for an entry that guards values which no key leads to.
func Keys(entry string) ([]indicator.Key, bool) {
	if p, err := netip.ParsePrefix(entry); err == nil {
		if !p.IsSingleIP() {
			return nil, false
		}
		return keysOf(indicator.Key("i:"+entry), p.Addr().String()), true
	}
	switch plain := strings.Trim(entry, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == ""; {
	case strings.HasPrefix(entry, ".") || !plain:
		return nil, false
	case strings.IndexByte(entry, '.') > 0:
		return keysOf(indicator.Key("d:"+entry), entry), true
	case strings.Trim(entry, "0123456789abcdef") == "" && len(entry) >= 32:
		return []indicator.Key{indicator.Key("h:" + entry)}, true
	}
	return nil, false
}

func keysOf(k indicator.Key, text string) []indicator.Key {
	return append([]indicator.Key{k, indicator.Name{Text: text}.MentionKey()}, k.Parents()...)
}
