package ssotest

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"runtime/metrics"
	"slices"
	"time"

	"github.com/ssoconn/sso"
)

// A Target is what attacks are tried against. Each call begins one sign-in: it
// returns the request to answer, and the function that takes an answer. An
// error means that no sign-in could be begun, and ends everything.
//
// [ConnectionTarget] and [IdP.HandlerTarget] make the two usual ones.
type Target func() (Request, Answer, error)

// An Answer hands over one SAMLResponse, in base64, as a browser would post it.
// It returns who is signed in afterwards, by NameID or e-mail address, or "" and
// why nobody is. It may be called twice, the second time with an answer that
// uses the first one again.
type Answer func(samlResponse string) (who string, err error)

// AttackOptions vary the attacks. The zero value is good.
type AttackOptions struct {
	// Login is the attacker's own account at the IdP, and the only identity that
	// may ever come out. Zero: admin@example.com.mallory.example, in one group.
	Login Login
	// Victim is whom the attacker wants to be taken for: a NameID and e-mail
	// address. Zero: admin@example.com. It is best a prefix of the attacker's.
	Victim string
	// EncryptTo is a certificate that the target can decrypt for. Nil: the
	// families that are about encryption are left out, and the report says so.
	EncryptTo *x509.Certificate
	// IdPInitiated says that the target takes answers to no request, so that
	// such an answer is no attack.
	IdPInitiated bool
	// Skew is the clock skew that the target allows. Zero:
	// sso.DefaultClockSkew. Slack is how far on each side of a bound in time the
	// attack and its control stand. Zero: 20 seconds, which leaves room for real
	// clocks; with one and the same clock in IdP and target, time.Millisecond is
	// exact.
	Skew, Slack time.Duration
	// MaxTime is the time in which an answer must be dealt with. Zero: 5 seconds.
	MaxTime time.Duration
	// MaxBytes is how much the process may allocate meanwhile. Zero: no bound,
	// since it counts whatever else runs.
	MaxBytes uint64
	// Only names the families to try. Empty: all of them.
	Only []string
}

// An AttackResult is what became of one attack, or of its control: an honest
// answer that differs in the point of the attack only.
type AttackResult struct {
	Family, Name string
	Control      bool
	// Who was signed in, "" for nobody, and why not.
	Who string
	Err error
	// Panic is what the target panicked with.
	Panic any
	Took  time.Duration
	Bytes uint64 // allocated meanwhile by the whole process
	// Fault says what is wrong with this result, "" for nothing.
	Fault string
}

// Attack tries every forgery of the gallery against target: some three and a
// half thousand, in families that cover the published attacks on SAML service
// providers. For each there is a control, which must be accepted: refusing
// everything is no defence. With an RSA key it takes ten seconds, with ECDSA less. An attack passes if nobody is signed in; where the
// signed identity itself is a right answer too, it may be signed in.
//
//	report, err := idp.Attack(ssotest.ConnectionTarget(conn, time.Now), ssotest.AttackOptions{})
//	if err == nil {
//		err = report.Err()
//	}
//
// The error is nil unless a sign-in could not be begun or a message not be made.
func (p *IdP) Attack(target Target, o AttackOptions) (*AttackReport, error) {
	if o.Login.NameID == "" && o.Login.Email == "" {
		o.Login = Login{Email: "admin@example.com.mallory.example", FirstName: "Mallory", LastName: "Moe", Groups: []string{"Guests"}}
	}
	o.Victim = cmp.Or(o.Victim, stranger)
	o.Skew = cmp.Or(o.Skew, sso.DefaultClockSkew)
	o.Slack = cmp.Or(o.Slack, 20*time.Second)
	o.MaxTime = cmp.Or(o.MaxTime, 5*time.Second)
	g := &gallery{idp: p, o: o, account: cmp.Or(o.Login.NameID, o.Login.Email)}
	report := &AttackReport{}
	known := 0
	for _, f := range families() {
		if len(o.Only) > 0 && !slices.Contains(o.Only, f.name) {
			continue
		}
		known++
		if why := g.leaveOut(f); why != "" {
			report.Skipped = append(report.Skipped, f.name+": "+why)
			continue
		}
		if err := g.try(f, target, report); err != nil {
			return report, err
		}
	}
	if known < len(o.Only) || known == 0 {
		return report, fmt.Errorf("ssotest: attack: of the families %q only %d are known", o.Only, known)
	}
	return report, nil
}

