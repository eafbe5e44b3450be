package indicator

import "strings"

// Telephone numbers

var phone = rewritten(readPhone, isPhone, "it is no telephone number: it wants digits, 3 to 20 of them, such as +352 123 456")

// readPhone writes 00 as "+" and leaves out the (0) that is not dialled from abroad.
func readPhone(s string) string {
	s = keep("+0123456789")(strings.ReplaceAll(strings.TrimPrefix(strings.ToLower(s), "tel:"), "(0)", ""))
	if abroad, ok := strings.CutPrefix(s, "00"); ok {
		return "+" + abroad
	}
	return s
}

// isPhone leaves room beyond the 15 digits of E.164 for what is dialled before
// or after them; what is longer is two numbers in one.
func isPhone(s string) bool {
	s = strings.TrimPrefix(s, "+")
	return isDigits(s) && len(s) >= 3 && len(s) <= 20
}
