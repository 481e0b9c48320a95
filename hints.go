package sso

import (
	"fmt"
	"strings"
	"time"

	"github.com/ssoconn/sso/internal/samlxml"
)

// The hints speak to the administrator who can mend it, in the words of the
// IdP's console where the IdP is recognised.

const hintReport = "inspect the response with InspectResponse for the whole report"

func (p *idpProfile) notResponse() string {
	return "this is not how " + p.at() + " answers a login; check that its application is of type SAML 2.0 and that it posts to our ACS URL"
}

func (p *idpProfile) tooLarge() string {
	return "have " + p.at() + " send fewer groups or attributes: " + label(p.attributes, "its attribute settings")
}

func (p *idpProfile) version() string {
	return "set the application at " + p.at() + " to SAML 2.0"
}

func (p *idpProfile) oneAssertion(n int) string {
	if n == 0 {
		return p.at() + " reports success but sends no assertion; check the attribute and NameID settings there, then its log"
	}
	return "a login answer carries one assertion; if this comes from " + p.at() + ", report it to its support"
}

func (p *idpProfile) status(s *StatusError) string {
	switch strings.TrimPrefix(orElse(s.SubCode, s.Code), samlxml.StatusPrefix) {
	case "NoAuthnContext":
		return "remove the requested authentication method from the connection, or let " + p.at() + " sign people in that way"
	case "InvalidNameIDPolicy":
		return "set the NameID format of the connection to none, or have " + p.at() + " issue that format: " + label(p.nameID, "its NameID setting")
	case "NoPassive":
		return "the person is not signed in at " + p.at() + "; start the login again without IsPassive"
	case "AuthnFailed", "UnknownPrincipal":
		return "sign-in at " + p.at() + " failed; try again there"
	case "RequestDenied":
		return p.at() + " denies this person: check " + label(p.assign, "who is assigned to the application there")
	case "RequestUnsupported", "UnsupportedBinding":
		return "use the sign-in address for the HTTP-Redirect binding, and our ACS URL with HTTP-POST"
	case "VersionMismatch":
		return p.version()
	case "Responder":
		return p.at() + " failed on its own side; look into its log"
	}
	return p.at() + " refused the request: check there our entity ID in " + label(p.entityID, "the SP entity ID field") + ", our ACS URL in " +
		label(p.acs, "the ACS URL field") + ", whether requests must be signed, and " + label(p.assign, "who is assigned to the application")
}

func (p *idpProfile) sign(what string) string {
	where := label(p.signing, "its signing settings")
	if what == "" {
		return "switch signing on at " + p.at() + ": " + where
	}
	other := "RequireSigned" + what
	return fmt.Sprintf("have %s sign the %s too (%s), or leave %s off: one signature is enough", p.at(), strings.ToLower(what), where, other)
}

func (p *idpProfile) certificate() string {
	return "get the current certificate from " + p.at() + " (" + label(p.cert, "its certificate page") + ") and add it beside the present one"
}

func (p *idpProfile) wrongKey(ours []string, theirs string) string {
	s := "the answer was signed with a key that is not pinned here"
	if theirs != "" {
		s += "; it names the certificate " + theirs
	}
	s += "; ours: " + strings.Join(ours, ", ")
	return s + ". If " + p.at() + " changed its certificate, or has one for each application, paste the one from " + label(p.cert, "its certificate page")
}

func (p *idpProfile) tampered() string {
	return "the answer was changed after " + p.at() + " signed it; if a proxy or plug-in touches it on the way, take it out"
}

func (p *idpProfile) algorithm() string {
	return "choose RSA with SHA-256 at " + p.at() + ": " + label(p.signing, "its signature algorithm setting")
}

func (p *idpProfile) issuer(c *Connection, got string) string {
	if got == c.SP.EntityID || got == c.SP.ACSURL {
		return "the issuer of the answer is our own address; this is not an answer from " + p.at()
	}
	if d := difference(got, c.IdP.EntityID); d != "" {
		return "the issuer configured here differs " + d + "; copy it again from " + label(p.issuerAt, "the IdP's issuer field")
	}
	return "paste the issuer exactly as " + p.at() + " shows it in " + label(p.issuerAt, "its issuer field") + ", or sign in at the right IdP or tenant"
}

// ourAddress is for a Recipient or Destination that is not our ACS URL.
func (p *idpProfile) ourAddress(c *Connection, got string) string {
	switch {
	case got == "":
		return "set our ACS URL at " + p.at() + ": " + label(p.acs, "the ACS URL field")
	case got == c.SP.EntityID:
		return p.exchanged(c)
	case strings.HasPrefix(got, "{"):
		return "the field " + label(p.acs, "for our ACS URL") + " is empty at " + p.at()
	}
	if d := difference(got, c.SP.ACSURL); d != "" {
		return "the address differs " + d + "; set " + quote(c.SP.ACSURL) + " in " + label(p.acs, "the ACS URL field") + " at " + p.at()
	}
	return "set " + quote(c.SP.ACSURL) + " in " + label(p.acs, "the ACS URL field") + " at " + p.at()
}

