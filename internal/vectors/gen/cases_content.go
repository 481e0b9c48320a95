package main

import (
	"slices"
	"time"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/ssotest"
)

func cases() []testCase {
	return slices.Concat(basicCases(), encodingCases(), xmlCases(), messageCases(), statusCases(), assertionCases(),
		algorithmCases(), signatureCases(), wrappingCases(), encryptionCases(), profileCases(),
		addressCases(), requestCases(), subjectCases(), confirmationCases(), timeCases(), conditionCases(), authnCases(), attributeCases())
}

// refusal is a case that is refused for a change of the signed tree.
func refusal(check, expect string) func(name, comment string, tree func(*etree.Element)) testCase {
	return func(name, comment string, tree func(*etree.Element)) testCase {
		return testCase{name: name, check: check, expect: expect, comment: comment, tree: tree}
	}
}

// accepted is a case that is accepted with a change of the signed tree.
func accepted(name, comment string, tree func(*etree.Element)) testCase {
	return testCase{name: name, comment: comment, tree: tree}
}

const assertionNS = `xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"`

func messageCases() []testCase {
	bad := refusal("message", "message")
	version := refusal("version", "version")
	return []testCase{
		bad("message-other-root", "The root is a LogoutResponse.", at(".", func(e *etree.Element) { e.Tag = "LogoutResponse" })),
		{name: "message-other-namespace", check: "message", expect: "message", comment: "The root is a Response of SAML 1.1.",
			text: replace("urn:oasis:names:tc:SAML:2.0:protocol", "urn:oasis:names:tc:SAML:1.0:protocol")},
		bad("message-no-status", "There is no Status.", remove("Status")),
		bad("message-two-statuses", "There are two Statuses.", twice("Status")),
		bad("message-two-issuers", "The Response has two Issuers.", twice("Issuer")),
		bad("message-order", "The Status stands before the Issuer.", all(remove("Status"), before("Issuer", `<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>`))),
		bad("message-unknown-child", "The Response has a child that no Response has.", add(".", `<samlp:Surprise/>`)),
		bad("message-text", "Text stands between the children of the Response.", at(".", func(e *etree.Element) { e.CreateText("surprise") })),
		bad("message-no-id", "The Response has no ID.", unset(".", "ID")),
		bad("message-id-lower-case", "The Response has an id and no ID.", all(unset(".", "ID"), set(".", "id", "_x"))),
		bad("message-second-id", "The Response has an ID and an xml:id.", set(".", "xml:id", "_x")),
		accepted("message-id-digit-ok", "The ID begins with a digit, as some products' do.", set(".", "ID", "1x")),
		bad("message-id-blank", "The ID has a blank in it.", set(".", "ID", "_ x")),
		bad("message-id-xpointer", "The ID looks like an XPointer.", set(".", "ID", "xpointer(/)")),
		bad("message-id-twice", "The Response and the assertion have one ID.", set(".", "ID", "_message-id-twice-2")),
		accepted("message-extensions-ok", "The Response has Extensions.", before("Status", `<samlp:Extensions><x:y xmlns:x="urn:x"/></samlp:Extensions>`)),
		func() testCase {
			c := bad("message-extensions-assertion", "The Extensions hold an assertion.", before("Status", `<samlp:Extensions><saml:Assertion `+assertionNS+` ID="_x" Version="2.0"/></samlp:Extensions>`))
			c.control = "message-extensions-ok"
			return c
		}(),
		bad("message-response-inside", "The StatusDetail holds a Response.", add("Status", `<samlp:StatusDetail><samlp:Response ID="_x"/></samlp:StatusDetail>`)),
		version("version-1.1", "The Response says version 1.1.", set(".", "Version", "1.1")),
		version("version-none", "The Response says no version.", unset(".", "Version")),
		version("version-blank", "The version has a blank in it.", set(".", "Version", "2.0 ")),
		refusal("assertion", "version")("version-assertion-1.1", "The assertion says version 1.1.", set("Assertion", "Version", "1.1")),
		refusal("assertion", "version")("version-assertion-none", "The assertion says no version.", unset("Assertion", "Version")),
	}
}

