package sso

import (
	"net"
	"net/url"
	"strconv"
	"strings"
)

// maxAddress is the longest address in bytes: with a request behind it, it has
// to pass through browsers and proxies.
const maxAddress = 2048

// address checks an address that browsers are sent to. It returns nil if it
// found something.
func (v *validator) address(field, value, missing string) *url.URL {
	if value == "" {
		v.add(field, "is empty", missing)
		return nil
	}
	u, problem, hint := checkAddress(value)
	if problem != "" {
		v.add(field, problem, hint)
		return nil
	}
	return u
}

// checkAddress says what is wrong with an address. Only https is let through,
// and http on this very machine: a script in the place of an address would run
// as ours (CVE-2023-45683), and over http anybody on the way could read or
// answer for the identity provider.
func checkAddress(value string) (u *url.URL, problem, hint string) {
	switch {
	case value != trimmed(value):
		return nil, "has blanks around it: " + quote(value), "remove them"
	case strings.ContainsFunc(value, blankOrInvisible) || strings.Contains(value, `\`):
		return nil, "holds blanks or characters that no address has: " + quote(value), "copy the address alone"
	case len(value) > maxAddress:
		return nil, "is longer than " + strconv.Itoa(maxAddress) + " bytes", "copy the address alone"
	case strings.ContainsAny(value, "{}<>"):
		return nil, "holds a placeholder: " + quote(value), "use the address for your own tenant"
	}
	u, err := url.Parse(value)
	if err != nil {
		return nil, "is not an address: " + quote(value), "copy the address again, from https:// to its end"
	}
	switch u.Scheme {
	case "https", "http":
	case "":
		return nil, "is not a full address: " + quote(value), "copy the address from https:// to its end"
	case "urn":
		return nil, "is a name and not an address: " + quote(value), "this looks like an issuer (entity ID); paste the address that begins with https://"
	default:
		return nil, "has the scheme " + quote(u.Scheme) + " instead of https", "copy the address that begins with https://"
	}
	port := u.Port()
	if n, err := strconv.Atoi(port); port != "" && (err != nil || n < 1 || n > 65535) {
		return nil, "has a port that does not exist: " + quote(value), "correct the port"
	}
	switch {
	case u.Hostname() == "" || u.Opaque != "":
		return nil, "names no host: " + quote(value), "copy the address from https:// to its end"
	case u.User != nil:
		return nil, "holds a user name or password", "remove everything between // and @, and replace that password"
	case strings.Contains(value, "#"):
		return nil, "has a fragment, which never reaches a server: " + quote(value), "remove the part from # on"
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, "is http instead of https: " + quote(value), "use https; http is for this very machine only, such as http://localhost"
	}
	return u, "", ""
}

func loopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// scriptScheme says whether a browser would run the value if it were a link.
func scriptScheme(value string) bool {
	scheme, _, ok := strings.Cut(strings.ToLower(value), ":")
	return ok && (scheme == "javascript" || scheme == "vbscript" || scheme == "data")
}

// signInAddress looks for addresses in the wrong field.
func (v *validator) signInAddress(field string, u *url.URL, c *Connection) {
	if v.ours(field, u, c) || v.metadataAddress(field, u) {
		return
	}
	if i := knownAs(u, func(k *knownAddress) func(*url.URL) bool { return k.isIssuer }); i != nil {
		v.add(field, "looks like the issuer (entity ID) of "+i.name+": "+quote(u.String()),
			"its sign-in address looks like "+i.ssoURL+"; have the two been exchanged?")
		return
	}
	for name := range u.Query() {
		switch name {
		case "SAMLRequest", "SAMLResponse", "RelayState", "SigAlg", "Signature":
			v.add(field, "holds one particular sign-in ("+name+")", "copy the address up to the question mark, from the identity provider's settings and not from the browser")
			return
		}
	}
}

// issuer looks for values in the wrong field.
func (v *validator) issuer(c *Connection) {
	const field = "IdP.EntityID"
	value := c.IdP.EntityID
	if value == c.SP.EntityID || value == c.SP.ACSURL || c.SP.SLOURL != "" && value == c.SP.SLOURL {
		v.add(field, "is our own: "+quote(value), "paste the issuer from the identity provider; ours goes into its settings")
		return
	}
	u, err := url.Parse(value)
	if err != nil || u.Host == "" {
		return
	}
	if i := knownAs(u, func(k *knownAddress) func(*url.URL) bool { return k.isSSO }); i != nil {
		v.add(field, "looks like the sign-in address of "+i.name+": "+quote(value),
			"its issuer looks like "+i.issuer+"; have the two been exchanged?")
		return
	}
	if strings.EqualFold(u.Host, "sts.windows.net") && !strings.HasSuffix(u.Path, "/") {
		v.add(field, "lacks the final slash: "+quote(value), "the Microsoft Entra Identifier ends with a slash; copy it whole")
	}
}

// ours finds our own address in the place of the identity provider's. An
// identity provider that runs under our own host is known by its path, and on
// this very machine everything has one host.
func (v *validator) ours(field string, u *url.URL, c *Connection) bool {
	for _, own := range []string{c.SP.ACSURL, c.SP.SLOURL, c.SP.EntityID} {
		o, err := url.Parse(own)
		if own == "" || err != nil || !sameHost(u, o) {
			continue
		}
		if strings.TrimSuffix(u.Path, "/") == strings.TrimSuffix(o.Path, "/") || own != c.SP.EntityID && !loopback(u.Hostname()) &&
			knownAs(u, func(k *knownAddress) func(*url.URL) bool { return k.isSSO }) == nil {
			v.add(field, "is our own address: "+quote(u.String()), "paste the one from the identity provider; ours goes into its settings")
			return true
		}
	}
	return false
}

func sameHost(a, b *url.URL) bool {
	port := func(u *url.URL) string {
		switch p := u.Port(); {
		case p != "":
			return p
		case u.Scheme == "http":
			return "80"
		}
		return "443"
	}
	return strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

// metadataAddress finds a metadata address where another belongs.
func (v *validator) metadataAddress(field string, u *url.URL) bool {
	if !looksLikeMetadata(u) {
		return false
	}
	v.add(field, "is a metadata address: "+quote(u.String()), "import the settings from it, or paste the sign-in or logout address itself")
	return true
}

// noMetadataAddress finds a sign-in address where that of metadata belongs.
func (v *validator) noMetadataAddress(field string, u *url.URL) {
	if looksLikeMetadata(u) {
		return
	}
	if i := knownAs(u, func(k *knownAddress) func(*url.URL) bool { return k.isSSO }); i != nil {
		v.add(field, "looks like the sign-in address of "+i.name+": "+quote(u.String()), "paste the address of its metadata: "+i.metadata)
	}
}
