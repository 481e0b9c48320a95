// Command mutate makes one small change after the other to the code that
// verifies, and has the tests look for it. A change that no test notices is a
// test that is missing, or it changes nothing that matters; the file
// survivors.txt beside this one says which are of the second kind, and why.
//
//	go run ./internal/mutate                 all of them
//	go run ./internal/mutate -sample 100     a hundred of each group, chosen by -seed
//	go run ./internal/mutate -only xmlsig    one group
//	go run ./internal/mutate -report F       write the names of what survives to F
//	go run ./internal/mutate -again F        try only those again
//	go run ./internal/mutate -list           what would be changed
//
// Nothing in the tree is touched: changed files reach the compiler by an overlay.
// All changes within functions are built into one test binary, which has the one
// that its environment names; only what stands outside of functions is built on its
// own. What does not compile does not count; what runs out of time counts as
// noticed. The exit status is 1 if a change survives that is not explained.
package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A group is code and the tests that have to notice changes in it, the quick ones
// first.
type group struct {
	name  string
	files []string // patterns, from the root
	tests [][]string
}

// Judges that are programs of their own, xmllint, xmlsec1 and Santuario, are left
// out: they take minutes, and what only they notice is of little use here.
var groups = []group{
	{"xmltree", []string{"internal/xmltree/*.go"}, [][]string{
		{"./internal/xmltree", "-skip", "XMLLint"}, {".", "-run", "TestVectors|TestAttacks$"}}},
	{"xmlsig", []string{"internal/xmlsig/*.go"}, [][]string{
		{"./internal/xmlsig", "-skip", "Xmlsec|Xmllint|OpenSSL|Hostile|EveryByte|Judges"}, {".", "-run", "TestVectors|TestAttacks$"}}},
	{"xmlenc", []string{"internal/xmlenc/*.go"}, [][]string{
		{"./internal/xmlenc", "-skip", "XMLSec|Xmlsec|Santuario|OpenSSL"}, {".", "-run", "TestVectors|TestEncrypted|TestAttack"}}},
	{"checks", []string{"checks.go", "checks_assertion.go", "verify.go", "message.go", "attributes.go", "assertion.go"}, [][]string{
		{".", "-run", "TestVectors|TestVerify|TestEncrypted|TestStatus|TestAttribute"}, {".", "-skip", "TestVectors|TestVerify|TestEncrypted|TestStatus|TestAttribute"}}},
}

//go:embed survivors.txt
var explained string

func main() {
	sample := flag.Int("sample", 0, "try only so many, chosen at random; 0 tries all")
	seed := flag.Uint64("seed", 1, "of the sample")
	only := flag.String("only", "", "the `group` to try: xmltree, xmlsig, xmlenc or checks")
	list := flag.Bool("list", false, "list the changes and try none")
	report := flag.String("report", "", "append what survives to this `file`")
	again := flag.String("again", "", "try only what such a `file` names")
	flag.Parse()
	failed, err := run(options{*sample, *seed, *only, *list, *report, *again})
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
	}
	if err != nil || failed {
		os.Exit(1)
	}
}

// tally counts what became of the changes.
type tally struct{ tried, broken, killed, explained, survived int }

func (t *tally) add(o tally) {
	t.tried, t.broken, t.killed = t.tried+o.tried, t.broken+o.broken, t.killed+o.killed
	t.explained, t.survived = t.explained+o.explained, t.survived+o.survived
}

type options struct {
	sample int
	seed   uint64
	only   string
	list   bool
	report string
	again  string
}

// choose says which of the changes are to be tried.
func (o options) choose(all []mutant) ([]int, error) {
	try := rand.New(rand.NewPCG(o.seed, o.seed)).Perm(len(all))
	if o.sample > 0 && o.sample < len(all) {
		try = try[:o.sample]
	}
	if o.again != "" {
		text, err := os.ReadFile(o.again)
		if err != nil {
			return nil, err
		}
		named := strings.Split(string(text), "\n")
		try = slices.DeleteFunc(try, func(i int) bool { return !slices.Contains(named, all[i].key()) })
	}
	slices.Sort(try)
	return try, nil
}