func (p *idpProfile) audience(c *Connection, got []string) string {
	field := label(p.entityID, "the SP entity ID (audience) field")
	for _, g := range got {
		switch {
		case g == c.SP.ACSURL:
			return p.exchanged(c)
		case strings.HasPrefix(g, "{"):
			return "the field " + field + " is empty at " + p.at()
		case g == "spn:"+c.SP.EntityID:
			return "Entra ID puts spn: before an entity ID that is no URI; use one that is, such as our metadata address"
		}
		if d := difference(g, c.SP.EntityID); d != "" {
			return "the audience differs " + d + "; set " + quote(c.SP.EntityID) + " in " + field + " at " + p.at()
		}
	}
	return "set " + quote(c.SP.EntityID) + " in " + field + " at " + p.at()
}

func (p *idpProfile) exchanged(c *Connection) string {
	return fmt.Sprintf("our two values were exchanged at %s: %s must be %s, and %s must be %s", p.at(),
		label(p.entityID, "the entity ID (audience)"), quote(c.SP.EntityID), label(p.acs, "the ACS URL"), quote(c.SP.ACSURL))
}

func (p *idpProfile) clocks(ahead, skew time.Duration) string {
	return fmt.Sprintf("the clock of %s is ahead of ours by %s, the tolerance is %s; check that both machines keep time (NTP)", p.at(), ahead.Round(time.Second), skew)
}

func (p *idpProfile) expired(ago, skew time.Duration) string {
	return fmt.Sprintf("it ended %s ago, the tolerance is %s; start the login again, and if it stays, compare the clocks of both machines (NTP)", ago.Round(time.Second), skew)
}

func (p *idpProfile) old(age time.Duration) string {
	return fmt.Sprintf("the answer is %s old; start the login again, and if it stays, compare the clocks of both machines (NTP)", age.Round(time.Second))
}

func (p *idpProfile) inResponseTo(noRequest bool) string {
	if noRequest {
		return "an IdP-initiated answer names no request; some IdPs can leave InResponseTo out (Rippling: Disable InResponseTo field)"
	}
	return "start the login again from our login page; the answer belongs to another request, another tab or another browser"
}

func (p *idpProfile) unsolicited() string {
	return "the login was started at " + p.at() + " and this connection does not allow that; start from our login page, or allow IdP-initiated sign-in"
}

func (p *idpProfile) sendEmail() string {
	return "have " + p.at() + " send the e-mail address as NameID: " + label(p.nameID, "its NameID setting")
}

func (p *idpProfile) transient() string {
	return "a transient NameID changes at each login, so nobody is recognised again; " + p.sendEmail()
}

func (p *idpProfile) nameIDNotEmail() string {
	return "if you know your users by e-mail, " + p.sendEmail() + ", or send an e-mail attribute; a stable ID is fine as well"
}

func (p *idpProfile) sessionEnded() string {
	return "the session at " + p.at() + " has ended; sign in there again"
}

func (p *idpProfile) addAttribute(what, name string) string {
	return "to send the " + what + ", add the attribute " + quote(name) + " at " + p.at() + ": " + label(p.attributes, "its attribute settings")
}

func (p *idpProfile) overage() string {
	return "the person is in more groups than " + p.at() + " sends; restrict the group claim to the groups assigned to the application"
}

func (p *idpProfile) encryptionOff() string {
	return "switch encryption off at " + p.at() + " (" + label(p.encryption, "its encryption settings") + "), or give this connection a decryption key and " + p.at() + " its certificate"
}

func (p *idpProfile) encryptionKey(c *Connection) string {
	var have []string
	for _, k := range c.SP.DecryptionKeys {
		if k.Certificate != nil {
			have = append(have, Fingerprint(k.Certificate))
		}
	}
	return "give " + p.at() + " our present encryption certificate (" + label(p.encryption, "its encryption settings") + "): " + orElse(strings.Join(have, ", "), "see our metadata")
}

// difference says in what little way two addresses differ, "" if in a big way.
func difference(got, want string) string {
	switch {
	case got == "" || want == "":
		return ""
	case strings.TrimSpace(got) == want:
		return "by white space around it"
	case strings.TrimSuffix(got, "/") == strings.TrimSuffix(want, "/"):
		return "only by the final slash"
	case strings.EqualFold(got, want):
		return "only in upper and lower case"
	case strings.TrimPrefix(got, "http://") == strings.TrimPrefix(want, "https://"):
		return "only by http in place of https; check the proxy's forwarded-protocol setting"
	case strings.TrimPrefix(got, "https://") == strings.TrimPrefix(want, "http://"):
		return "only by https in place of http"
	}
	return ""
}
