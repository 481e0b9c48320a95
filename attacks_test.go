package sso_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssotest"
)

var updateAttacks = flag.Bool("update-attacks", false, "write testdata/attacks.txt anew")

func attackNow() time.Time { return time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC) }

// attackConnection is a connection to an IdP with one of the test keys.
func attackConnection(t *testing.T, key string, profile ssotest.Profile) (*ssotest.IdP, *sso.Connection) {
	t.Helper()
	pair := vectorKey(t, key)
	idp := ssotest.NewIdP(ssotest.Config{Profile: profile, Key: &pair, Now: attackNow})
	return idp, idp.Connection(sso.ServiceProvider{DecryptionKeys: []sso.KeyPair{vectorKey(t, "sp-encryption")}})
}

// attackOptions are exact: IdP and connection have one clock.
func attackOptions(c *sso.Connection) ssotest.AttackOptions {
	// A minute finds what hangs; how fast it is, benchmarks say.
	return ssotest.AttackOptions{Slack: time.Millisecond, MaxTime: time.Minute, EncryptTo: c.SP.DecryptionKeys[0].Certificate}
}

// sameAttributes is a target that also counts a change of any attribute as
// somebody else.
func sameAttributes(c *sso.Connection) ssotest.Target {
	begin := ssotest.ConnectionTarget(c, attackNow)
	login := ssotest.Login{Email: "admin@example.com.mallory.example", FirstName: "Mallory", LastName: "Moe", Groups: []string{"Guests"}}
	return func() (ssotest.Request, ssotest.Answer, error) {
		req, answer, err := begin()
		return req, func(message string) (string, error) {
			who, err := answer(message)
			if err != nil {
				return who, err
			}
			a, err := c.VerifyResponse(context.Background(), message, sso.VerifyOptions{RequestID: req.ID, CurrentTime: attackNow()})
			if err != nil {
				return who, fmt.Errorf("the second verification differs: %w", err)
			}
			got, want := c.Profile(a), sso.Profile{Email: login.Email, FirstName: login.FirstName, LastName: login.LastName,
				Name: "Mallory Moe", Groups: login.Groups, GroupsState: sso.GroupsPresent}
			if diff := cmp.Diff(want, got); diff != "" {
				return "somebody else: " + diff, nil
			}
			return who, nil
		}, err
	}
}

// TestAttacks plays the whole gallery. Nothing may get in, every control has to,
// and each family is refused for the reasons that stand in testdata/attacks.txt.
// It does not run beside other tests: it counts what is allocated.
func TestAttacks(t *testing.T) {
	idp, c := attackConnection(t, "idp-p256", "")
	o := attackOptions(c)
	o.MaxBytes = 2 * 24_000_000 // what gets in is verified twice
	report, err := idp.Attack(sameAttributes(c), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + report.String())
	if err := report.Err(); err != nil {
		t.Error(err)
	}
	if len(report.Skipped) > 0 {
		t.Errorf("left out: %q", report.Skipped)
	}
	file := filepath.Join("testdata", "attacks.txt")
	got := reasonsOf(t, report)
	if *updateAttacks {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("reasons (-want +got); after a look at each, go test -run TestAttacks -update-attacks .\n%s", diff)
	}
}

// reasonsOf lists, for each family, why its attacks were refused and how many
// were for that reason.
func reasonsOf(t *testing.T, report *ssotest.AttackReport) string {
	t.Helper()
	count := map[string]map[string]int{}
	for _, r := range report.Results {
		if r.Control {
			continue
		}
		reason := "as signed"
		var refusal *sso.VerifyError
		switch {
		case errors.As(r.Err, &refusal):
			reason = string(refusal.Reason)
			if refusal.Hint == "" {
				t.Errorf("%s/%s: a refusal without a next step", r.Family, r.Name)
			}
		case r.Err != nil:
			t.Errorf("%s/%s: %v", r.Family, r.Name, r.Err)
		}
		if count[r.Family] == nil {
			count[r.Family] = map[string]int{}
		}
		count[r.Family][reason]++
	}
	var b bytes.Buffer
	for _, family := range slices.Sorted(maps.Keys(count)) {
		fmt.Fprintf(&b, "%s:", family)
		for _, reason := range slices.Sorted(maps.Keys(count[family])) {
			fmt.Fprintf(&b, " %s %d;", reason, count[family][reason])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// TestAttacksRSA plays what depends on the key, and answers that are written as
// other products write them.
func TestAttacksRSA(t *testing.T) {
	t.Parallel()
	for _, profile := range []ssotest.Profile{ssotest.Okta, ssotest.Entra, ssotest.ADFS, ssotest.Shibboleth} {
		t.Run(string(profile), func(t *testing.T) {
			t.Parallel()
			idp, c := attackConnection(t, "idp", profile)
			o := attackOptions(c)
			o.Only = []string{"signature-key", "signature-method", "signature-value", "wrap-both", "wrap-decoy", "text-comment", "encrypted-forged", "replay"}
			report, err := idp.Attack(ssotest.ConnectionTarget(c, attackNow), o)
			if err != nil {
				t.Fatal(err)
			}
			if err := report.Err(); err != nil {
				t.Errorf("%v\n%s", err, report)
			}
		})
	}
}

// TestAttackErrorsSayLittle: no error of an attack repeats the message, and
// those behind the decryption of a ciphertext are one and the same.
func TestAttackErrorsSayLittle(t *testing.T) {
	t.Parallel()
	idp, c := attackConnection(t, "idp-p256", "")
	o := attackOptions(c)
	o.Only = []string{"encrypted-bent", "encrypted-plain", "wrap-aside", "text-twice"}
	report, err := idp.Attack(ssotest.ConnectionTarget(c, attackNow), o)
	if err != nil {
		t.Fatal(err)
	}
	decryption := map[string]bool{}
	for _, r := range report.Results {
		var refusal *sso.VerifyError
		if !errors.As(r.Err, &refusal) {
			continue
		}
		if text := refusal.Error() + refusal.Hint; len(text) > 2000 || strings.Contains(text, "<saml") {
			t.Errorf("%s/%s: the error repeats the message: %s", r.Family, r.Name, text)
		}
		if refusal.Reason == sso.ReasonDecryption {
			decryption[refusal.Error()+refusal.Hint] = true
		}
	}
	if len(decryption) != 1 {
		t.Errorf("failures to decrypt tell %d things apart, want 1: %q", len(decryption), slices.Collect(maps.Keys(decryption)))
	}
}
