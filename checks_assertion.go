package sso

import (
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/xmlenc"
)

// checkDecryption puts the decrypted assertion in the place of the encrypted
// one. Encryption authenticates nothing, since our public key is public: the
// assertion still needs its own signature, or the Response's.
func (v *verification) checkDecryption() *VerifyError {
	if !v.encrypted {
		return nil
	}
	e, err := v.decrypt(v.assertion, v.rootSigned || v.outerSigned)
	if err != nil {
		return err
	}
	at := v.assertion.Index()
	v.root.RemoveChildAt(at)
	v.root.InsertChildAt(at, e)
	v.assertion = e
	// The plaintext has not been through the checks on the whole message: it
	// may repeat an ID or hide an assertion.
	if dup := strayOrDuplicate(v.root, true); dup != "" {
		return &VerifyError{Reason: ReasonAssertion, Got: dup, Want: "every ID once, and each signature and assertion in its place", Hint: v.idp.notResponse()}
	}
	return nil
}

// decrypt decrypts an EncryptedAssertion, EncryptedID or EncryptedAttribute.
// authenticated says that a verified signature covers the ciphertext.
func (v *verification) decrypt(e *etree.Element, authenticated bool) (*etree.Element, *VerifyError) {
	keys := make([]crypto.Decrypter, 0, len(v.c.SP.DecryptionKeys))
	for _, k := range v.c.SP.DecryptionKeys {
		if d, ok := k.Private.(crypto.Decrypter); ok {
			keys = append(keys, d)
		}
	}
	if len(keys) == 0 {
		return nil, &VerifyError{Reason: ReasonEncrypted, Got: "encrypted, and this connection has no decryption key", Hint: v.idp.encryptionOff()}
	}
	plain, err := xmlenc.DecryptElement(e, keys, xmlenc.Options{
		AllowRSA15:              v.c.InsecureAllowRSA15,
		AllowUnauthenticatedCBC: v.c.InsecureUnauthenticatedCBC,
		CBCAuthenticated:        authenticated,
	})
	if err == nil {
		return plain, nil
	}
	var xe *xmlenc.Error
	if errors.As(err, &xe) && xe.Kind == xmlenc.KindRefused {
		return nil, &VerifyError{Reason: ReasonEncrypted, Got: xe.Got, Want: xe.Want, Hint: orElse(xe.Hint, v.idp.encryptionOff())}
	}
	// One answer for every cause: anything finer is a padding oracle.
	return nil, &VerifyError{Reason: ReasonDecryption, Got: "what does not decrypt with our keys", Hint: v.idp.encryptionKey(v.c)}
}

var assertionOrder = [...]slot{
	{space: samlxml.Assertion, tag: "Issuer", rank: 0},
	{space: samlxml.DSig, tag: "Signature", rank: 1},
	{space: samlxml.Assertion, tag: "Subject", rank: 2},
	{space: samlxml.Assertion, tag: "Conditions", rank: 3},
	{space: samlxml.Assertion, tag: "Advice", rank: 4},
	{space: samlxml.Assertion, tag: "AuthnStatement", rank: 5, many: true},
	{space: samlxml.Assertion, tag: "AttributeStatement", rank: 5, many: true},
	{space: samlxml.Assertion, tag: "AuthzDecisionStatement", rank: 5, many: true},
	{space: samlxml.Assertion, tag: "Statement", rank: 5, many: true},
}

func (v *verification) checkAssertion() *VerifyError {
	bad := func(got, want string) *VerifyError {
		return &VerifyError{Reason: ReasonAssertion, Got: got, Want: want, Hint: v.idp.notResponse()}
	}
	p := &v.parts
	if fault := sequence(v.assertion, assertionOrder[:], func(e *etree.Element) {
		switch e.Tag {
		case "Issuer":
			p.issuer = e
		case "Subject":
			p.subject = e
		case "Conditions":
			p.conditions = e
		case "AuthnStatement":
			p.authn = append(p.authn, e)
		case "AttributeStatement":
			p.attributes = append(p.attributes, e)
		}
	}); fault != "" {
		return bad(fault, "the children of an Assertion, in their order")
	}
	if !validID(v.assertion) {
		return bad("no proper ID on the Assertion", "one attribute ID, and no other spelling of it")
	}
	if got, _ := samlxml.Attr(v.assertion, "Version"); got != "2.0" {
		return &VerifyError{Reason: ReasonVersion, Got: quote(got), Want: `"2.0"`, Hint: v.idp.version()}
	}
	v.result.ID = attr(v.assertion, "ID")
	return nil
}

