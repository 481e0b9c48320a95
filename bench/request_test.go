package bench

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/crewjam/saml"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssotest"
)

// BenchmarkRequest is an unsigned AuthnRequest to its redirect URL.
func BenchmarkRequest(b *testing.B) {
	m := newMessage(b, 1, ssotest.SignAssertion)
	b.Run("sso", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r, err := m.conn.NewAuthnRequest(sso.RequestOptions{})
			if err != nil {
				b.Fatal(err)
			}
			if _, err := r.RedirectURL("0123456789abcdef"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("crewjam", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r, err := m.peer.MakeAuthenticationRequest(m.conn.IdP.SSOURL, saml.HTTPRedirectBinding, saml.HTTPPostBinding)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := r.Redirect("0123456789abcdef", m.peer); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkConnectionAtRest reports how much memory a parsed connection holds.
func BenchmarkConnectionAtRest(b *testing.B) {
	m := newMessage(b, 1, ssotest.SignAssertion)
	text, err := m.conn.IdP.Certificates.MarshalText()
	if err != nil {
		b.Fatal(err)
	}
	const n = 2000
	for b.Loop() {
		conns := make([]*sso.Connection, n)
		before := heap()
		for i := range conns {
			c := *m.conn
			c.ID = fmt.Sprintf("connection-%d", i)
			c.IdP.EntityID = strings.Clone(c.IdP.EntityID)
			c.IdP.SSOURL = strings.Clone(c.IdP.SSOURL)
			if c.IdP.Certificates, err = sso.ParseCertificates(string(text)); err != nil {
				b.Fatal(err)
			}
			conns[i] = &c
		}
		b.ReportMetric(float64(heap()-before)/n, "B/connection")
		runtime.KeepAlive(conns)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}
