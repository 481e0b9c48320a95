package ssotest

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// An AttackReport is what became of all attacks. Print it: its String is a table.
type AttackReport struct {
	Results []AttackResult
	// Skipped are families that were left out, each with the reason.
	Skipped []string
}

// Failed are the results that are not as they should be: attacks that got in,
// honest answers that did not, and whatever panicked or took too much.
func (r *AttackReport) Failed() []AttackResult {
	var failed []AttackResult
	for _, result := range r.Results {
		if result.Fault != "" {
			failed = append(failed, result)
		}
	}
	return failed
}

// Err is nil if nothing failed and something was tried; else it names what
// failed, the first twenty.
func (r *AttackReport) Err() error {
	failed := r.Failed()
	if len(r.Results) == 0 {
		return errors.New("ssotest: attack: nothing was tried")
	}
	if len(failed) == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "ssotest: attack: %d of %d answers came out wrong", len(failed), len(r.Results))
	for i, f := range failed {
		if i == 20 {
			b.WriteString("\n\t…")
			break
		}
		kind := "attack"
		if f.Control {
			kind = "control"
		}
		fmt.Fprintf(&b, "\n\t%s/%s (%s): %s", f.Family, f.Name, kind, f.Fault)
	}
	return errors.New(b.String())
}

// tally counts one family.
type tally struct {
	family                    string
	tried, refused, genuine   int // attacks
	letIn, broke              int
	controls, controlsRefused int
	took                      time.Duration
	bytes                     uint64
}

func (t *tally) add(r AttackResult) {
	t.took, t.bytes = max(t.took, r.Took), max(t.bytes, r.Bytes)
	switch {
	case r.Control:
		t.controls++
		if r.Fault != "" {
			t.controlsRefused++
		}
		return
	case r.Fault != "" && r.Who == "":
		t.broke++
	case r.Fault != "":
		t.letIn++
	case r.Who != "":
		t.genuine++
	default:
		t.refused++
	}
	t.tried++
}

// String is a table with a row for each family: how many attacks were refused,
// how many ended with the identity that the IdP had signed where that is right
// too, how many got in, how many panicked or took too much, how many of the
// controls were accepted, and the most time and memory that one answer took.
func (r *AttackReport) String() string {
	var all []tally
	sum := tally{family: "all"}
	for _, result := range r.Results {
		if len(all) == 0 || all[len(all)-1].family != result.Family {
			all = append(all, tally{family: result.Family})
		}
		all[len(all)-1].add(result)
		sum.add(result)
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "family\ttried\trefused\tas signed\tlet in\tbroke\tcontrols\taccepted\tslowest\tmost memory\t")
	for _, t := range append(all, sum) {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%.1f MB\t\n", t.family, t.tried, t.refused, t.genuine, t.letIn, t.broke,
			t.controls, t.controls-t.controlsRefused, t.took.Round(10*time.Microsecond), float64(t.bytes)/1e6)
	}
	_ = w.Flush() // a strings.Builder takes everything
	for _, s := range r.Skipped {
		fmt.Fprintf(&b, "left out: %s\n", s)
	}
	return b.String()
}
