package ssohttp

import (
	"net/url"
	"strconv"
	"strings"
)

// Landing says where a browser may be sent after a sign-in.
type Landing struct {
	// Default is where it goes if nothing else is asked for, or what is asked
	// for is not allowed, or the sign-in began at the IdP. A local path, or an
	// address of an allowed origin. Zero: "/".
	Default string
	// Origins are allowed beside our own: "https://app.example.com".
	Origins []string
}

// maxLanding is the longest landing address, in bytes: it is kept with each
// sign-in under way.
const maxLanding = 2048

// Resolve returns to if it is a local path, or an address of one of Origins,
// and else Default and false. What a browser might read otherwise than we do is
// not allowed: an open redirect lends our name to other people's pages.
func (l Landing) Resolve(to string) (address string, ok bool) {
	if localPath(to) || l.allowed(to) {
		return to, true
	}
	if l.Default == "" {
		return "/", false
	}
	return l.Default, false
}

// localPath says whether s is an absolute path of our own, for every reader.
func localPath(s string) bool {
	if !plainText(s) || s[0] != '/' {
		return false
	}
	// Browsers take //host, and \ for /, as the start of another host. Escaped
	// they are harmless to browsers, but some proxies unescape paths.
	path := s
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		path = s[:i]
	}
	if strings.Contains(path, "//") {
		return false
	}
	for next, err := path, error(nil); ; {
		before := next
		if next, err = url.PathUnescape(before); err != nil {
			if before == path {
				return false
			}
			break // escaped once it is fine, and it stands for no more escapes
		}
		if strings.Contains(next, "//") || strings.ContainsFunc(next, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
			return false
		}
		if next == before {
			break
		}
	}
	// Dot segments may fold into // for somebody: /.//host, /a/..//host.
	for _, segment := range strings.Split(strings.ToLower(path), "/") {
		if segment = strings.ReplaceAll(segment, "%2e", "."); segment == "." || segment == ".." {
			return false
		}
	}
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "" && u.Host == "" && u.User == nil && u.Opaque == ""
}

// allowed says whether s is an address of one of the origins.
func (l Landing) allowed(s string) bool {
	if len(l.Origins) == 0 || !plainText(s) || strings.Contains(s, "\\") {
		return false
	}
	u, err := url.Parse(s)
	if err != nil || u.User != nil || u.Host == "" {
		return false
	}
	for _, origin := range l.Origins {
		// The address has to begin with the origin as it was written, so that
		// there is nothing to read in two ways.
		rest, ok := strings.CutPrefix(s, strings.TrimSuffix(origin, "/"))
		if ok && (rest == "" || rest[0] == '?' || rest[0] == '#' || localPath(rest)) {
			return true
		}
	}
	return false
}

// plainText says whether s is printable ASCII of a bearable length, and not
// empty: browsers drop tabs, line ends and blanks from addresses. Other
// alphabets come escaped.
func plainText(s string) bool {
	if s == "" || len(s) > maxLanding {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// check looks at the policy itself.
func (l Landing) check(need func(ok bool, field, problem, hint string)) {
	for _, origin := range l.Origins {
		u, err := url.Parse(origin)
		ok := err == nil && (u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname())) && u.Host != "" && u.Path == "" && u.RawQuery == "" && u.Fragment == "" && u.User == nil
		need(ok, "Landing.Origins", "has "+strconv.Quote(origin), "write scheme and host only, as in https://app.example.com")
	}
	need(l.Default == "" || localPath(l.Default) || l.allowed(l.Default), "Landing.Default", "is "+strconv.Quote(l.Default), "set a local path, or an address of one of Landing.Origins")
}
