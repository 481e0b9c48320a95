package ssotest

import (
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
)

// times: each bound in time, on either side of the instant at which it falls
// with the skew. The control stands on the good side, the attack on the other.
func times(g *gallery) []attack {
	skew, slack := g.o.Skew, g.o.Slack
	conditions := func(m *message) *etree.Element { return path(m.assertion, "Conditions") }
	authn := func(m *message) *etree.Element { return path(m.assertion, "AuthnStatement") }
	data := func(m *message) *etree.Element { return m.confirmationData() }
	bounds := []struct {
		name string
		of   func(m *message) *etree.Element
		attr string
		late bool // it ends, and so does not hold at the instant itself
	}{
		{"conditions-not-on-or-after", conditions, "NotOnOrAfter", true},
		{"confirmation-not-on-or-after", data, "NotOnOrAfter", true},
		{"session-not-on-or-after", authn, "SessionNotOnOrAfter", true},
		{"conditions-not-before", conditions, "NotBefore", false},
		{"assertion-issue-instant", func(m *message) *etree.Element { return m.assertion }, "IssueInstant", false},
		{"response-issue-instant", func(m *message) *etree.Element { return m.response }, "IssueInstant", false},
		{"authn-instant", authn, "AuthnInstant", false},
	}
	var all []attack
	for _, b := range bounds {
		set := func(d time.Duration) hooks {
			return before(func(m *message) {
				if b.attr == "NotOnOrAfter" && b.name == "conditions-not-on-or-after" {
					set(conditions(m), "NotBefore", m.time(d-time.Hour))
				}
				set(b.of(m), b.attr, m.time(d))
			})
		}
		wrong, right := skew+slack, skew
		if b.late {
			wrong, right = -skew, -skew+slack
		}
		if slack >= time.Second { // the clocks are not one
			wrong, right = skew+slack, skew-slack
			if b.late {
				wrong, right = -skew-slack, -skew+slack
			}
		}
		a := attack{name: b.name + "/bound", control: b.name, o: Options{Sign: SignBoth}, forged: set(wrong), honest: set(right)}
		far := a
		far.name, far.forged = b.name+"/far", set(map[bool]time.Duration{true: -24 * time.Hour, false: 24 * time.Hour}[b.late])
		all = append(all, a, far)
		for name, text := range malformedTimes() {
			all = append(all, attack{name: b.name + "/" + name, control: b.name, o: Options{Sign: SignBoth}, honest: set(right),
				forged: before(func(m *message) { b.of(m).CreateAttr(b.attr, text(m)) })})
		}
	}
	return append(sorted(all), turnedTimes()...)
}

// malformedTimes are no xs:dateTime, and would be good if they were read with
// good will.
func malformedTimes() map[string]func(m *message) string {
	text := func(s string) func(*message) string { return func(*message) string { return s } }
	now := func(f func(s string) string) func(*message) string {
		return func(m *message) string { return f(m.time(0)) }
	}
	return map[string]func(m *message) string{
		"empty":       text(""),
		"word":        text("now"),
		"unix":        now(func(string) string { return "1772355600" }),
		"date":        now(func(s string) string { return s[:10] }),
		"blank":       now(func(s string) string { return strings.Replace(s, "T", " ", 1) }),
		"comma":       now(func(s string) string { return s[:19] + ",5Z" }),
		"lower-case":  now(strings.ToLower),
		"space-after": now(func(s string) string { return s + " " }),
		"month-13":    now(func(s string) string { return s[:5] + "13" + s[7:] }),
		"two":         now(func(s string) string { return s + s }),
		"http":        text("Sun, 01 Mar 2026 09:00:00 GMT"),
	}
}

