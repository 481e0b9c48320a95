package sso_test

import (
	"testing"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssotest"
)

func TestAttacks(t *testing.T) {
	now := func() time.Time { return time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC) }
	idp := ssotest.NewIdP(ssotest.Config{Now: now})
	c := idp.Connection(sso.ServiceProvider{DecryptionKeys: []sso.KeyPair{vectorKey(t, "sp-encryption")}})
	report, err := idp.Attack(ssotest.ConnectionTarget(c, now), ssotest.AttackOptions{Slack: time.Millisecond, EncryptTo: c.SP.DecryptionKeys[0].Certificate})
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + report.String())
	if err := report.Err(); err != nil {
		t.Error(err)
	}
}
