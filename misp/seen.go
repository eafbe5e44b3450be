package misp

import (
	"strconv"
	"strings"
	"time"
)

// seenLayout is how MISP writes first_seen and last_seen, always in UTC.
const seenLayout = "2006-01-02T15:04:05.000000-07:00"

// The spellings of a time that clients send, beside seconds since 1970. Go reads
// a fraction after the seconds whether the layout has one or not. A time without
// a zone is UTC.
var seenLayouts = [...]string{
	time.RFC3339,
	"2006-01-02T15:04:05-0700",
	"2006-01-02T15:04:05",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05-0700",
	"2006-01-02 15:04:05",
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04",
	"2006-01-02",
}

// parseSeen reads a time to the microsecond, which is what MISP keeps.
func parseSeen(s string) (time.Time, bool) {
	if len(s) > 64 {
		return time.Time{}, false
	}
	if at, ok := parseUnix(s); ok {
		return at, inRange(at)
	}
	for _, layout := range seenLayouts {
		if at, err := time.Parse(layout, s); err == nil {
			at = at.UTC().Truncate(time.Microsecond)
			return at, inRange(at)
		}
	}
	return time.Time{}, false
}

// parseUnix reads seconds since 1970, with or without a fraction. Numbers too
// great to be seconds of our days are microseconds, as MISP keeps them.
func parseUnix(s string) (time.Time, bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || len(whole) < 5 { // a year is no number of seconds
		return time.Time{}, false
	}
	if n > 1e14 || n < -1e14 {
		return time.UnixMicro(n).UTC(), fraction == ""
	}
	var micro int64
	if fraction != "" {
		if micro, err = strconv.ParseInt((fraction + "000000")[:6], 10, 64); err != nil || micro < 0 {
			return time.Time{}, false
		}
	}
	if n < 0 {
		micro = -micro
	}
	return time.UnixMicro(n*1e6 + micro).UTC(), true
}

// inRange reports whether at can be written with four digits for the year.
func inRange(at time.Time) bool { return at.Year() >= 1 && at.Year() <= 9999 && !at.IsZero() }
