package indicator

import (
	"strconv"
	"strings"
	"time"
)

// Numbers, of accounts and telephones too, and points in time

var (
	number   = rewritten(same, isDigits, "it wants a whole number, 0 or more")
	integer  = rewritten(same, func(s string) bool { return isDigits(strings.TrimPrefix(s, "-")) }, "it wants a whole number")
	float    = rewritten(same, isFloat, "it wants a number")
	hex      = rewritten(strings.ToUpper, func(s string) bool { return isHex(strings.ToLower(s)) }, "it wants hexadecimal digits")
	boolean  = rewritten(readBoolean, func(s string) bool { return s == "0" || s == "1" }, "it wants 0, 1, true or false")
	digits   = rewritten(keep("0123456789"), isDigits, "it wants digits")
	bankCode = rewritten(keepUpper, isAlphanumeric, "it wants letters and digits")
	account  = rewritten(same, isFloat, "it wants digits")
	wallet   = rewritten(same, isAlphanumeric, "it wants letters and digits")
	phone    = rewritten(readPhone, func(s string) bool { return isDigits(strings.TrimPrefix(s, "+")) }, "it is no telephone number")
	datetime = rewritten(readTime, isTime, "it wants a date and time in ISO 8601, such as 2024-01-02T03:04:05Z")
)

func isFloat(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil && strings.Trim(s, "0123456789+-.eE") == ""
}

func readBoolean(s string) string {
	switch strings.ToLower(s) {
	case "true":
		return "1"
	case "false":
		return "0"
	}
	return s
}

// keep drops every character but those of set.
func keep(set string) func(string) string {
	return func(s string) string {
		return strings.Map(func(r rune) rune {
			if strings.ContainsRune(set, r) {
				return r
			}
			return -1
		}, s)
	}
}

func keepUpper(s string) string {
	return keep("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")(strings.ToUpper(s))
}

func isAlphanumeric(s string) bool {
	return s != "" && isBase64(s) && !strings.ContainsAny(s, "+/")
}

// readPhone writes 00 as "+" and leaves out the (0) that is not dialled from abroad.
func readPhone(s string) string {
	s = keep("+0123456789")(strings.ReplaceAll(s, "(0)", ""))
	if abroad, ok := strings.CutPrefix(s, "00"); ok {
		return "+" + abroad
	}
	return s
}

const mispTime = "2006-01-02T15:04:05.000000-0700"

// readTime keeps the offset from UTC that was given, as MISP does.
func readTime(s string) string {
	for _, layout := range [...]string{
		"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05-0700", "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02T15:04",
		"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05-0700", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05", "2006-01-02 15:04",
		"2006-01-02",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Format(mispTime)
		}
	}
	return s
}

func isTime(s string) bool {
	_, err := time.Parse(mispTime, s)
	return err == nil
}
