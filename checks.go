package sso

import (
	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
)

// A check is one rung of the ladder that every Response climbs.
type check struct {
	name    string
	section string
	run     func(*verification) *VerifyError
	// ready says whether there is anything to check. Nil: always. In
	// VerifyResponse it is always true when its turn comes, since the checks
	// before it either make what it needs or fail.
	ready func(*verification) bool
	// advice is for InspectResponse alone: it warns and refuses nothing.
	advice bool
}

// checks is the one list. VerifyResponse stops at the first failure,
// InspectResponse runs on. Cheap checks come first; nothing is acted on before
// the signature holds; what uses up memory in a store comes last.
var checks = [...]check{
	{name: "encoding", section: "Bindings 3.5.4", run: (*verification).decode},
	{name: "xml", section: "Core 1.1", run: (*verification).read, ready: func(v *verification) bool { return v.data != nil }},
	{name: "message", section: "Core 3.3.3", run: (*verification).checkMessage, ready: hasRoot},
	{name: "version", section: "Core 3.2.2", run: (*verification).checkVersion, ready: hasRoot},
	{name: "status", section: "Core 3.2.2.1", run: (*verification).checkStatus, ready: hasStatus},
	{name: "one assertion", section: "Core 3.3.3", run: (*verification).checkOneAssertion, ready: hasRoot},
	{name: "response signature", section: "Core 5.4", run: (*verification).checkResponseSignature, ready: hasRoot},
	{name: "decryption", section: "Core 2.3.4", run: (*verification).checkDecryption, ready: hasAssertion},
	{name: "assertion", section: "Core 2.3.3", run: (*verification).checkAssertion, ready: hasPlain},
	{name: "assertion signature", section: "Core 5.4", run: (*verification).checkAssertionSignature, ready: hasPlain},
	{name: "signed", section: "Profiles 4.1.4.3", run: (*verification).checkSigned, ready: hasRoot},
	{name: "certificate", section: "Core 5.4.5", run: (*verification).checkCertificate, ready: func(v *verification) bool { return v.certificate != nil }},
	{name: "issuer", section: "Profiles 4.1.4.2", run: (*verification).checkIssuer, ready: hasPlain},
	{name: "destination", section: "Bindings 3.5.5.2", run: (*verification).checkDestination, ready: hasRoot},
	{name: "issue instant", section: "Core 2.3.3", run: (*verification).checkIssueInstant, ready: hasPlain},
	{name: "in response to", section: "Profiles 4.1.4.3", run: (*verification).checkInResponseTo, ready: hasRoot},
	{name: "subject", section: "Core 2.4.1", run: (*verification).checkSubject, ready: hasPlain},
	{name: "confirmation", section: "Profiles 4.1.4.3", run: (*verification).checkConfirmation, ready: hasSubject},
	{name: "conditions", section: "Core 2.5.1", run: (*verification).checkConditions, ready: hasPlain},
	{name: "validity", section: "Core 2.5.1.2", run: (*verification).checkValidity, ready: hasConditions},
	{name: "audience", section: "Core 2.5.1.4", run: (*verification).checkAudience, ready: hasConditions},
	{name: "authn statement", section: "Core 2.7.2", run: (*verification).checkAuthn, ready: hasPlain},
	{name: "attributes", section: "Core 2.7.3", run: (*verification).checkAttributes, ready: hasPlain},
	{name: "replay", section: "Profiles 4.1.4.5", run: (*verification).checkReplay, ready: hasPlain},
	{name: "name id", section: "Core 8.3", run: (*verification).adviseNameID, ready: hasSubject, advice: true},
	{name: "profile", section: "Core 2.7.3", run: (*verification).adviseProfile, ready: hasPlain, advice: true},
	{name: "clock", section: "Core 1.3.3", run: (*verification).adviseClock, ready: hasPlain, advice: true},
}

// afterReading is where the list goes on for a message that is a tree already.
const afterReading = 2

func hasRoot(v *verification) bool      { return v.root != nil }
func hasStatus(v *verification) bool    { return v.status != nil }
func hasAssertion(v *verification) bool { return v.assertion != nil }
func hasPlain(v *verification) bool {
	return v.assertion != nil && samlxml.Is(v.assertion, samlxml.Assertion, "Assertion")
}
func hasSubject(v *verification) bool    { return hasPlain(v) && v.parts.subject != nil }
func hasConditions(v *verification) bool { return hasPlain(v) && v.parts.conditions != nil }

// responseOrder is the order of a Response's children. Anything else, or
// anything twice, is not a Response: signature wrapping lives on elements that
// stand where no reader expects them. Several assertions are left for the check
// that counts them.
var responseOrder = [...]slot{
	{space: samlxml.Assertion, tag: "Issuer", rank: 0},
	{space: samlxml.DSig, tag: "Signature", rank: 1},
	{space: samlxml.Protocol, tag: "Extensions", rank: 2},
	{space: samlxml.Protocol, tag: "Status", rank: 3},
	{space: samlxml.Assertion, tag: "Assertion", rank: 4, many: true},
	{space: samlxml.Assertion, tag: "EncryptedAssertion", rank: 4, many: true},
}

