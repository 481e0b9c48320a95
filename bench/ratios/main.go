// Command ratios runs the benchmarks of package bench, or reads their output,
// and prints how the contestants compare within that run; with -svg it draws
// the comparison as well.
//
//	go run ./bench/ratios -svg docs/speed.svg
//	go test -bench . ./bench | go run ./bench/ratios -read
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

func main() {
	read := flag.Bool("read", false, "read benchmark output from standard input")
	svg := flag.String("svg", "", "draw the comparison into this `file`")
	benchtime := flag.String("benchtime", "1s", "how long each benchmark runs")
	flag.Parse()
	if err := run(os.Stdin, os.Stdout, *read, *svg, *benchtime); err != nil {
		fmt.Fprintln(os.Stderr, "ratios:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer, read bool, svg, benchtime string) error {
	if !read {
		cmd := exec.Command("go", "test", "-run", "^$", "-bench", "Verify|Request|AtRest", "-benchtime", benchtime, "-v", "github.com/ssoconn/sso/bench")
		cmd.Stderr = os.Stderr
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		in = io.TeeReader(pipe, os.Stderr)
		defer cmd.Wait()
	}
	rows, err := parse(in)
	if err != nil {
		return err
	}
	if err := table(out, rows); err != nil {
		return err
	}
	if svg == "" {
		return nil
	}
	return os.WriteFile(svg, []byte(draw(rows)), 0o644)
}

// result is what one contestant came to at one job.
type result struct {
	who    string
	ns     float64 // per operation; zero: it failed
	bytes  float64
	allocs float64
	fails  string
}

type row struct {
	job     string
	results []result
}

func (r *row) of(who string) *result {
	for i := range r.results {
		if r.results[i].who == who {
			return &r.results[i]
		}
	}
	return nil
}

var (
	line = regexp.MustCompile(`^Benchmark(Verify|VerifyEncrypted|Request)(?:/(\w+))?/(floor|sso|crewjam|goxmldsig)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op(.*)$`)
	skip = regexp.MustCompile(`^\s*--- SKIP: Benchmark(Verify|VerifyEncrypted|Request)(?:/(\w+))?/(floor|sso|crewjam|goxmldsig)`)
	why  = regexp.MustCompile(`FAILS: (.*)$`)
)

func parse(in io.Reader) ([]row, error) {
	var rows []row
	var failed *result
	add := func(job, who string) *result {
		i := slices.IndexFunc(rows, func(r row) bool { return r.job == job })
		if i < 0 {
			rows = append(rows, row{job: job})
			i = len(rows) - 1
		}
		rows[i].results = append(rows[i].results, result{who: who})
		return &rows[i].results[len(rows[i].results)-1]
	}
	name := func(kind, job string) string {
		if kind == "Request" {
			return "request to URL"
		}
		return job
	}
	sc := bufio.NewScanner(in)
	for sc.Scan() {
		text := sc.Text()
		if m := line.FindStringSubmatch(text); m != nil {
			r := add(name(m[1], m[2]), m[3])
			r.ns, _ = strconv.ParseFloat(m[4], 64)
			r.bytes, r.allocs = metric(m[5], "B/op"), metric(m[5], "allocs/op")
		} else if m := skip.FindStringSubmatch(text); m != nil {
			failed = add(name(m[1], m[2]), m[3])
		}
		if m := why.FindStringSubmatch(text); m != nil && failed != nil {
			failed.fails, failed = m[1], nil
		}
	}
	if len(rows) == 0 && sc.Err() == nil {
		return nil, errors.New("no benchmark results in the input")
	}
	return rows, sc.Err()
}

func metric(s, unit string) float64 {
	f := strings.Fields(s)
	if i := slices.Index(f, unit); i > 0 {
		v, _ := strconv.ParseFloat(f[i-1], 64)
		return v
	}
	return 0
}

func table(out io.Writer, rows []row) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "job\twho\ttime\tmemory\tallocations\tcompared with this library")
	for i := range rows {
		us := rows[i].of("sso")
		for _, r := range rows[i].results {
			if r.ns == 0 {
				fmt.Fprintf(w, "%s\t%s\tfails\t\t\t%s\n", rows[i].job, r.who, r.fails)
				continue
			}
			ratio := ""
			if us != nil && us.ns > 0 && r.who != "sso" {
				ratio = fmt.Sprintf("%.2f × the time", r.ns/us.ns)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%.0f KB\t%.0f\t%s\n", rows[i].job, r.who, human(r.ns), r.bytes/1000, r.allocs, ratio)
		}
	}
	return w.Flush()
}

func human(ns float64) string {
	if ns >= 1e6 {
		return fmt.Sprintf("%.1f ms", ns/1e6)
	}
	return fmt.Sprintf("%.1f µs", ns/1e3)
}
