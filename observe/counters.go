package observe

import (
	"bufio"
	"cmp"
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/ssoconn/sso"
)

// Limits of the labels, so that nothing that comes from outside can make more of
// them than a monitoring system bears.
const (
	maxLabels = 512 // combinations
	maxLabel  = 40  // bytes of one value
	other     = "other"
)

// Counters counts events by kind, flow and reason. The zero value is ready to
// use, by any number of goroutines.
//
// Connections and persons are no labels: there is no end to them. A value that
// does not look like one of the library's (small letters, digits and _) counts
// as "other", and so does every combination after the first 512.
type Counters struct {
	mu     sync.Mutex
	counts map[Labels]uint64
}

// Labels are what a count is of.
type Labels struct {
	Kind   sso.EventKind
	Flow   sso.Flow
	Reason string
}

// Observe counts e.
func (c *Counters) Observe(_ context.Context, e sso.Event) {
	l := Labels{Kind: sso.EventKind(label(string(e.Kind))), Flow: sso.Flow(label(string(e.Flow))), Reason: label(e.Reason)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.counts[l]; !known {
		if c.counts == nil {
			c.counts = make(map[Labels]uint64)
		}
		if len(c.counts) >= maxLabels {
			l = Labels{Kind: other, Flow: other, Reason: other}
		}
	}
	c.counts[l]++
}

func label(s string) string {
	if len(s) > maxLabel || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return other
	}
	return s
}

// Each calls f for every count, sorted by kind, flow and reason. It is what an
// adapter to another monitoring system reads.
func (c *Counters) Each(f func(Labels, uint64)) {
	type count struct {
		Labels
		n uint64
	}
	var all []count
	c.mu.Lock()
	for l, n := range c.counts {
		all = append(all, count{l, n})
	}
	c.mu.Unlock()
	slices.SortFunc(all, func(a, b count) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Flow, b.Flow), cmp.Compare(a.Reason, b.Reason))
	})
	for _, k := range all {
		f(k.Labels, k.n)
	}
}

// WriteTo writes the counts in the text format of Prometheus, version 0.0.4, as
// one metric, sso_events_total.
func (c *Counters) WriteTo(w io.Writer) (int64, error) {
	counted := &counting{w: w}
	b := bufio.NewWriter(counted)
	b.WriteString("# HELP sso_events_total Events of single sign-on, by kind, flow and reason.\n# TYPE sso_events_total counter\n")
	c.Each(func(l Labels, n uint64) {
		// Labels are letters, digits and _, so that nothing needs a quotation.
		b.WriteString(`sso_events_total{kind="` + string(l.Kind) + `",flow="` + string(l.Flow) + `",reason="` + l.Reason + `"} ` + strconv.FormatUint(n, 10) + "\n")
	})
	err := b.Flush()
	return counted.n, err
}

// ServeHTTP serves the counts for Prometheus to read.
func (c *Counters) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = c.WriteTo(w) // the reader went away
}

type counting struct {
	w io.Writer
	n int64
}

func (c *counting) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
