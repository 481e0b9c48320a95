package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A binary is a test binary with all changes in it, and what it is to run.
type binary struct {
	path, dir string
	args      []string
	limit     time.Duration
}

// binaries builds the tests of a group with all changes in them, and runs each
// once without any: it has to pass, and says how long it takes.
func (g group) binaries(t *together) ([]binary, error) {
	var built []binary
	for i, args := range g.tests {
		b := binary{path: filepath.Join(t.dir, fmt.Sprintf("tests%d", i)), dir: args[0]}
		for _, a := range args[1:] {
			b.args = append(b.args, strings.Replace(a, "-", "-test.", 1))
			if !strings.HasPrefix(a, "-") {
				b.args[len(b.args)-1] = a
			}
		}
		out, err := exec.Command("go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay="+t.overlay, "-o", b.path, args[0]).CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("building the tests of %s with all changes: %w\n%s", args[0], err, out)
		}
		b.limit = 10 * time.Minute
		start := time.Now()
		if out, err := b.run(0); err != nil {
			return nil, fmt.Errorf("the tests %q fail without any change: %w\n%s", args, err, out)
		}
		b.limit = 20*time.Second + 5*time.Since(start)
		built = append(built, b)
	}
	return built, nil
}

// run runs the tests with one change, 0 for none. A change can have code loop
// while it allocates, so memory has a limit as time has.
func (b binary) run(change int) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), b.limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", `ulimit -v 6000000; exec "$@"`, "sh", b.path, "-test.failfast", "-test.count=1"}, b.args...)...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", chosen+"="+strconv.Itoa(change))
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = errors.New("ran out of time")
	}
	return string(out), err
}
