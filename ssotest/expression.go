package ssotest

import (
	"fmt"
	"strings"
)

// evaluate works out an attribute expression as Okta has them: fields of the
// user and quoted texts, joined by plus signs.
func evaluate(expression string, person Person) (string, error) {
	var out strings.Builder
	rest := strings.TrimSpace(expression)
	for {
		term, after, err := cutTerm(rest)
		if err != nil {
			return "", fmt.Errorf("ssotest: expression %q: %w", expression, err)
		}
		value, err := termValue(term, person)
		if err != nil {
			return "", fmt.Errorf("ssotest: expression %q: %w", expression, err)
		}
		out.WriteString(value)
		after = strings.TrimSpace(after)
		if after == "" {
			return out.String(), nil
		}
		if after[0] != '+' {
			return "", fmt.Errorf("ssotest: expression %q: want + before %q", expression, after)
		}
		rest = strings.TrimSpace(after[1:])
	}
}

// cutTerm splits off the first term: a quoted text with its quotes, or a name.
func cutTerm(s string) (term, rest string, err error) {
	if s == "" {
		return "", "", fmt.Errorf("a term is missing")
	}
	if q := s[0]; q == '"' || q == '\'' {
		end := strings.IndexByte(s[1:], q)
		if end < 0 {
			return "", "", fmt.Errorf("the quote is not closed")
		}
		return s[:end+2], s[end+2:], nil
	}
	end := strings.IndexAny(s, "+ \t\r\n\"'")
	if end < 0 {
		end = len(s)
	}
	return s[:end], s[end:], nil
}

func termValue(term string, person Person) (string, error) {
	switch term {
	case "user.email", "user.login":
		return person.Email, nil
	case "user.firstName":
		return person.FirstName, nil
	case "user.lastName":
		return person.LastName, nil
	case "user.displayName":
		return strings.TrimSpace(person.FirstName + " " + person.LastName), nil
	}
	if len(term) >= 2 && (term[0] == '"' || term[0] == '\'') {
		return term[1 : len(term)-1], nil
	}
	return "", fmt.Errorf("unknown term %q; known are user.email, user.login, user.firstName, user.lastName, user.displayName and quoted text", term)
}
