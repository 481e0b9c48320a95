package sso

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ssoconn/sso/internal/samlxml"
)

// CheckStatus is how a check came out.
type CheckStatus string

// The statuses.
const (
	CheckPassed  CheckStatus = "passed"
	CheckFailed  CheckStatus = "failed"
	CheckSkipped CheckStatus = "skipped" // an earlier failure makes it meaningless
	CheckWarning CheckStatus = "warning" // passed, but it will bite
)

// A Check is one line of a Report.
type Check struct {
	Name    string      `json:"name"`
	Status  CheckStatus `json:"status"`
	Reason  Reason      `json:"reason,omitempty"` // of a failure
	Got     string      `json:"got,omitempty"`
	Want    string      `json:"want,omitempty"`
	Hint    string      `json:"hint,omitempty"`
	Section string      `json:"section,omitempty"` // of the specification
}

// A Report is every check of one Response, for the administrator who sets a
// connection up. It grants nothing: only VerifyResponse yields an assertion.
type Report struct {
	ConnectionID string    `json:"connectionID"`
	Time         time.Time `json:"time"`
	// IdP is the product that the issuer tells, "" if none is recognised.
	IdP    string  `json:"idp,omitempty"`
	Checks []Check `json:"checks"`
	// Unsigned names the values that were looked at though no signature that
	// verified covers them.
	Unsigned []string `json:"unsigned,omitempty"`
	// Attributes are the names of the attributes that came, covered or not.
	Attributes []string `json:"attributes,omitempty"`
}

// InspectResponse runs every check that VerifyResponse runs, from the same
// list, goes on after failures, and adds warnings of what will trouble the
// administrator next. It uses up no replay memory and grants nothing. A
// connection or options that cannot be used make a Report that says so.
//
// Some of what it shows may be forged: show it to administrators alone.
func (c *Connection) InspectResponse(ctx context.Context, samlResponse string, o VerifyOptions) *Report {
	r := &Report{Time: o.CurrentTime}
	if r.Time.IsZero() {
		r.Time = time.Now()
	}
	if c != nil {
		r.ConnectionID = c.ID
	}
	if err := c.usable(o, false); err != nil {
		r.Checks = configChecks(err)
		return r
	}
	v := newVerification(ctx, c, o, samlResponse)
	v.o.Replay = nil
	r.IdP = v.idp.name
	r.Checks = make([]Check, 0, len(checks)+4)
	for i := range checks {
		v.inspect(&checks[i], r)
	}
	r.Unsigned = v.unsigned()
	for i := range v.result.Attributes {
		r.Attributes = append(r.Attributes, strings.Trim(quote(v.result.Attributes[i].Name), `"`))
	}
	return r
}

func (v *verification) inspect(k *check, r *Report) {
	line := Check{Name: k.name, Status: CheckPassed, Section: k.section}
	if k.ready != nil && !k.ready(v) {
		line.Status = CheckSkipped
		r.Checks = append(r.Checks, line)
		return
	}
	before := len(v.warnings)
	if err := k.run(v); err != nil {
		line.Status, line.Reason, line.Got, line.Want, line.Hint = CheckFailed, err.Reason, err.Got, err.Want, err.Hint
		if line.Got == "" && err.Err != nil {
			line.Got = err.Err.Error()
		}
		r.Checks = append(r.Checks, line)
		return
	}
	warned := v.warnings[before:]
	if len(warned) == 0 && !k.advice {
		r.Checks = append(r.Checks, line)
	}
	for _, w := range warned {
		w.Name, w.Section = k.name, k.section
		r.Checks = append(r.Checks, w)
	}
}

// configChecks puts the faults of a configuration into the form of checks.
func configChecks(err error) []Check {
	var out []Check
	errs := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		errs = joined.Unwrap()
	}
	for _, e := range errs {
		k := Check{Name: "configuration", Status: CheckFailed, Got: e.Error()}
		if fe, ok := e.(*FieldError); ok {
			k.Name, k.Got, k.Hint = fe.Field, fe.Problem, fe.Hint
		}
		out = append(out, k)
	}
	return out
}