func (v *verification) checkMessage() *VerifyError {
	bad := func(got, want string) *VerifyError {
		return &VerifyError{Reason: ReasonMessage, Got: got, Want: want, Hint: v.idp.notResponse()}
	}
	if !samlxml.Is(v.root, samlxml.Protocol, "Response") {
		root := v.root
		v.root = nil // nothing below it can be read as a Response
		return bad("the root element "+quote(root.FullTag()), "a SAML 2.0 Response")
	}
	if fault := sequence(v.root, responseOrder[:], func(e *etree.Element) {
		switch e.Tag {
		case "Issuer":
			v.issuer = e
		case "Status":
			v.status = e
		}
	}); fault != "" {
		return bad(fault, "Issuer, Signature, Extensions, Status and an assertion, in this order")
	}
	if v.status == nil {
		return bad("no Status", "exactly one Status")
	}
	if !validID(v.root) {
		return bad("no proper ID on the Response", "one attribute ID, and no other spelling of it")
	}
	if fault := strayOrDuplicate(v.root, false); fault != "" {
		return bad(fault, "every ID once, and each signature and assertion in its place")
	}
	return nil
}

func (v *verification) checkVersion() *VerifyError {
	if got, _ := samlxml.Attr(v.root, "Version"); got != "2.0" {
		return &VerifyError{Reason: ReasonVersion, Got: quote(got), Want: `"2.0"`, Hint: v.idp.version()}
	}
	return nil
}

// checkStatus comes before the signature: what the IdP has to say of its own
// refusal is of use to the administrator, signed or not, and it can only ever
// refuse.
func (v *verification) checkStatus() *VerifyError {
	s, err := readStatus(v.status)
	if err != "" {
		return &VerifyError{Reason: ReasonStatus, Got: err, Want: "one StatusCode", Hint: v.idp.notResponse()}
	}
	if s.Code == samlxml.StatusSuccess {
		return nil
	}
	return &VerifyError{Reason: ReasonStatus, Got: s.describe(), Want: "Success", Err: s, Hint: v.idp.status(s)}
}

func (v *verification) checkOneAssertion() *VerifyError {
	n := 0
	for _, t := range v.root.Child {
		if e, ok := t.(*etree.Element); ok && (e.Tag == "Assertion" || e.Tag == "EncryptedAssertion") && samlxml.Is(e, samlxml.Assertion, e.Tag) {
			n++
			v.assertion, v.encrypted = e, e.Tag == "EncryptedAssertion"
		}
	}
	if n == 1 {
		return nil
	}
	v.assertion = nil
	return &VerifyError{Reason: ReasonAssertion, Got: plural(n, "assertion"), Want: "exactly one", Hint: v.idp.oneAssertion(n)}
}

func (v *verification) checkResponseSignature() (err *VerifyError) {
	v.rootSigned, err = v.verifySignature(v.root, "Response")
	return err
}

func (v *verification) checkAssertionSignature() (err *VerifyError) {
	v.innerSigned, err = v.verifySignature(v.assertion, "Assertion")
	return err
}

// checkSigned demands at least one signature over the assertion. Every
// signature that is there was verified before: one that does not hold refuses,
// whatever the other one says.
func (v *verification) checkSigned() *VerifyError {
	switch {
	case !v.covered():
		return &VerifyError{Reason: ReasonUnsigned, Got: "neither Response nor Assertion signed", Want: "a signature on one of them", Hint: v.idp.sign("")}
	case v.c.RequireSignedResponse && !v.rootSigned:
		return &VerifyError{Reason: ReasonUnsigned, Got: "Response not signed", Want: "a signed Response", Hint: v.idp.sign("Response")}
	case v.c.RequireSignedAssertion && !v.innerSigned:
		return &VerifyError{Reason: ReasonUnsigned, Got: "Assertion not signed", Want: "a signed Assertion", Hint: v.idp.sign("Assertion")}
	}
	return nil
}

func (v *verification) checkCertificate() *VerifyError {
	cert := v.certificate
	v.result.CertificateSHA256 = Fingerprint(cert)
	date := cert.NotAfter.UTC().Format("2006-01-02")
	switch left := cert.NotAfter.Sub(v.now); {
	case v.now.Before(cert.NotBefore):
		date = cert.NotBefore.UTC().Format("2006-01-02")
		if v.c.RefuseExpiredCertificates {
			return &VerifyError{Reason: ReasonCertificate, Got: "a certificate valid from " + date, Want: "one in date", Hint: v.idp.certificate()}
		}
		v.warnCertificate("the pinned certificate is valid from " + date + " only")
	case left < 0:
		if v.c.RefuseExpiredCertificates {
			return &VerifyError{Reason: ReasonCertificate, Got: "a certificate that expired on " + date, Want: "one in date", Hint: v.idp.certificate()}
		}
		v.warnCertificate("the pinned certificate expired on " + date)
	case left < 30*24*60*60*1e9:
		v.warnCertificate("the pinned certificate expires on " + date)
	}
	return nil
}

