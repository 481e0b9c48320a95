package main

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ssoconn/sso"
)

// The library speaks English to operators. Here its words become sentences of a
// page, in the visitor's language.

// fieldText is what is wrong with a field, and what to do.
func fieldText(lang string, e *sso.FieldError) string {
	if lang == "ru" {
		for _, s := range russianProblems {
			field, _, _ := strings.Cut(e.Field, "[")
			if (s.field == "" || s.field == field) && strings.HasPrefix(e.Problem, s.problem) {
				return s.sentence
			}
		}
	}
	return sentence(e.Problem) + " " + sentence(e.Hint)
}

// checkText is what to do about a check that failed or warns.
func checkText(lang string, k sso.Check) string {
	if s, ok := russianHints[k.Reason]; ok && lang == "ru" && k.Status == sso.CheckFailed {
		return s
	}
	return sentence(k.Hint)
}

func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(first)) + s[size:]
	if strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

// settingNames are the texts that name the settings of a connection.
var settingNames = map[string]string{
	"IdP.SSOURL": "sso_url", "IdP.SSOPostURL": "sso_url", "IdP.EntityID": "issuer", "IdP.Certificates": "certificate",
}

// whyOff says why a connection cannot be on, "" if it can.
func whyOff(lang string, c *sso.Connection) string {
	t := texts[lang]
	switch changed := c.ChangedSinceTest(); {
	case c.LastTest == nil:
		return t["why_untested"]
	case !c.LastTest.Passed:
		return t["why_failed"]
	case len(changed) > 0:
		var names []string
		for _, field := range changed {
			name, ok := settingNames[field]
			if !ok {
				name = "other_settings"
			}
			names = append(names, t[name])
		}
		return fmt.Sprintf(t["why_changed"], strings.Join(names, ", "))
	}
	return ""
}

// expiry is what the dates of the certificates come to. That there are some at
// all, and that they are in force, goes without saying.
func expiry(lang string, c *sso.Connection, now time.Time) []string {
	var out []string
	for _, cert := range c.IdP.Certificates {
		end := cert.NotAfter.UTC().Format(time.DateOnly)
		switch {
		case !now.Before(cert.NotAfter):
			out = append(out, fmt.Sprintf(texts[lang]["cert_expired"], end))
		case now.Add(30 * 24 * time.Hour).After(cert.NotAfter):
			out = append(out, fmt.Sprintf(texts[lang]["cert_expiring"], end))
		}
	}
	return out
}