func statusCases() []testCase {
	bad := refusal("status", "status")
	const prefix = "urn:oasis:names:tc:SAML:2.0:status:"
	return []testCase{
		accepted("status-message-ok", "Success with a message.", add("Status", `<samlp:StatusMessage>Welcome.</samlp:StatusMessage>`)),
		{name: "status-denied", check: "status", expect: "status", comment: "The IdP refuses and says why.", options: ssotest.Options{Status: "RequestDenied"}},
		{name: "status-denied-signed", check: "status", expect: "status", control: "basic-response", comment: "The IdP refuses, and signs that.", options: ssotest.Options{Status: "AuthnFailed", Sign: ssotest.SignResponse}},
		bad("status-with-assertion", "The IdP refuses and sends an assertion all the same.", set("Status/StatusCode", "Value", prefix+"Responder")),
		bad("status-nested-success", "Success is only the second-level code.", all(set("Status/StatusCode", "Value", prefix+"Responder"), add("Status/StatusCode", `<samlp:StatusCode Value="`+prefix+`Success"/>`))),
		bad("status-two-codes", "There are two StatusCodes, the first of them Success.", behind("Status/StatusCode", `<samlp:StatusCode Value="`+prefix+`Responder"/>`)),
		bad("status-no-code", "There is no StatusCode.", remove("Status/StatusCode")),
		bad("status-no-value", "The StatusCode has no value.", unset("Status/StatusCode", "Value")),
		bad("status-case", "The StatusCode is success, in lower case.", set("Status/StatusCode", "Value", prefix+"success")),
	}
}

func assertionCases() []testCase {
	count := refusal("one assertion", "assertion")
	shape := refusal("assertion", "assertion")
	return []testCase{
		count("assertion-none", "There is no assertion.", remove("Assertion")),
		{name: "assertion-two", check: "one assertion", expect: "assertion", comment: "There are two assertions.", options: ssotest.Options{Misbehave: "two-assertions"}},
		count("assertion-and-encrypted", "There are an assertion and an encrypted one.", add(".", `<saml:EncryptedAssertion `+assertionNS+`/>`)),
		shape("assertion-no-id", "The assertion has no ID.", unset("Assertion", "ID")),
		shape("assertion-second-id", "The assertion has an ID and an Id.", set("Assertion", "Id", "_x")),
		shape("assertion-order", "The Conditions stand before the Subject.", all(remove("Assertion/Conditions"), before("Assertion/Subject", `<saml:Conditions NotOnOrAfter="2026-03-01T09:05:00.000Z"><saml:AudienceRestriction><saml:Audience>`+spEntityID+`</saml:Audience></saml:AudienceRestriction></saml:Conditions>`))),
		shape("assertion-two-subjects", "There are two Subjects.", twice("Assertion/Subject")),
		shape("assertion-two-conditions", "There are two Conditions.", twice("Assertion/Conditions")),
		shape("assertion-unknown-child", "The assertion has a child that no assertion has.", add("Assertion", `<saml:Surprise/>`)),
		shape("assertion-text", "Text stands between the children of the assertion.", at("Assertion", func(e *etree.Element) { e.CreateText("surprise") })),
		accepted("assertion-advice-ok", "The assertion has Advice.", behind("Assertion/Conditions", `<saml:Advice><x:y xmlns:x="urn:x"/></saml:Advice>`)),
	}
}