// checkIssuer compares exactly: an issuer that differs by a slash, a letter's
// case or a blank is another IdP.
func (v *verification) checkIssuer() *VerifyError {
	if v.issuer == nil {
		if v.rootSigned || v.encrypted {
			return &VerifyError{Reason: ReasonIssuer, Got: "no Issuer on the Response", Want: quote(v.c.IdP.EntityID), Hint: v.idp.notResponse()}
		}
	} else if err := v.issuerIs(v.issuer); err != nil {
		return err
	}
	if v.parts.issuer == nil {
		return &VerifyError{Reason: ReasonIssuer, Got: "no Issuer on the Assertion", Want: quote(v.c.IdP.EntityID), Hint: v.idp.notResponse()}
	}
	if err := v.issuerIs(v.parts.issuer); err != nil {
		return err
	}
	v.result.Issuer = v.c.IdP.EntityID
	return nil
}

func (v *verification) issuerIs(e *etree.Element) *VerifyError {
	got, ok := value(e)
	if !ok || got != v.c.IdP.EntityID {
		return &VerifyError{Reason: ReasonIssuer, Got: quote(got), Want: quote(v.c.IdP.EntityID), Hint: v.idp.issuer(v.c, got)}
	}
	if f, ok := samlxml.Attr(e, "Format"); ok && f != samlxml.NameIDEntity {
		return &VerifyError{Reason: ReasonIssuer, Got: "an Issuer of format " + quote(f), Want: "an entity", Hint: v.idp.notResponse()}
	}
	return nil
}

// checkDestination stops a Response made for another address from being
// forwarded to ours. Unsigned, the attribute proves nothing, so only a signed
// Response has to have it.
func (v *verification) checkDestination() *VerifyError {
	got, ok := samlxml.Attr(v.root, "Destination")
	if ok && got == v.c.SP.ACSURL || !ok && !v.rootSigned {
		return nil
	}
	return &VerifyError{Reason: ReasonDestination, Got: orNone(got, ok), Want: quote(v.c.SP.ACSURL), Hint: v.idp.ourAddress(v.c, got)}
}

func (v *verification) checkIssueInstant() *VerifyError {
	for _, e := range [...]*etree.Element{v.root, v.assertion} {
		s, _ := samlxml.Attr(e, "IssueInstant")
		t, err := samlxml.Time(s)
		switch {
		case err != nil:
			return &VerifyError{Reason: ReasonIssueInstant, Got: quote(s), Want: "a time in UTC", Hint: v.idp.notResponse()}
		case t.After(v.now.Add(v.skew)):
			return &VerifyError{Reason: ReasonIssueInstant, Got: stamp(t), Want: "not after " + stamp(v.now.Add(v.skew)), Hint: v.idp.clocks(t.Sub(v.now), v.skew)}
		case t.Before(v.now.Add(-v.skew - maxMessageAge)):
			return &VerifyError{Reason: ReasonIssueInstant, Got: stamp(t), Want: "not before " + stamp(v.now.Add(-v.skew-maxMessageAge)), Hint: v.idp.old(v.now.Sub(t))}
		}
		v.issueInstant = t
	}
	return nil
}

// checkInResponseTo ties the Response to the request that this browser was sent
// off with: without it, somebody else's Response can be planted in a browser
// (login CSRF).
func (v *verification) checkInResponseTo() *VerifyError {
	got, ok := samlxml.Attr(v.root, "InResponseTo")
	if err := v.answers(got, ok); err != nil {
		return err
	}
	v.solicited = ok && v.o.RequestID != ""
	if v.solicited {
		v.result.InResponseTo = v.o.RequestID
	}
	return nil
}

// answers judges one InResponseTo.
func (v *verification) answers(got string, ok bool) *VerifyError {
	switch {
	case ok && v.o.RequestID != "" && got == v.o.RequestID:
		return nil
	case ok && v.o.RequestID == "" && v.c.InsecureIgnoreInResponseTo:
		return nil
	case ok:
		return &VerifyError{Reason: ReasonInResponseTo, Got: quote(got), Want: orNone(v.o.RequestID, v.o.RequestID != ""), Hint: v.idp.inResponseTo(v.o.RequestID == "")}
	case v.o.AllowIdPInitiated:
		return nil
	}
	return &VerifyError{Reason: ReasonUnsolicited, Got: "no InResponseTo", Want: quote(v.o.RequestID), Hint: v.idp.unsolicited()}
}

func (v *verification) checkReplay() *VerifyError {
	if v.o.Replay == nil {
		return nil
	}
	fresh, err := v.o.Replay.Remember(v.ctx, replayKey(v.result.Issuer, v.result.ID), v.replayUntil())
	if err != nil {
		return &VerifyError{Reason: ReasonStore, Got: "no answer from the replay memory", Err: err, Hint: "try again; if it stays, look at the store that keeps used assertions"}
	}
	if !fresh {
		return &VerifyError{Reason: ReasonReplay, Got: "an assertion that was used before", Want: "a new one", Hint: "start the login again; the back button or a second click posts the same answer twice"}
	}
	return nil
}
