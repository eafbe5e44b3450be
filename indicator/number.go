package indicator

import (
	"strconv"
	"strings"
	"time"
)

// Numbers and points in time

var (
	number   = rewritten(readWhole, isDigits, "it wants a whole number, 0 or more")
	integer  = rewritten(readWhole, isInteger, "it wants a whole number, such as -4")
	float    = rewritten(same, isFloat, "it wants a number, such as 7.25")
	hex      = rewritten(readHex, func(s string) bool { return isHex(strings.ToLower(s)) }, "it wants hexadecimal digits")
	boolean  = rewritten(readBoolean, func(s string) bool { return s == "0" || s == "1" }, "it wants 0, 1, true or false")
	datetime = rewritten(readTime, isTime, "it wants a date and time in ISO 8601, such as 2024-01-02T03:04:05Z")
)

// readWhole takes the "+" off that PHP and spreadsheets write.
func readWhole(s string) string { return strings.TrimPrefix(s, "+") }

func isInteger(s string) bool { return isDigits(strings.TrimPrefix(s, "-")) }

func isFloat(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil && strings.Trim(s, "0123456789+-.eE") == ""
}

// readHex takes 0x4d5a and "4d 5a 90" too.
func readHex(s string) string {
	if len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' {
		s = s[2:]
	}
	return strings.ToUpper(hexGaps.Replace(s))
}

var hexGaps = strings.NewReplacer(" ", "", ":", "")

func readBoolean(s string) string {
	switch strings.ToLower(s) {
	case "true", "yes", "on":
		return "1"
	case "false", "no", "off":
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

func isAlphanumeric(s string) bool {
	return s != "" && isBase64(s) && !strings.ContainsAny(s, "+/")
}

const mispTime = "2006-01-02T15:04:05.000000-0700"

// timeLayouts are those of ISO 8601, of MISP, of databases, mails (RFC 5322),
// HTTP and syslog. Go reads fractions of a second after any of them.
var timeLayouts = [...]string{
	"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05-0700", "2006-01-02T15:04:05-07", "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02T15:04",
	"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05-0700", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05", "2006-01-02 15:04",
	"2006-01-02", "2006/01/02 15:04:05", "2006/01/02", "20060102T150405Z07:00", "20060102T150405", "2006-01",
	time.RFC1123Z, time.RFC1123, "Mon, 2 Jan 2006 15:04:05 -0700", "Mon, 2 Jan 2006 15:04:05 MST", "2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05",
	time.UnixDate, time.ANSIC,
}

// maxTime is more than any of them takes, with nanoseconds.
const maxTime = 50

// readTime keeps the offset from UTC that was given, as MISP does. A time zone
// by name is read only where it is UTC: other names mean several things.
func readTime(s string) string {
	if seconds, ok := strings.CutPrefix(s, "@"); ok {
		if n, err := strconv.ParseInt(seconds, 10, 64); err == nil && n >= 0 && n < 1<<36 {
			return time.Unix(n, 0).UTC().Format(mispTime)
		}
	}
	if len(s) > maxTime || !strings.ContainsAny(s, "-/: T") || !startsTime(s) {
		return s // and not an error for each layout
	}
	for _, layout := range timeLayouts {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		if zone, offset := t.Zone(); strings.Contains(layout, "MST") && (offset != 0 || zone != "UTC" && zone != "GMT" && zone != "Z") {
			return ""
		}
		return t.Format(mispTime)
	}
	return s
}

// startsTime reports whether s begins as all layouts do: with a digit, or with a day of
// the week and what parts it from the rest.
func startsTime(s string) bool {
	return s != "" && s[0] >= '0' && s[0] <= '9' || len(s) > 3 && (s[3] == ',' || s[3] == ' ')
}

func isTime(s string) bool {
	_, err := time.Parse(mispTime, s)
	return err == nil
}
