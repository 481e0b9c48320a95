package sqlstore_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/testserver"
	"github.com/ssoconn/sso/sqlstore"
	"github.com/ssoconn/sso/ssotest"
)

// BenchmarkStore measures each call, one after the other and from many
// goroutines at once. A durable write waits for the disk: the figures are the
// disk's more than ours.
func BenchmarkStore(b *testing.B) {
	for _, d := range []struct {
		name string
		dsn  func(testing.TB) string
	}{
		{"sqlite", sqliteFile},
		{"sqlite-normal", func(t testing.TB) string { return sqliteFile(t) + "?_pragma=synchronous(normal)" }},
		{"postgres", testserver.Postgres},
	} {
		b.Run(d.name, func(b *testing.B) { benchmarkStore(b, open(b, d.dsn(b))) })
	}
}

func benchmarkStore(b *testing.B, s *sqlstore.Store) {
	ctx, now, soon := context.Background(), time.Now(), time.Now().Add(time.Hour)
	s.Timeout = time.Minute
	value := []byte(strings.Repeat("v", 400))
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	c := ssotest.NewIdP(ssotest.Config{}).Connection(sso.ServiceProvider{})
	c.ID = "c"
	_, err := s.SaveConnection(ctx, c, 0)
	must(err)
	must(s.PutInvitation(ctx, sso.Invitation{Code: "i", ConnectionID: "c"}))
	must(s.Put(ctx, "k", value, soon))

	var version atomic.Int64
	version.Store(1)
	for _, call := range []struct {
		name string
		f    func() error
	}{
		{"Put", func() error { return s.Put(ctx, key(), value, soon) }},
		{"Get", func() error { _, err := s.Get(ctx, "k"); return err }},
		{"TakeNothing", func() error {
			if _, err := s.Take(ctx, "none"); err != sso.ErrNotFound {
				return err
			}
			return nil
		}},
		{"PutTake", func() error {
			k := key()
			if err := s.Put(ctx, k, value, soon); err != nil {
				return err
			}
			_, err := s.Take(ctx, k)
			return err
		}},
		{"Remember", func() error { _, err := s.Remember(ctx, key(), soon); return err }},
		{"RememberAgain", func() error { _, err := s.Remember(ctx, "again", soon); return err }},
		{"Login", func() error { // all that one complete sign-in asks of the store
			k := key()
			if err := s.Put(ctx, k, value, soon); err != nil {
				return err
			}
			if _, err := s.Take(ctx, k); err != nil {
				return err
			}
			_, err := s.Remember(ctx, k, soon)
			return err
		}},
		{"Connection", func() error { _, _, err := s.Connection(ctx, "c"); return err }},
		{"Invitation", func() error { _, _, err := s.Invitation(ctx, "i", "alice", now); return err }},
		{"Redeem", func() error { return s.RedeemInvitation(ctx, "i", key(), now) }},
	} {
		b.Run(call.name, func(b *testing.B) {
			for b.Loop() {
				must(call.f())
			}
		})
		b.Run(call.name+"-parallel", func(b *testing.B) {
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := call.f(); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
	b.Run("SaveConnection", func(b *testing.B) {
		for b.Loop() {
			next, err := s.SaveConnection(ctx, c, version.Load())
			must(err)
			version.Store(next)
		}
	})
	b.Run("ClearExpired", func(b *testing.B) {
		for b.Loop() {
			_, err := s.ClearExpired(ctx, 1000)
			must(err)
		}
	})
}