// unsigned names what the report speaks of that no signature covers.
func (v *verification) unsigned() []string {
	if v.root == nil || v.rootSigned {
		return nil
	}
	out := []string{"Response: ID, IssueInstant, Issuer, Destination, InResponseTo, Status"}
	if v.assertion != nil && !v.innerSigned {
		out = append(out, "Assertion: everything")
	}
	return out
}

// OK says whether nothing failed and nothing had to be left out: then
// VerifyResponse accepts the same message, unless it was used before.
func (r *Report) OK() bool {
	for i := range r.Checks {
		if s := r.Checks[i].Status; s == CheckFailed || s == CheckSkipped {
			return false
		}
	}
	return len(r.Checks) > 0
}

// String lays the report out for a terminal, a line or two a check.
func (r *Report) String() string {
	var b strings.Builder
	verdict := "refused"
	if r.OK() {
		verdict = "accepted"
	}
	fmt.Fprintf(&b, "%s at %s", verdict, stamp(r.Time))
	if r.IdP != "" {
		b.WriteString(", IdP looks like " + r.IdP)
	}
	b.WriteByte('\n')
	for _, k := range r.Checks {
		fmt.Fprintf(&b, "%-8s %-19s", k.Status, k.Name)
		if k.Got != "" {
			b.WriteString(" got " + k.Got)
		}
		if k.Want != "" {
			b.WriteString(", want " + k.Want)
		}
		if k.Section != "" && k.Status == CheckFailed {
			b.WriteString(" (" + k.Section + ")")
		}
		b.WriteByte('\n')
		if k.Hint != "" {
			b.WriteString("         → " + k.Hint + "\n")
		}
	}
	for _, u := range r.Unsigned {
		b.WriteString("unsigned " + u + "\n")
	}
	return b.String()
}

func (v *verification) adviseNameID() *VerifyError {
	id := v.result.Subject
	switch {
	case id.Value == "":
	case id.Format == samlxml.NameIDTransient:
		v.warn("a transient NameID", "one that stays the same", v.idp.transient())
	case !strings.Contains(id.Value, "@"):
		v.warn("the NameID "+quote(id.Value)+", which is no e-mail address", "", v.idp.nameIDNotEmail())
	}
	return nil
}

func (v *verification) adviseProfile() *VerifyError {
	p := v.c.Profile(&v.result)
	names := "no attributes at all"
	if len(v.result.Attributes) > 0 {
		all := make([]string, len(v.result.Attributes))
		for i := range all {
			all[i] = v.result.Attributes[i].Name
		}
		names = "the attributes " + quoteAll(all)
	}
	if p.Email == "" {
		v.warn(names, "an e-mail address", v.idp.addAttribute("e-mail", orElse(v.c.Attributes.Email, "email")))
	}
	if p.Name == "" {
		v.warn(names, "a name", v.idp.addAttribute("name", orElse(v.c.Attributes.Name, "displayName")))
	}
	switch p.GroupsState {
	case GroupsOverage:
		v.warn("a link in place of the groups", "the groups", v.idp.overage())
	case GroupsEmpty:
		v.warn("a groups attribute without values", "groups", "this person is in none of the groups that the IdP sends")
	case GroupsMissing:
		v.warn(names, "groups", v.idp.addAttribute("groups", orElse(v.c.Attributes.Groups, "groups"))+"; leave it if no rule needs the IdP's groups")
	}
	return nil
}

// adviseClock warns of clocks that are apart but still within the tolerance.
func (v *verification) adviseClock() *VerifyError {
	if v.issueInstant.IsZero() {
		return nil
	}
	if ahead := v.issueInstant.Sub(v.now); ahead > 5*time.Second {
		v.warn("the IdP's clock is ahead by "+ahead.Round(time.Second).String(), "", v.idp.clocks(ahead, v.skew))
	}
	return nil
}
