package indicator

import "strings"

// Names that people and programs have on a service
//
// MISP takes any line. They are kept as given, with the address of the service
// or without, and found under the same key.

var (
	githubName       = form{parse: parseGitHubName, keys: handleKeys}
	githubRepository = form{parse: parseRepository, keys: handleKeys}
	twitter          = form{parse: parseLine, keys: handleKeys}
	messageID        = form{parse: parseLine, keys: messageKeys}
	extension        = rewritten(strings.ToLower, isExtension, "it wants the 32 letters from a to p of a browser's extension")
	application      = rewritten(readUUID, isUUID, "it wants the UUID of an application, such as 04b07795-8ddb-461a-bbee-02f9e1bf7b46")
	program          = form{parse: parseProgram, keys: textKeys}
)

const (
	errGitHubName = why("it wants a name on GitHub: letters, digits and hyphens, at most 39 of them")
	errRepository = why("it wants owner/repository")
	errProgram    = why("it wants an application's identifier, such as org.example.app, without spaces")
)

// handle leaves out what stands around a name: the service's address, the "@".
func handle(s string) string {
	s = strings.ToLower(strings.Trim(s, "/"))
	for _, before := range [...]string{"https://", "http://", "www.", "github.com/", "twitter.com/", "x.com/", "@"} {
		s = strings.TrimPrefix(s, before)
	}
	return strings.TrimSuffix(s, ".git")
}

func handleKeys(dst []Key, s string) []Key {
	if name := handle(s); name != "" {
		s = name
	}
	return textKeys(dst, s)
}

// parseGitHubName leaves room for the suffix of accounts that a company manages.
func parseGitHubName(s string) (string, error) {
	s = bare(s)
	name := handle(s)
	if name == "" || len(name) > 39 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		return "", errGitHubName
	}
	return s, nil
}

func parseRepository(s string) (string, error) {
	s = bare(s)
	if strings.ContainsAny(s, " \t") || handle(s) == "" {
		return "", errRepository
	}
	return s, oneLine(s)
}

// messageKeys leaves out the angle brackets around a message's ID (RFC 5322,
// section 3.6.4), which some copy and some don't.
func messageKeys(dst []Key, s string) []Key {
	if id := strings.TrimSuffix(strings.TrimPrefix(s, "<"), ">"); id != "" {
		s = id
	}
	return textKeys(dst, s)
}

// isExtension is how Chromium's browsers name an extension: the first half of a
// SHA-256 of its key, with the digits a to p.
func isExtension(s string) bool {
	return len(s) == 32 && strings.Trim(s, "abcdefghijklmnop") == ""
}

func parseProgram(s string) (string, error) {
	s = bare(s)
	if strings.ContainsAny(s, " \t") {
		return "", errProgram
	}
	return s, oneLine(s)
}
