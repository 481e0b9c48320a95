package redisstore_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/testserver"
	"github.com/ssoconn/sso/redisstore"
)

// BenchmarkStore measures each call, one after the other and from many
// goroutines at once.
func BenchmarkStore(b *testing.B) {
	ctx, soon := context.Background(), time.Now().Add(time.Minute)
	s := open(b, testserver.Redis(b), redisstore.Options{Timeout: time.Minute})
	value := []byte(strings.Repeat("v", 400))
	if err := s.Put(ctx, "k", value, time.Now().Add(time.Hour)); err != nil {
		b.Fatal(err)
	}
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
	} {
		b.Run(call.name, func(b *testing.B) {
			for b.Loop() {
				if err := call.f(); err != nil {
					b.Fatal(err)
				}
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
}