func (v *verification) checkSubject() *VerifyError {
	none := func(got string) *VerifyError {
		return &VerifyError{Reason: ReasonSubject, Got: got, Want: "one NameID", Hint: v.idp.sendEmail()}
	}
	if v.parts.subject == nil {
		return none("no Subject")
	}
	var id *etree.Element
	n := 0
	for _, t := range v.parts.subject.Child {
		e, ok := t.(*etree.Element)
		if !ok || samlxml.Is(e, samlxml.Assertion, "SubjectConfirmation") {
			continue
		}
		id = e
		n++
	}
	if n != 1 {
		return none(plural(n, "identifier") + " in the Subject")
	}
	if samlxml.Is(id, samlxml.Assertion, "EncryptedID") {
		plain, err := v.decrypt(id, v.covered())
		if err != nil {
			return err
		}
		at := id.Index()
		v.parts.subject.RemoveChildAt(at)
		v.parts.subject.InsertChildAt(at, plain)
		id = plain
	}
	if !samlxml.Is(id, samlxml.Assertion, "NameID") {
		return none("a Subject identified by " + quote(id.FullTag()))
	}
	nid, ok := readNameID(id)
	switch {
	case !ok:
		return none("a NameID that holds elements")
	case nid.Value == "":
		return none("an empty NameID")
	case len(nid.Value) > maxNameID:
		return none("a NameID of " + plural(len(nid.Value), "byte"))
	case nid.Value != strings.TrimSpace(nid.Value) || strings.ContainsFunc(nid.Value, invisible):
		// "alice" and "alice " are two accounts at the IdP and look like one
		// here: whoever may choose the second would enter as the first.
		return none("a NameID with white space around it or invisible characters in it")
	}
	v.result.Subject = nid
	return nil
}

// checkConfirmation demands one bearer SubjectConfirmation that passes whole by
// itself: the right Recipient of one and the right time of another prove
// nothing together.
func (v *verification) checkConfirmation() *VerifyError {
	err := &VerifyError{Reason: ReasonConfirmation, Got: "no bearer SubjectConfirmation", Want: "at least one", Hint: v.idp.notResponse()}
	confirmed := false
	for _, sc := range samlxml.Children(v.parts.subject, samlxml.Assertion, "SubjectConfirmation") {
		if m, _ := samlxml.Attr(sc, "Method"); m != samlxml.MethodBearer {
			continue
		}
		till, e := v.confirm(sc)
		if e != nil {
			err = e
			continue
		}
		confirmed = true
		if till.After(v.confirmedTill) {
			v.confirmedTill = till
		}
	}
	if confirmed {
		return nil
	}
	return err
}

