package ssotest

import (
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ssoconn/sso"
)

// attackWith plays attacks against a target that the test makes of the honest
// one.
func attackWith(t *testing.T, o AttackOptions, bend func(Answer) Answer) *AttackReport {
	t.Helper()
	idp := NewIdP(Config{Key: fixedKey(t, "idp-p256"), Now: fixedNow})
	key := fixedKey(t, "sp-encryption")
	o.EncryptTo = key.Certificate
	begin := ConnectionTarget(idp.Connection(sso.ServiceProvider{DecryptionKeys: []sso.KeyPair{*key}}), fixedNow)
	report, err := idp.Attack(func() (Request, Answer, error) {
		req, answer, err := begin()
		return req, bend(answer), err
	}, o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// light are the families that are not about megabytes.
func light() []string {
	var names []string
	for _, f := range families() {
		if !strings.HasPrefix(f.name, "resource-") {
			names = append(names, f.name)
		}
	}
	return names
}

var lastName = regexp.MustCompile(`(?s)<saml:NameID[^>]*>([^<]*)</saml:NameID>`)

// TestAttacksBite has the gallery find an application that looks at nothing: it
// takes the last NameID that it sees for who is there.
func TestAttacksBite(t *testing.T) {
	t.Parallel()
	const account, victim = "admin@example.com.mallory.example", "admin@example.com"
	victims := map[string]int{}
	report := attackWith(t, AttackOptions{Only: light()}, func(Answer) Answer {
		return func(message string) (string, error) {
			document, err := base64.StdEncoding.DecodeString(message)
			if err != nil {
				return "", err
			}
			all := lastName.FindAllSubmatch(document, -1)
			if len(all) == 0 {
				return account, nil // encrypted, or otherwise out of sight
			}
			return string(all[len(all)-1][1]), nil
		}
	})
	letIn, tried := map[string]int{}, map[string]int{}
	for _, r := range report.Results {
		switch {
		case r.Control && r.Fault != "":
			t.Errorf("%s/%s: the control is no honest answer: %s", r.Family, r.Name, r.Fault)
		case !r.Control:
			tried[r.Family]++
			if r.Fault != "" {
				letIn[r.Family]++
			}
			if r.Who == victim {
				victims[r.Family]++
			}
		}
	}
	for _, f := range light() {
		if tried[f] == 0 {
			t.Errorf("%s: nothing was tried", f)
		}
		// What is right if the whole value is read, is read whole here.
		harmless := f == "text-cdata" || f == "text-comment" || f == "text-reference"
		if letIn[f] == 0 && !harmless {
			t.Errorf("%s: none of %d attacks was noticed", f, tried[f])
		}
		// Decoys are about the signature, and change no name.
		if strings.HasPrefix(f, "wrap-") && f != "wrap-decoy" && victims[f] == 0 {
			t.Errorf("%s: no attack of %d names the victim last", f, tried[f])
		}
	}
	if report.Err() == nil || !strings.Contains(report.Err().Error(), "wrap-") {
		t.Errorf("got %v", report.Err())
	}
	if table := report.String(); !strings.Contains(table, "let in") || !strings.Contains(table, "wrap-aside") {
		t.Errorf("the table is\n%s", table)
	}
}

// TestAttackVerdicts: what else the gallery has to notice.
func TestAttackVerdicts(t *testing.T) {
	t.Parallel()
	honest := func(a Answer) Answer { return a }
	for _, k := range []struct {
		name   string
		o      AttackOptions
		bend   func(Answer) Answer
		faulty func(r AttackResult) bool // the results that have a fault
		says   string
	}{
		{"honest", AttackOptions{}, honest, func(AttackResult) bool { return false }, ""},
		{"refuses everything", AttackOptions{}, func(Answer) Answer { return func(string) (string, error) { return "", errors.New("no") } },
			func(r AttackResult) bool { return r.Control }, "an honest answer was refused"},
		{"lets everybody in", AttackOptions{}, func(Answer) Answer {
			return func(string) (string, error) { return "admin@example.com.mallory.example", nil }
		}, func(r AttackResult) bool { return !r.Control }, "it let"},
		{"takes everybody for another", AttackOptions{}, func(a Answer) Answer {
			return func(m string) (string, error) {
				who, err := a(m)
				return who + "x", err
			}
		}, func(r AttackResult) bool { return true }, "taken for"},
		{"panics", AttackOptions{}, func(Answer) Answer { return func(string) (string, error) { panic("oh") } }, func(AttackResult) bool { return true }, "panicked: oh"},
		{"breaks off", AttackOptions{}, func(Answer) Answer { return func(string) (string, error) { return "", errNoAnswer } }, func(AttackResult) bool { return true }, "broke off"},
		{"slow", AttackOptions{MaxTime: time.Nanosecond}, honest, func(AttackResult) bool { return true }, "it took"},
		{"wasteful", AttackOptions{MaxBytes: 1 << 20}, func(a Answer) Answer {
			return func(m string) (string, error) {
				sink = make([]byte, 4<<20)
				return a(m)
			}
		}, func(AttackResult) bool { return true }, "it allocated"},
	} {
		t.Run(k.name, func(t *testing.T) {
			k.o.Only = []string{"audience"}
			report := attackWith(t, k.o, k.bend)
			for _, r := range report.Results {
				if (r.Fault != "") != k.faulty(r) {
					t.Errorf("%s (control %v): fault %q", r.Name, r.Control, r.Fault)
				}
			}
			err := report.Err()
			if k.says == "" && err != nil || k.says != "" && (err == nil || !strings.Contains(err.Error(), k.says)) {
				t.Errorf("got %v, want %q", err, k.says)
			}
		})
	}
}

var sink []byte

// TestAttackSetUp: what keeps the attacks from being tried is an error, not a
// report without a fault.
func TestAttackSetUp(t *testing.T) {
	t.Parallel()
	idp := NewIdP(Config{Key: fixedKey(t, "idp-p256"), Now: fixedNow})
	target := ConnectionTarget(idp.Connection(sso.ServiceProvider{}), fixedNow)
	if _, err := idp.Attack(target, AttackOptions{Only: []string{"audience", "no-such-family"}}); err == nil {
		t.Error("an unknown family passed")
	}
	down := errors.New("down")
	if _, err := idp.Attack(func() (Request, Answer, error) { return Request{}, nil, down }, AttackOptions{}); !errors.Is(err, down) {
		t.Errorf("got %v", err)
	}
	report, err := idp.Attack(target, AttackOptions{Only: []string{"encrypted-forged", "unsolicited"}, IdPInitiated: true})
	if err != nil || len(report.Skipped) != 2 || report.Err() == nil {
		t.Errorf("with everything left out: %v, %q, %v", err, report.Skipped, report.Err())
	}
	if !strings.Contains(report.String(), "left out: encrypted-forged") {
		t.Errorf("the table is\n%s", report)
	}
}

// TestFamilies: no family is empty, no name is used twice.
func TestFamilies(t *testing.T) {
	t.Parallel()
	idp := NewIdP(Config{Key: fixedKey(t, "idp"), Now: fixedNow})
	g := &gallery{idp: idp, account: "a", o: AttackOptions{Victim: "b", EncryptTo: fixedKey(t, "sp-encryption").Certificate, Skew: time.Minute, Slack: time.Second}}
	seen := map[string]bool{}
	for _, f := range families() {
		if f.about == "" || seen[f.name] {
			t.Errorf("%s: described %q, seen %v", f.name, f.about, seen[f.name])
		}
		seen[f.name] = true
		attacks := f.build(g)
		if len(attacks) == 0 {
			t.Errorf("%s is empty", f.name)
		}
		for _, a := range attacks {
			if seen[f.name+"/"+a.name] {
				t.Errorf("%s/%s twice", f.name, a.name)
			}
			seen[f.name+"/"+a.name] = true
		}
	}
}