// turnedTimes: bounds that contradict each other.
func turnedTimes() []attack {
	return []attack{
		{name: "ends-before-it-begins", control: "begins-before-it-ends", o: Options{Sign: SignAssertion},
			forged: before(func(m *message) {
				set(path(m.assertion, "Conditions"), "NotBefore", m.time(time.Minute))
				set(path(m.assertion, "Conditions"), "NotOnOrAfter", m.time(30*time.Second))
			}),
			honest: before(func(m *message) {
				set(path(m.assertion, "Conditions"), "NotBefore", m.time(30*time.Second))
				set(path(m.assertion, "Conditions"), "NotOnOrAfter", m.time(time.Minute))
			})},
		{name: "ends-as-it-begins", control: "begins-before-it-ends", o: Options{Sign: SignAssertion},
			forged: before(func(m *message) {
				set(path(m.assertion, "Conditions"), "NotBefore", m.time(30*time.Second))
				set(path(m.assertion, "Conditions"), "NotOnOrAfter", m.time(30*time.Second))
			})},
		// Whoever gets hold of such an assertion has it for years.
		{name: "made-long-ago", o: Options{Sign: SignAssertion}, forged: before(func(m *message) { set(m.assertion, "IssueInstant", m.time(-24*time.Hour)) })},
		{name: "no-issue-instant", o: Options{Sign: SignAssertion}, forged: before(func(m *message) { m.assertion.RemoveAttr("IssueInstant") })},
		{name: "no-response-issue-instant", o: Options{Sign: SignAssertion}, forged: before(func(m *message) { m.response.RemoveAttr("IssueInstant") })},
		{name: "no-confirmation-expiry", o: Options{Sign: SignAssertion}, forged: before(func(m *message) { m.confirmationData().RemoveAttr("NotOnOrAfter") })},
	}
}

// shapes: a part of the assertion is missing, empty, or unknown.
func shapes(g *gallery) []attack {
	var all []attack
	conditions := func(m *message) *etree.Element { return path(m.assertion, "Conditions") }
	for name, f := range map[string]func(m *message){
		"no-subject":          func(m *message) { drop(path(m.assertion, "Subject")) },
		"no-name-id":          func(m *message) { drop(path(m.assertion, "Subject", "NameID")) },
		"empty-name-id":       func(m *message) { path(m.assertion, "Subject", "NameID").SetText("") },
		"blank-name-id":       func(m *message) { path(m.assertion, "Subject", "NameID").SetText(" ") },
		"long-name-id":        func(m *message) { path(m.assertion, "Subject", "NameID").SetText(strings.Repeat("x", 5000)) },
		"base-id":             func(m *message) { path(m.assertion, "Subject", "NameID").Tag = "BaseID" },
		"foreign-name-id":     func(m *message) { path(m.assertion, "Subject", "NameID").CreateAttr("xmlns:saml", nsForeign) },
		"encrypted-id-hollow": func(m *message) { e := path(m.assertion, "Subject", "NameID"); e.Tag = "EncryptedID"; hollow(e) },
		"name-id-in-attribute": func(m *message) {
			drop(path(m.assertion, "Subject", "NameID"))
			m.in(m.extraValue(m.assertion), "NameID", g.o.Victim)
		},
		"no-conditions":        func(m *message) { drop(conditions(m)) },
		"hollow-conditions":    func(m *message) { hollow(conditions(m)) },
		"unknown-condition":    func(m *message) { m.in(conditions(m), "OnlyOnSundays", "") },
		"foreign-condition":    func(m *message) { conditions(m).CreateElement("x:Condition").CreateAttr("xmlns:x", nsForeign) },
		"abstract-condition":   func(m *message) { m.in(conditions(m), "Condition", "") },
		"one-time-use-twice":   func(m *message) { m.in(conditions(m), "OneTimeUse", ""); m.in(conditions(m), "OneTimeUse", "") },
		"no-authn-statement":   func(m *message) { drop(path(m.assertion, "AuthnStatement")) },
		"no-authn-context":     func(m *message) { drop(path(m.assertion, "AuthnStatement", "AuthnContext")) },
		"no-authn-instant":     func(m *message) { path(m.assertion, "AuthnStatement").RemoveAttr("AuthnInstant") },
		"version-missing":      func(m *message) { m.assertion.RemoveAttr("Version") },
		"version-1.1":          func(m *message) { set(m.assertion, "Version", "1.1") },
		"version-2.1":          func(m *message) { set(m.assertion, "Version", "2.1") },
		"version-2":            func(m *message) { set(m.assertion, "Version", "2") },
		"response-version-1.1": func(m *message) { set(m.response, "Version", "1.1") },
		"response-no-version":  func(m *message) { m.response.RemoveAttr("Version") },
		"no-id":                func(m *message) { m.assertion.RemoveAttr("ID") },
		"response-no-id":       func(m *message) { m.response.RemoveAttr("ID") },
		"same-ids":             func(m *message) { set(m.assertion, "ID", m.response.SelectAttrValue("ID", "")) },
		"unknown-child":        func(m *message) { m.in(m.assertion, "Extra", "") },
		"text":                 func(m *message) { m.assertion.CreateText("text") },
		"issuer-last": func(m *message) {
			e := path(m.assertion, "Issuer")
			m.assertion.RemoveChild(e)
			m.assertion.AddChild(e)
		},
		"conditions-first":      func(m *message) { e := conditions(m); m.assertion.RemoveChild(e); m.assertion.InsertChildAt(0, e) },
		"no-assertion":          func(m *message) { drop(m.assertion); m.assertion = nil },
		"nameless-attribute":    func(m *message) { m.extraValue(m.assertion).Parent().RemoveAttr("Name") },
		"unknown-in-attributes": func(m *message) { m.in(m.extraValue(m.assertion).Parent().Parent(), "Extra", "") },
	} {
		a := attack{name: name, o: Options{Sign: SignAssertion}, forged: before(f)}
		switch name {
		case "no-assertion", "no-id":
			// There is nothing left to sign it by.
			a.o.Sign = SignResponse
		case "response-no-id":
			a.o.Sign = SignAssertion
		}
		a.control = string(a.o.Sign)
		all = append(all, a)
	}
	return sorted(all)
}