// confirm judges one bearer confirmation.
//
// Specification: SAML 2.0 Profiles, 4.1.4.2 and 4.1.4.3.
func (v *verification) confirm(sc *etree.Element) (till time.Time, err *VerifyError) {
	bad := func(got, want string) *VerifyError {
		return &VerifyError{Reason: ReasonConfirmation, Got: got, Want: want, Hint: v.idp.notResponse()}
	}
	d, n := samlxml.Child(sc, samlxml.Assertion, "SubjectConfirmationData")
	if n != 1 {
		return till, bad(plural(n, "SubjectConfirmationData"), "exactly one")
	}
	if r, ok := samlxml.Attr(d, "Recipient"); r != v.c.SP.ACSURL {
		return till, &VerifyError{Reason: ReasonRecipient, Got: orNone(r, ok), Want: quote(v.c.SP.ACSURL), Hint: v.idp.ourAddress(v.c, r)}
	}
	if _, ok := samlxml.Attr(d, "NotBefore"); ok {
		return till, bad("a bearer confirmation with NotBefore", "none")
	}
	s, ok := samlxml.Attr(d, "NotOnOrAfter")
	till, terr := samlxml.Time(s)
	if terr != nil {
		return till, bad("NotOnOrAfter "+orNone(s, ok), "a time in UTC")
	}
	if !v.now.Before(till.Add(v.skew)) {
		return till, v.expired("NotOnOrAfter of the confirmation", till)
	}
	irt, ok := samlxml.Attr(d, "InResponseTo")
	if v.solicited && !ok {
		return till, &VerifyError{Reason: ReasonInResponseTo, Got: "no InResponseTo in the confirmation", Want: quote(v.o.RequestID), Hint: v.idp.inResponseTo(false)}
	}
	if err := v.answers(irt, ok); err != nil {
		return till, err
	}
	if !v.solicited && ok && v.o.RequestID != "" {
		// Only the assertion may be signed: then anybody can strip the
		// Response's InResponseTo to pass an answer off as unsolicited.
		return till, &VerifyError{Reason: ReasonInResponseTo, Got: "InResponseTo in the confirmation only", Want: "in the Response too", Hint: v.idp.inResponseTo(false)}
	}
	return till, nil
}

func (v *verification) checkConditions() *VerifyError {
	if v.parts.conditions == nil {
		return &VerifyError{Reason: ReasonConditions, Got: "no Conditions", Want: "an audience and a time", Hint: v.idp.notResponse()}
	}
	seen := map[string]int{}
	for _, t := range v.parts.conditions.Child {
		e, ok := t.(*etree.Element)
		if !ok {
			continue
		}
		known := samlxml.Is(e, samlxml.Assertion, e.Tag) && (e.Tag == "AudienceRestriction" || e.Tag == "OneTimeUse" || e.Tag == "ProxyRestriction")
		seen[e.Tag]++
		if !known || e.Tag != "AudienceRestriction" && seen[e.Tag] > 1 {
			// A condition that is not understood makes the assertion's validity
			// undecided, and undecided is no.
			return &VerifyError{Reason: ReasonConditions, Got: "the condition " + quote(e.FullTag()), Want: "conditions that are known, once each", Hint: v.idp.notResponse()}
		}
	}
	return nil
}

func (v *verification) checkValidity() *VerifyError {
	from, hasFrom, err := v.conditionTime("NotBefore")
	if err != nil {
		return err
	}
	till, hasTill, err := v.conditionTime("NotOnOrAfter")
	if err != nil {
		return err
	}
	switch {
	case hasFrom && hasTill && !from.Before(till):
		return &VerifyError{Reason: ReasonConditions, Got: "NotBefore " + stamp(from) + ", NotOnOrAfter " + stamp(till), Want: "the one before the other", Hint: v.idp.notResponse()}
	case hasFrom && v.now.Before(from.Add(-v.skew)):
		return &VerifyError{Reason: ReasonNotYetValid, Got: "NotBefore " + stamp(from), Want: "not after " + stamp(v.now.Add(v.skew)), Hint: v.idp.clocks(from.Sub(v.now), v.skew)}
	case hasTill && !v.now.Before(till.Add(v.skew)):
		return v.expired("NotOnOrAfter", till)
	}
	v.result.NotOnOrAfter = v.confirmedTill
	if hasTill && (till.Before(v.confirmedTill) || v.confirmedTill.IsZero()) {
		v.result.NotOnOrAfter = till
	}
	return nil
}

func (v *verification) conditionTime(name string) (time.Time, bool, *VerifyError) {
	s, ok := samlxml.Attr(v.parts.conditions, name)
	if !ok {
		return time.Time{}, false, nil
	}
	t, err := samlxml.Time(s)
	if err != nil {
		return t, true, &VerifyError{Reason: ReasonConditions, Got: name + " " + quote(s), Want: "a time in UTC", Hint: v.idp.notResponse()}
	}
	return t, true, nil
}