func addressCases() []testCase {
	issuer := refusal("issuer", "issuer")
	audience := refusal("audience", "audience")
	const aud = "Assertion/Conditions/AudienceRestriction"
	signedResponse := ssotest.Options{Sign: ssotest.SignResponse}
	destination := func(name, control, comment string, o ssotest.Options, tree func(*etree.Element)) testCase {
		return testCase{name: name, check: "destination", expect: "destination", control: control, comment: comment, options: o, tree: tree}
	}
	return []testCase{
		accepted("issuer-format-ok", "The Issuer says that it is an entity ID.", set("Assertion/Issuer", "Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:entity")),
		accepted("issuer-response-none-ok", "The unsigned Response has no Issuer.", remove("Issuer")),
		{name: "issuer-response-none", check: "issuer", expect: "issuer", control: "basic-response", comment: "The signed Response has no Issuer.", options: signedResponse, tree: remove("Issuer")},
		issuer("issuer-other", "The assertion is by another IdP.", text("Assertion/Issuer", "https://other.example.com/metadata")),
		issuer("issuer-slash", "The Issuer ends in a slash.", text("Assertion/Issuer", "https://idp.example.com/metadata/")),
		issuer("issuer-case", "The Issuer has a capital letter.", text("Assertion/Issuer", "https://idp.example.com/Metadata")),
		issuer("issuer-blank", "The Issuer has a blank behind it.", text("Assertion/Issuer", "https://idp.example.com/metadata ")),
		issuer("issuer-none", "The assertion has no Issuer.", remove("Assertion/Issuer")),
		issuer("issuer-empty", "The Issuer is empty.", text("Assertion/Issuer", "")),
		issuer("issuer-response-other", "The Response is by another IdP than the assertion.", text("Issuer", "https://other.example.com/metadata")),
		issuer("issuer-element", "The Issuer holds an element.", add("Assertion/Issuer", `<saml:x/>`)),
		issuer("issuer-format", "The Issuer is a NameID of a person.", set("Assertion/Issuer", "Format", "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress")),

		accepted("destination-none-ok", "The unsigned Response has no Destination.", unset(".", "Destination")),
		destination("destination-none", "basic-response", "The signed Response has no Destination.", signedResponse, unset(".", "Destination")),
		destination("destination-other", "basic-response", "The Destination is another address.", signedResponse, set(".", "Destination", "https://other.example.com/saml/acs")),
		destination("destination-prefix", "basic-response", "The Destination is longer than our address.", signedResponse, set(".", "Destination", acsURL+".attacker.example")),
		destination("destination-empty", "basic-response", "The Destination is empty.", signedResponse, set(".", "Destination", "")),
		destination("destination-unsigned-other", "basic-assertion", "The unsigned Destination is another address.", ssotest.Options{}, set(".", "Destination", "https://other.example.com/saml/acs")),

		audience("audience-other", "The audience is another service provider.", text(aud+"/Audience", "https://other.example.com/saml/metadata")),
		audience("audience-slash", "The audience differs from the SP entity ID by a final slash.", text(aud+"/Audience", spEntityID+"/")),
		audience("audience-case", "The audience differs by a letter's case.", text(aud+"/Audience", "https://app.example.com/SAML/metadata")),
		audience("audience-acs", "The audience is our ACS URL: the two values were exchanged.", text(aud+"/Audience", acsURL)),
		audience("audience-none", "There is no AudienceRestriction.", remove(aud)),
		audience("audience-empty", "The AudienceRestriction is empty.", remove(aud+"/Audience")),
		audience("audience-element", "The audience holds an element.", add(aud+"/Audience", `<saml:x/>`)),
		accepted("audience-two-ok", "Two audiences in one restriction, one of them us.", before(aud+"/Audience", `<saml:Audience>https://other.example.com/saml/metadata</saml:Audience>`)),
		accepted("audience-two-restrictions-ok", "Two restrictions, and we are in both.", twice(aud)),
		func() testCase {
			c := audience("audience-two-restrictions", "Two restrictions, and we are in one of them only.", behind(aud, `<saml:AudienceRestriction><saml:Audience>https://other.example.com/saml/metadata</saml:Audience></saml:AudienceRestriction>`))
			c.control = "audience-two-restrictions-ok"
			return c
		}(),
	}
}