// twoAssertions: the IdP signed a Response with two assertions.
func twoAssertions(g *gallery) []attack {
	var all []attack
	victim := Login{NameID: g.o.Victim, Email: g.o.Victim}
	for _, on := range []Signed{SignAssertion, SignResponse, SignBoth} {
		for name, put := range map[string]func(m *message, second *etree.Element){
			"before": func(m *message, second *etree.Element) { m.response.InsertChildAt(m.assertion.Index(), second) },
			"after":  func(m *message, second *etree.Element) { m.response.AddChild(second) },
			"in-advice": func(m *message, second *etree.Element) {
				advice := etree.NewElement(m.assert + "Advice")
				advice.AddChild(second)
				m.assertion.InsertChildAt(path(m.assertion, "Conditions").Index()+1, advice)
			},
		} {
			all = append(all, attack{name: string(on) + "/" + name, control: string(on), o: Options{Sign: on}, forged: before(func(m *message) { put(m, m.newAssertion(victim)) })})
		}
	}
	return sorted(all)
}

// replays: an assertion is used a second time, in whatever it is wrapped.
func replays(*gallery) []attack {
	all := []attack{
		{name: "same", o: Options{Sign: SignAssertion}, again: after(func(*message) {})},
		{name: "same-response-signed", o: Options{Sign: SignResponse}, again: after(func(*message) {})},
		{name: "other-response-id", o: Options{Sign: SignAssertion}, again: after(func(m *message) { set(m.response, "ID", "_another") })},
		{name: "other-response-instant", o: Options{Sign: SignAssertion}, again: after(func(m *message) { set(m.response, "IssueInstant", m.time(time.Second)) })},
		{name: "other-envelope", o: Options{Sign: SignAssertion}, again: after(func(m *message) {
			a := m.assertion
			m.build()
			m.replaceAssertion(a)
		})},
		{name: "other-prefix", o: Options{Sign: SignAssertion}, again: after(func(m *message) {
			m.response.Space = "p"
			m.response.CreateAttr("xmlns:p", samlxml.Protocol)
		})},
		{name: "outer-signature-dropped", o: Options{Sign: SignBoth}, again: after(func(m *message) { drop(path(m.response, "Signature")) })},
		{name: "pretty", o: Options{Sign: SignAssertion}, again: after(func(m *message) {
			for _, c := range m.response.ChildElements() {
				m.response.InsertChildAt(c.Index(), etree.NewText("\n  "))
			}
		})},
		{name: "comment", o: Options{Sign: SignAssertion}, again: after(func(m *message) { m.response.CreateComment("again") })},
		{name: "comment-in-assertion", o: Options{Sign: SignAssertion}, again: after(func(m *message) { m.assertion.CreateComment("again") })},
		{name: "key-info-dropped", o: Options{Sign: SignAssertion, KeyInfo: KeyInfoCertificate}, again: after(func(m *message) { drop(path(m.assertion, "Signature", "KeyInfo")) })},
		{name: "declaration-added", o: Options{Sign: SignAssertion}, again: after(func(m *message) { m.assertion.CreateAttr("xmlns:again", "urn:example:again") })},
	}
	for i := range all {
		all[i].control = string(all[i].o.Sign)
	}
	return all
}