func (v *verification) expired(what string, till time.Time) *VerifyError {
	return &VerifyError{Reason: ReasonExpired, Got: what + " " + stamp(till), Want: "later than " + stamp(v.now.Add(-v.skew)), Hint: v.idp.expired(v.now.Sub(till), v.skew)}
}

// checkAudience demands at least one AudienceRestriction, and in each of them
// our entity ID: without it an assertion made for any other service provider of
// the same IdP would let its holder in here.
func (v *verification) checkAudience() *VerifyError {
	restrictions := samlxml.Children(v.parts.conditions, samlxml.Assertion, "AudienceRestriction")
	if len(restrictions) == 0 {
		return &VerifyError{Reason: ReasonAudience, Got: "no AudienceRestriction", Want: quote(v.c.SP.EntityID), Hint: v.idp.audience(v.c, nil)}
	}
	for _, r := range restrictions {
		var got []string
		ours := false
		for _, a := range samlxml.Children(r, samlxml.Assertion, "Audience") {
			s, ok := value(a)
			got = append(got, s)
			ours = ours || ok && s == v.c.SP.EntityID
		}
		if !ours {
			return &VerifyError{Reason: ReasonAudience, Got: quoteAll(got), Want: quote(v.c.SP.EntityID), Hint: v.idp.audience(v.c, got)}
		}
	}
	return nil
}

func (v *verification) checkAuthn() *VerifyError {
	bad := func(got, want string) *VerifyError {
		return &VerifyError{Reason: ReasonAuthn, Got: got, Want: want, Hint: v.idp.notResponse()}
	}
	if len(v.parts.authn) == 0 {
		return bad("no AuthnStatement", "at least one")
	}
	for i, e := range v.parts.authn {
		s, ok := samlxml.Attr(e, "AuthnInstant")
		instant, err := samlxml.Time(s)
		if err != nil {
			return bad("AuthnInstant "+orNone(s, ok), "a time in UTC")
		}
		if instant.After(v.now.Add(v.skew)) {
			return &VerifyError{Reason: ReasonAuthn, Got: "AuthnInstant " + stamp(instant), Want: "not after " + stamp(v.now.Add(v.skew)), Hint: v.idp.clocks(instant.Sub(v.now), v.skew)}
		}
		if s, ok := samlxml.Attr(e, "SessionNotOnOrAfter"); ok {
			end, err := samlxml.Time(s)
			if err != nil {
				return bad("SessionNotOnOrAfter "+quote(s), "a time in UTC")
			}
			if !v.now.Before(end.Add(v.skew)) {
				return &VerifyError{Reason: ReasonAuthn, Got: "SessionNotOnOrAfter " + stamp(end), Want: "later than " + stamp(v.now.Add(-v.skew)), Hint: v.idp.sessionEnded()}
			}
			if v.result.SessionNotOnOrAfter.IsZero() || end.Before(v.result.SessionNotOnOrAfter) {
				v.result.SessionNotOnOrAfter = end
			}
		}
		ctx, n := samlxml.Child(e, samlxml.Assertion, "AuthnContext")
		if n != 1 {
			return bad(plural(n, "AuthnContext"), "exactly one")
		}
		if i == 0 {
			v.result.AuthnInstant = instant
			v.result.SessionIndex = attr(e, "SessionIndex")
			if ref, n := samlxml.Child(ctx, samlxml.Assertion, "AuthnContextClassRef"); n > 0 {
				class, _ := value(ref)
				v.result.AuthnContext = strings.Clone(class)
			}
		}
	}
	return nil
}

// replayKey names an assertion in the replay memory: by issuer, since two IdPs
// may choose one ID.
func replayKey(issuer, id string) string {
	sum := sha256.Sum256([]byte(issuer + "\x00" + id))
	return "assertion:" + hex.EncodeToString(sum[:])
}

// replayUntil is when the assertion can no longer be accepted, so that it may
// be forgotten.
func (v *verification) replayUntil() time.Time {
	until := v.issueInstant.Add(maxMessageAge)
	if v.confirmedTill.Before(until) {
		until = v.confirmedTill
	}
	return until.Add(2*v.skew + time.Second)
}
