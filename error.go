package tocsin

import (
	"errors"
	"fmt"
)

// A Code is what kind of error a caller can act on.
type Code string

const (
	Internal  Code = "internal" // anything without a code
	Invalid   Code = "invalid"
	NotFound  Code = "not_found" // also: not yours to see
	Forbidden Code = "forbidden"
	Conflict  Code = "conflict"
	Gone      Code = "gone" // deleted for good; its uuid is refused
	Busy      Code = "busy" // try again later
)

// An Error is meant for the person at the other end. Its message is safe to
// show. Any other error is logged and shown as "internal error".
type Error struct {
	Code    Code
	Message string
	Err     error // for the log only
}

func (e *Error) Error() string { return e.Message }
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error. A %w operand is kept for the log.
func Errorf(c Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: c, Message: err.Error(), Err: errors.Unwrap(err)}
}

// Because keeps a cause for the log, of which the message says nothing: it may
// name machines and users that are nobody's business.
func (e *Error) Because(err error) *Error {
	e.Err = err
	return e
}

// CodeOf returns the code of err, or Internal.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}