func requestCases() []testCase {
	bad := refusal("in response to", "in_response_to")
	const data = "Assertion/Subject/SubjectConfirmation/SubjectConfirmationData"
	confirmed := func(name, comment string, tree func(*etree.Element)) testCase {
		return testCase{name: name, check: "confirmation", expect: "in_response_to", comment: comment, tree: tree}
	}
	idpInitiated := func(name, comment, control string, tree func(*etree.Element)) testCase {
		return testCase{name: name, check: "in response to", expect: "in_response_to", control: control, comment: comment, request: none, tree: tree}
	}
	return []testCase{
		{name: "unsolicited-ok", comment: "An answer to no request, where that is allowed.", request: none},
		{name: "unsolicited", check: "in response to", expect: "unsolicited", comment: "An answer to no request, and we wait for the answer to ours.", answered: none},
		bad("in-response-to-other", "The answer to another request.", all(set(".", "InResponseTo", "_other"), set(data, "InResponseTo", "_other"))),
		bad("in-response-to-response", "Only the Response names another request.", set(".", "InResponseTo", "_other")),
		bad("in-response-to-empty", "InResponseTo is empty.", set(".", "InResponseTo", "")),
		confirmed("in-response-to-confirmation", "Only the confirmation names another request.", set(data, "InResponseTo", "_other")),
		confirmed("in-response-to-confirmation-none", "The confirmation names no request.", unset(data, "InResponseTo")),
		idpInitiated("unsolicited-named", "An answer to a request that we did not send.", "unsolicited-ok", all(set(".", "InResponseTo", "_rippling"), set(data, "InResponseTo", "_rippling"))),
		{name: "unsolicited-named-ok", connection: "request-id-ignored", comment: "The same where the connection looks over it, as Rippling needs.", request: none,
			tree: all(set(".", "InResponseTo", "_rippling"), set(data, "InResponseTo", "_rippling"))},
		{name: "unsolicited-stripped", check: "confirmation", expect: "in_response_to", control: "unsolicited-ok", comment: "The unsigned Response lost its InResponseTo; the signed confirmation still names the request.", request: none, answered: requestID,
			tree: unset(".", "InResponseTo")},

		{name: "replay-fresh-ok", comment: "An assertion that the replay memory does not know.", request: none},
		{name: "replay-seen", check: "replay", expect: "replay", control: "replay-fresh-ok", comment: "An assertion that was used before.", request: none, replay: "seen"},
		{name: "replay-seen-solicited", check: "replay", expect: "replay", comment: "The same with a request of ours.", replay: "seen"},
		{name: "replay-store", check: "replay", expect: "store", control: "replay-fresh-ok", comment: "The replay memory does not answer.", request: none, replay: "fails"},
	}
}

func subjectCases() []testCase {
	bad := refusal("subject", "subject")
	const id = "Assertion/Subject/NameID"
	with := func(name, comment, value string) testCase {
		c := accepted(name, comment, text(id, value))
		c.nameID = value
		return c
	}
	return []testCase{
		with("name-id-unicode-ok", "A NameID in Cyrillic.", "борис@пример.рф"),
		with("name-id-inner-blank-ok", "A NameID with a blank in it.", "Ann Lee"),
		accepted("name-id-qualifiers-ok", "A NameID with both qualifiers.", all(set(id, "NameQualifier", "https://idp.example.com/metadata"), set(id, "SPNameQualifier", spEntityID))),
		bad("subject-none", "There is no Subject.", remove("Assertion/Subject")),
		bad("name-id-none", "There is no NameID.", remove(id)),
		bad("name-id-empty", "The NameID is empty.", text(id, "")),
		bad("name-id-blank", "The NameID is a blank.", text(id, " ")),
		bad("name-id-blank-behind", "There is a blank behind the NameID.", text(id, "ann@example.com ")),
		bad("name-id-line", "There is a line feed before the NameID.", text(id, "\nann@example.com")),
		bad("name-id-invisible", "There is a zero-width blank in the NameID.", text(id, "ann\u200b@example.com")),
		bad("name-id-control", "There is a tab in the NameID.", text(id, "ann\t@example.com")),
		bad("name-id-two", "There are two NameIDs.", twice(id)),
		bad("name-id-element", "The NameID holds an element.", add(id, `<saml:x/>`)),
		bad("name-id-base-id", "The subject is a BaseID.", all(remove(id), before("Assertion/Subject/SubjectConfirmation", `<saml:BaseID/>`))),
	}
}

