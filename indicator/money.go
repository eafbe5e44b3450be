package indicator

import "strings"

// Accounts at banks, and cards
//
// MISP takes any letters and digits. What carries check digits that don't add
// up is nobody's account, though: it was mistyped on the way, and a bank that
// acts on it acts on nothing or on somebody else. So it is refused.

var (
	iban        = form{parse: parseIBAN, keys: textKeys}
	bic         = rewritten(keepUpper, isBIC, "it wants the 8 or 11 characters of a BIC, such as DEUTDEFF500")
	bankAccount = rewritten(keep("0123456789"), isAccount, "it wants the digits of an account's number")
	routing     = form{parse: parseRouting, keys: textKeys}
	bin         = rewritten(keep("0123456789"), func(s string) bool { return len(s) >= 4 && len(s) <= 11 && isDigits(s) },
		"it wants the first digits of a card's number, mostly six or eight")
	card = form{parse: parseCard, keys: textKeys}
)

const (
	errIBAN      = why("it wants an IBAN: a country, two check digits and up to 30 letters and digits")
	errIBANCheck = why("its check digits don't add up: is a character mistyped? It wants an IBAN such as DE89370400440532013000")
	errRouting   = why("it wants the nine digits of an ABA routing number")
	errABACheck  = why("its digits don't add up: is one mistyped? It wants an ABA routing number such as 021000021")
	errCard      = why("it wants the 12 to 19 digits of a whole card number; type bin is for the first ones")
	errCardCheck = why("its last digit doesn't fit the others: is one mistyped? It wants a card number such as 4111 1111 1111 1111")
)

func keepUpper(s string) string {
	return keep("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")(strings.ToUpper(s))
}

// parseIBAN is ISO 13616: read with its first four characters last and letters
// as 10 to 35, the number leaves 1 when divided by 97.
func parseIBAN(s string) (string, error) {
	s = strings.TrimPrefix(keepUpper(bare(s)), "IBAN")
	if len(s) < 15 || len(s) > 34 || !isUpper(s[:2]) || !isDigits(s[2:4]) {
		return "", errIBAN
	}
	rest := 0
	for i := range len(s) {
		switch c := s[(i+4)%len(s)]; {
		case c >= 'A':
			rest = (rest*100 + int(c-'A') + 10) % 97
		default:
			rest = (rest*10 + int(c-'0')) % 97
		}
	}
	if rest != 1 {
		return "", errIBANCheck
	}
	return s, nil
}

func isUpper(s string) bool {
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}

// isBIC is ISO 9362: party, country, suffix, and perhaps a branch.
func isBIC(s string) bool {
	return (len(s) == 8 || len(s) == 11) && isAlphanumeric(s) && isUpper(s[4:6])
}

func isAccount(s string) bool { return isDigits(s) && len(s) <= 34 }

// parseRouting weighs the digits 3, 7, 1; they add up to a multiple of ten.
func parseRouting(s string) (string, error) {
	s = keep("0123456789")(s)
	if len(s) != 9 {
		return "", errRouting
	}
	sum := 0
	for i := range len(s) {
		sum += int(s[i]-'0') * [3]int{3, 7, 1}[i%3]
	}
	if sum%10 != 0 {
		return "", errABACheck
	}
	return s, nil
}

func parseCard(s string) (string, error) {
	s = keep("0123456789")(s)
	switch {
	case len(s) < 12 || len(s) > 19:
		return "", errCard
	case !luhn(s) && !unchecked(s):
		return "", errCardCheck
	}
	return s, nil
}

// luhn is ISO/IEC 7812-1, annex B.
func luhn(s string) bool {
	sum := 0
	for i := range len(s) {
		d := int(s[len(s)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// unchecked tells the networks that hand out numbers whose last digit is none
// to check: some of UnionPay's, and enRoute's.
func unchecked(s string) bool {
	return strings.HasPrefix(s, "62") || strings.HasPrefix(s, "2014") || strings.HasPrefix(s, "2149")
}
