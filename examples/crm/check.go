package main

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is the longest name of a user or a connection, in characters.
const maxName = 100

// nameProblem says what is wrong with a name: a text's name, "" for nothing.
func nameProblem(s string) string {
	switch {
	case strings.TrimSpace(s) == "":
		return "name_empty"
	case utf8.RuneCountInString(s) > maxName:
		return "name_long"
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf) && r != '\u200d' }): // which joins emoji
		return "name_control"
	}
	return ""
}

// looksLikeEmail judges the form only.
func looksLikeEmail(s string) bool {
	local, domain, ok := strings.Cut(strings.TrimSpace(s), "@")
	return ok && local != "" && strings.Contains(domain, ".") && len(s) <= 254 &&
		!strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) && !strings.Contains(domain, "@")
}