func confirmationCases() []testCase {
	bad := refusal("confirmation", "confirmation")
	recipient := refusal("confirmation", "recipient")
	const sc = "Assertion/Subject/SubjectConfirmation"
	const data = sc + "/SubjectConfirmationData"
	second := func(method, recipient, till string) string {
		return `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:` + method + `"><saml:SubjectConfirmationData InResponseTo="` + requestID +
			`" NotOnOrAfter="` + till + `" Recipient="` + recipient + `"/></saml:SubjectConfirmation>`
	}
	const soon, past = "2026-03-01T09:05:00.000Z", "2026-03-01T08:00:00.000Z"
	return []testCase{
		bad("confirmation-none", "There is no SubjectConfirmation.", remove(sc)),
		bad("confirmation-method", "The only confirmation is by holder of key.", set(sc, "Method", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key")),
		bad("confirmation-no-data", "The confirmation has no data.", remove(data)),
		bad("confirmation-two-data", "The confirmation has two data elements.", twice(data)),
		bad("confirmation-no-expiry", "The confirmation has no NotOnOrAfter.", unset(data, "NotOnOrAfter")),
		bad("confirmation-bad-expiry", "The confirmation's NotOnOrAfter is no time.", set(data, "NotOnOrAfter", "soon")),
		bad("confirmation-not-before", "A bearer confirmation has NotBefore.", set(data, "NotBefore", "2026-03-01T08:59:00.000Z")),
		recipient("recipient-other", "The Recipient is another address.", set(data, "Recipient", "https://other.example.com/saml/acs")),
		recipient("recipient-prefix", "The Recipient begins with our address.", set(data, "Recipient", acsURL+"/x")),
		recipient("recipient-case", "The Recipient differs by a letter's case.", set(data, "Recipient", "https://app.example.com/SAML/acs")),
		recipient("recipient-none", "There is no Recipient.", unset(data, "Recipient")),
		accepted("confirmation-two-ok", "A confirmation by key beside one by bearer.", before(sc, second("holder-of-key", acsURL, soon))),
		accepted("confirmation-second-ok", "The first bearer confirmation is for another address, the second is ours.", before(sc, second("bearer", "https://other.example.com/saml/acs", soon))),
		func() testCase {
			c := recipient("confirmation-split", "One bearer confirmation is expired, the other is for another address: neither holds.",
				all(set(data, "NotOnOrAfter", past), behind(sc, second("bearer", "https://other.example.com/saml/acs", soon))))
			c.control = "confirmation-second-ok"
			return c
		}(),
		accepted("confirmation-address-ok", "The confirmation names the browser's address, which proxies change.", set(data, "Address", "192.0.2.1")),
	}
}

func timeCases() []testCase {
	const conditions = "Assertion/Conditions"
	const data = "Assertion/Subject/SubjectConfirmation/SubjectConfirmationData"
	const skew = 2 * time.Minute
	until := func(name, control, comment, path string, late time.Duration, expect, check string) testCase {
		return testCase{name: name, expect: expect, check: check, control: control, comment: comment, late: late, tree: set(path, "NotOnOrAfter", "2026-03-01T09:01:00Z")}
	}
	const left = 50 * time.Second // from now to the ends above
	from := func(name, control, comment, till, expect string) testCase {
		c := testCase{name: name, expect: expect, control: control, comment: comment, tree: set(conditions, "NotBefore", till)}
		if expect != "" {
			c.check = "validity"
		}
		return c
	}
	made := func(name, control, comment, path, when, expect string) testCase {
		c := testCase{name: name, expect: expect, control: control, comment: comment, tree: set(path, "IssueInstant", when)}
		if expect != "" {
			c.check = "issue instant"
		}
		return c
	}
	return []testCase{
		until("not-on-or-after-last-ok", "", "The last nanosecond of the assertion and the skew.", conditions, left+skew-1, "", ""),
		until("not-on-or-after", "not-on-or-after-last-ok", "The instant at which the assertion and the skew end.", conditions, left+skew, "expired", "validity"),
		until("confirmation-last-ok", "", "The last nanosecond of the confirmation and the skew.", data, left+skew-1, "", ""),
		until("confirmation-expired", "confirmation-last-ok", "The instant at which the confirmation and the skew end.", data, left+skew, "expired", "confirmation"),
		{name: "skew-10m-ok", connection: "skew-10m", comment: "Nine minutes late, with a skew of ten.", late: left + 9*time.Minute, tree: set(conditions, "NotOnOrAfter", "2026-03-01T09:01:00Z")},
		from("not-before-first-ok", "", "NotBefore is exactly the skew ahead.", "2026-03-01T09:02:10Z", ""),
		from("not-before", "not-before-first-ok", "NotBefore is a millisecond more than the skew ahead.", "2026-03-01T09:02:10.001Z", "not_yet_valid"),
		from("not-before-none-ok", "", "NotBefore in another form, with an offset.", "2026-03-01T11:00:00+02:00", ""),
		{name: "conditions-no-times-ok", comment: "The Conditions have no times: the confirmation has.", tree: all(unset(conditions, "NotBefore"), unset(conditions, "NotOnOrAfter"))},
		{name: "conditions-bad-time", check: "validity", expect: "conditions", comment: "NotOnOrAfter is no time.", tree: set(conditions, "NotOnOrAfter", "2026-03-01")},
		{name: "conditions-day-32", check: "validity", expect: "conditions", comment: "NotBefore is a day that does not exist.", tree: set(conditions, "NotBefore", "2026-02-32T09:00:00Z")},
		{name: "conditions-turned", check: "validity", expect: "conditions", comment: "The assertion ends before it begins.", tree: all(set(conditions, "NotBefore", "2026-03-01T09:01:00Z"), set(conditions, "NotOnOrAfter", "2026-03-01T09:00:30Z"))},

		made("issue-instant-ahead-ok", "", "The assertion was made exactly the skew ahead.", "Assertion", "2026-03-01T09:02:10Z", ""),
		made("issue-instant-ahead", "issue-instant-ahead-ok", "The assertion was made more than the skew ahead.", "Assertion", "2026-03-01T09:02:10.001Z", "issue_instant"),
		made("issue-instant-old-ok", "", "The assertion is as old as it may be.", "Assertion", "2026-03-01T08:43:10Z", ""),
		made("issue-instant-old", "issue-instant-old-ok", "The assertion is older than it may be, though it says that it is valid.", "Assertion", "2026-03-01T08:43:09.999Z", "issue_instant"),
		made("issue-instant-response-old", "basic-assertion", "The Response is of yesterday.", ".", "2026-02-28T09:00:00Z", "issue_instant"),
		made("issue-instant-bad", "basic-assertion", "IssueInstant is no time.", "Assertion", "now", "issue_instant"),
		{name: "issue-instant-none", check: "issue instant", expect: "issue_instant", comment: "There is no IssueInstant.", tree: unset("Assertion", "IssueInstant")},
	}
}

func conditionCases() []testCase {
	bad := refusal("conditions", "conditions")
	const c = "Assertion/Conditions"
	return []testCase{
		bad("conditions-none", "There are no Conditions.", remove(c)),
		accepted("conditions-one-time-use-ok", "OneTimeUse.", add(c, `<saml:OneTimeUse/>`)),
		accepted("conditions-proxy-ok", "ProxyRestriction, which binds proxies only.", add(c, `<saml:ProxyRestriction Count="0"/>`)),
		bad("conditions-unknown", "A condition that nobody knows.", add(c, `<saml:OnlyOnSundays/>`)),
		bad("conditions-foreign", "A condition of another namespace, named like one of ours.", add(c, `<x:OneTimeUse xmlns:x="urn:x"/>`)),
		func() testCase {
			c := bad("conditions-one-time-use-twice", "OneTimeUse twice.", all(add(c, `<saml:OneTimeUse/>`), add(c, `<saml:OneTimeUse/>`)))
			c.control = "conditions-one-time-use-ok"
			return c
		}(),
	}
}

func authnCases() []testCase {
	bad := refusal("authn statement", "authn")
	const s = "Assertion/AuthnStatement"
	session := func(name, expect, control, comment, till string) testCase {
		c := testCase{name: name, expect: expect, control: control, comment: comment, tree: set(s, "SessionNotOnOrAfter", till)}
		if expect != "" {
			c.check = "authn statement"
		}
		return c
	}
	return []testCase{
		bad("authn-none", "There is no AuthnStatement.", remove(s)),
		bad("authn-no-instant", "The AuthnStatement has no AuthnInstant.", unset(s, "AuthnInstant")),
		bad("authn-future", "The person signed in an hour from now.", set(s, "AuthnInstant", "2026-03-01T10:00:00Z")),
		bad("authn-no-context", "The AuthnStatement has no AuthnContext.", remove(s+"/AuthnContext")),
		accepted("authn-old-ok", "The person signed in yesterday.", set(s, "AuthnInstant", "2026-02-28T09:00:00Z")),
		accepted("authn-after-attributes-ok", "The AuthnStatement stands behind the attributes, as Entra has it.", at("Assertion", func(e *etree.Element) {
			statement := e.FindElement("./AuthnStatement")
			e.RemoveChild(statement)
			e.AddChild(statement)
		})),
		session("session-ends-ok", "", "", "The IdP's session ended, within the skew.", "2026-03-01T08:58:10.001Z"),
		session("session-ended", "authn", "session-ends-ok", "The IdP's session ended, by the whole skew.", "2026-03-01T08:58:10Z"),
		session("session-bad", "authn", "session-ends-ok", "SessionNotOnOrAfter is no time.", "tomorrow"),
	}
}

func attributeCases() []testCase {
	bad := refusal("attributes", "attributes")
	const s = "Assertion/AttributeStatement"
	statement := func(name, comment, xml string) testCase { return accepted(name, comment, add(s, xml)) }
	repeated := testCase{name: "attributes-repeated-ok", comment: "One Attribute element for each group, as Keycloak sends them: they are merged.", options: ssotest.Options{RepeatAttributes: true}, groups: []string{"Sales", "Everyone"}}
	return []testCase{
		repeated,
		accepted("attributes-none-ok", "There is no AttributeStatement.", remove(s)),
		accepted("attributes-two-statements-ok", "There are two AttributeStatements.", behind(s, `<saml:AttributeStatement><saml:Attribute Name="x"/></saml:AttributeStatement>`)),
		statement("attributes-empty-ok", "An attribute without values, one with an empty one.", `<saml:Attribute Name="x"/><!-- -->`),
		statement("attributes-nil-ok", "An attribute value that is nil.", `<saml:Attribute Name="x"><saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/></saml:Attribute>`),
		statement("attributes-xml-ok", "An attribute value that is XML.", `<saml:Attribute Name="x"><saml:AttributeValue><x:y xmlns:x="urn:x">z</x:y></saml:AttributeValue></saml:Attribute>`),
		{name: "attributes-cyrillic-ok", comment: "A name in Cyrillic, with an emoji.", login: ssotest.Login{Email: "ann@example.com", FirstName: "Анна", LastName: "Ли 🎉"}, person: "Анна Ли 🎉"},
		{name: "attributes-markup-ok", comment: "A name with characters that XML escapes.", login: ssotest.Login{Email: "ann@example.com", FirstName: "A<b>&amp;", LastName: `"O'Neill"`}, person: `A<b>&amp; "O'Neill"`},
		bad("attributes-no-name", "An attribute has no name.", unset(s+"/Attribute", "Name")),
		bad("attributes-empty-name", "An attribute's name is empty.", set(s+"/Attribute", "Name", "")),
	}
}
