package memstore_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/memstore"
)

// BenchmarkReplay remembers assertions in a memory that is kept full of others.
func BenchmarkReplay(b *testing.B) {
	ctx := context.Background()
	now := time.Now()
	const held = 1 << 17
	r := memstore.NewReplay(held+1, func() time.Time { return now })
	n := 0
	remember := func(until time.Time) {
		n++
		if fresh, err := r.Remember(ctx, fmt.Sprintf("assertion:%064x", n), until); !fresh || err != nil {
			b.Fatal(fresh, err)
		}
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range held {
		remember(now.Add(time.Duration(i) * time.Millisecond))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	for b.Loop() {
		now = now.Add(time.Millisecond)
		remember(now.Add(held * time.Millisecond))
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/held, "B/entry")
}

// BenchmarkReplayFull is a memory that refuses: it must not cost more for that.
func BenchmarkReplayFull(b *testing.B) {
	ctx := context.Background()
	r := memstore.NewReplay(1<<17, nil)
	until := time.Now().Add(time.Hour)
	for i := range 1 << 17 {
		_, _ = r.Remember(ctx, fmt.Sprint(i), until)
	}
	for b.Loop() {
		if _, err := r.Remember(ctx, "one more", until); err != memstore.ErrFull {
			b.Fatal(err)
		}
	}
}

// BenchmarkUsers finds one of 100,000 users.
func BenchmarkUsers(b *testing.B) {
	ctx := context.Background()
	s := memstore.NewUsers()
	for i := range 100_000 {
		u := sso.User{Email: fmt.Sprintf("user%d@example.com", i), Subject: fmt.Sprint("s", i), Name: strings.Repeat("n", 20)}
		if _, err := s.CreateUser(ctx, "c", u); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if _, err := s.UserBySubject(ctx, "c", "s77777"); err != nil {
			b.Fatal(err)
		}
		if found, err := s.UsersByEmail(ctx, "c", "user77777@example.com"); err != nil || len(found) != 1 {
			b.Fatal(found, err)
		}
	}
}