// gallery makes the attacks of one run.
type gallery struct {
	idp     *IdP
	o       AttackOptions // whole
	account string        // the NameID that the IdP signs
}

// attack is one forgery.
type attack struct {
	name string
	o    Options
	// control names the control. Attacks of a family with one name share it.
	control string
	// both are for attack and control alike, forged and honest for one of them.
	both, forged, honest hooks
	// again makes a second answer from the first, which must be accepted.
	again hooks
	// genuine says that signing in the account that the IdP signed is right:
	// what was done changes nothing of what the IdP said.
	genuine bool
}

func (g *gallery) leaveOut(f family) string {
	switch {
	case f.encrypted && g.o.EncryptTo == nil:
		return "needs AttackOptions.EncryptTo"
	case f.name == "unsolicited" && g.o.IdPInitiated:
		return "answers to no request are welcome here"
	}
	return ""
}

// try plays one family.
func (g *gallery) try(f family, target Target, report *AttackReport) error {
	attacks := f.build(g)
	if len(attacks) == 0 {
		return fmt.Errorf("ssotest: attack: the family %s is empty", f.name)
	}
	controls := map[string]bool{}
	for _, a := range attacks {
		if !controls[a.control] {
			controls[a.control] = true
			r, err := g.play(a, true, target)
			if err != nil {
				return fmt.Errorf("ssotest: attack: control of %s/%s: %w", f.name, a.name, err)
			}
			r.Family, r.Name = f.name, cmp.Or(a.control, "as signed")
			report.Results = append(report.Results, r)
		}
		r, err := g.play(a, false, target)
		if err != nil {
			return fmt.Errorf("ssotest: attack: %s/%s: %w", f.name, a.name, err)
		}
		r.Family, r.Name = f.name, a.name
		report.Results = append(report.Results, r)
	}
	return nil
}

// play makes one answer and hands it over.
func (g *gallery) play(a attack, control bool, target Target) (AttackResult, error) {
	req, answer, err := target()
	if err != nil {
		return AttackResult{}, err
	}
	// Cases that work on text count on these.
	a.o.Prefixes, a.o.SignaturePrefix = cmp.Or(a.o.Prefixes, PrefixSAML), "ds"
	m, err := g.idp.newMessage(req, g.o.Login, a.o)
	if err != nil {
		return AttackResult{}, err
	}
	m.victim = g.o.Victim
	h := []hooks{a.both, a.forged}
	if control {
		h[1] = a.honest
	}
	document, err := m.compose(h...)
	if err != nil {
		return AttackResult{}, err
	}
	form := posted(document, h...)
	if a.again.after != nil && !control {
		if r := g.hand(form, answer); r.Who == "" {
			return AttackResult{}, fmt.Errorf("the first use was refused: %w", r.Err)
		}
		if err := a.again.after(m); err != nil {
			return AttackResult{}, err
		}
		form = posted(write(m.response))
	}
	r := g.hand(form, answer)
	r.Control = control
	r.Fault = g.fault(r, a)
	return r, nil
}

// hand hands an answer over and looks at what it cost.
func (g *gallery) hand(form string, answer Answer) (r AttackResult) {
	before := allocated()
	start := time.Now()
	defer func() {
		r.Panic = recover()
		r.Took = time.Since(start)
		r.Bytes = allocated() - before
	}()
	r.Who, r.Err = answer(form)
	return r
}

// allocated is how many bytes the process has allocated so far, to within the
// blocks that the allocator hands out.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// fault judges a result.
func (g *gallery) fault(r AttackResult, a attack) string {
	ours := r.Who == g.account || r.Who == g.o.Login.Email
	switch {
	case r.Panic != nil:
		return fmt.Sprintf("it panicked: %v", r.Panic)
	case errors.Is(r.Err, errNoAnswer):
		return r.Err.Error()
	case r.Control && !ours:
		return fmt.Sprintf("an honest answer was refused, or taken for %q: %v", r.Who, r.Err)
	case !r.Control && r.Who != "" && !(a.genuine && ours):
		return fmt.Sprintf("it let %q in", r.Who)
	case r.Took > g.o.MaxTime:
		return fmt.Sprintf("it took %s, want at most %s", r.Took.Round(time.Millisecond), g.o.MaxTime)
	case g.o.MaxBytes > 0 && r.Bytes > g.o.MaxBytes:
		return fmt.Sprintf("it allocated %d bytes, want at most %d", r.Bytes, g.o.MaxBytes)
	}
	return ""
}