func run(o options) (failed bool, err error) {
	reasons, err := parseReasons(explained)
	if err != nil {
		return false, err
	}
	var sum tally
	for _, g := range groups {
		if o.only != "" && g.name != o.only {
			continue
		}
		all, err := mutantsOf(g)
		if err != nil {
			return false, err
		}
		try, err := o.choose(all)
		if err != nil {
			return false, err
		}
		if len(try) == 0 {
			continue
		}
		if o.list {
			for _, i := range try {
				fmt.Println(all[i])
			}
			fmt.Printf("%s: %d changes\n", g.name, len(all))
			continue
		}
		t, err := g.try(all, try, reasons, o.report)
		if err != nil {
			return false, err
		}
		fmt.Printf("%s: %d changes, %d do not compile, %d noticed, %d explained, %d survive\n", g.name, t.tried, t.broken, t.killed, t.explained, t.survived)
		sum.add(t)
	}
	if o.list {
		return false, nil
	}
	fmt.Printf("all: %d changes, %d do not compile, %d noticed, %d explained, %d survive\n", sum.tried, sum.broken, sum.killed, sum.explained, sum.survived)
	return sum.survived > 0, nil
}

// try tries the changes of one group, those whose number is in try.
func (g group) try(all []mutant, try []int, reasons map[string]string, report string) (t tally, err error) {
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return t, err
	}
	defer os.RemoveAll(dir)
	code, err := buildTogether(dir, all)
	if err != nil {
		return t, err
	}
	tests, err := g.binaries(code)
	if err != nil {
		return t, err
	}
	for _, i := range try {
		m := all[i]
		t.tried++
		verdict, err := m.tryTogether(i+1, code, tests)
		if !m.inFunction {
			verdict, err = m.try(dir, g.tests)
		}
		if err != nil {
			return t, err
		}
		switch {
		case verdict == broken:
			t.broken++
		case verdict == killed:
			t.killed++
		case reasons[m.key()] != "":
			t.explained++
		default:
			t.survived++
			fmt.Printf("survives (%d of %d): %s\n", t.tried, len(try), m)
			if report != "" {
				if err := appendLine(report, m.key()); err != nil {
					return t, err
				}
			}
		}
	}
	return t, nil
}

// tryTogether has the tests look for one change of those that are in the binaries.
func (m mutant) tryTogether(number int, code *together, tests []binary) (verdict, error) {
	if !m.inFunction || code.broken[number] {
		return broken, nil
	}
	for _, b := range tests {
		if _, err := b.run(number); err != nil {
			return killed, nil
		}
	}
	return survived, nil
}

type verdict int

const (
	survived verdict = iota
	broken
	killed
)

// try has the tests look for one change.
func (m mutant) try(dir string, tests [][]string) (verdict, error) {
	changed := filepath.Join(dir, "changed.go")
	if err := os.WriteFile(changed, m.text(), 0o600); err != nil {
		return survived, err
	}
	file, err := filepath.Abs(m.file)
	if err != nil {
		return survived, err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {file: changed}})
	if err != nil {
		return survived, err
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, overlay, 0o600); err != nil {
		return survived, err
	}
	for _, args := range tests {
		out, err := runTests(path, args)
		switch {
		case err == nil:
		case strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]"):
			return broken, nil
		default:
			return killed, nil
		}
	}
	return survived, nil
}

// runTests runs tests with an overlay, "" for none.
func runTests(overlay string, args []string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-vet=off", "-count=1", "-failfast", "-timeout", "60s", "-ldflags=-s -w", "-overlay=" + overlay}, args...)...)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = errors.New("ran out of time")
	}
	return string(out), err
}

// parseReasons reads survivors.txt: a reason on a line beginning with "#", and
// under it the changes that it explains, as the key of each.
func parseReasons(text string) (map[string]string, error) {
	reasons := map[string]string{}
	why := ""
	s := bufio.NewScanner(strings.NewReader(text))
	for n := 1; s.Scan(); n++ {
		line := strings.TrimSpace(s.Text())
		switch {
		case line == "":
			why = ""
		case strings.HasPrefix(line, "#"):
			why = strings.TrimSpace(why + " " + strings.TrimPrefix(line, "#"))
		case why == "":
			return nil, fmt.Errorf("survivors.txt: line %d has no reason above it", n)
		default:
			reasons[line] = why
		}
	}
	return reasons, s.Err()
}

func appendLine(file, line string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, line)
	return errors.Join(err, f.Close())
}
