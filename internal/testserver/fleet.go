package testserver

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
)

// childVariable is what a process of a Fleet knows its number by.
const childVariable = "SSO_TEST_CHILD"

// A Fleet is several processes that run the test's own binary again.
type Fleet struct {
	t        testing.TB
	children []*exec.Cmd
	inputs   []io.WriteCloser
	lines    chan Line
}

// A Line is what one process of a Fleet wrote.
type Line struct {
	Child int
	Text  string
}

// NewFleet starts n processes. Each runs main from its TestMain, which sees that
// it is one by Child; env is added to its environment. They go with the test.
func NewFleet(t testing.TB, n int, env ...string) *Fleet {
	t.Helper()
	f := &Fleet{t: t, lines: make(chan Line, 1024)}
	var readers sync.WaitGroup
	t.Cleanup(func() {
		for i := range f.children {
			f.Kill(i)
		}
		go func() { // so that no reader waits to be heard
			for range f.lines {
			}
		}()
		readers.Wait()
		for _, c := range f.children {
			_ = c.Wait()
		}
	})
	for i := range n {
		c := exec.Command(os.Args[0])
		c.Env = append(append(os.Environ(), env...), childVariable+"="+strconv.Itoa(i))
		c.Stderr = os.Stderr
		in, err := c.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		f.children, f.inputs = append(f.children, c), append(f.inputs, in)
		readers.Go(func() {
			for s := bufio.NewScanner(out); s.Scan(); {
				f.lines <- Line{i, s.Text()}
			}
		})
	}
	go func() { readers.Wait(); close(f.lines) }()
	return f
}

// Child says whether this process belongs to a Fleet, and its number.
func Child() (number int, ok bool) {
	n, err := strconv.Atoi(os.Getenv(childVariable))
	return n, err == nil
}

// WaitForGo is called by each process when it is ready. It returns when the
// parent calls Go, and ends the process if the parent is gone.
func WaitForGo() {
	if _, err := os.Stdout.WriteString("ready\n"); err != nil {
		os.Exit(1)
	}
	if _, err := io.ReadFull(os.Stdin, make([]byte, 1)); err != nil {
		os.Exit(1)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
}

// Go waits until every process is ready and sets them off.
func (f *Fleet) Go() {
	f.t.Helper()
	for ready := 0; ready < len(f.children); ready++ {
		line, ok := <-f.lines
		if !ok || line.Text != "ready" {
			f.t.Fatalf("process %d wrote %q, want ready", line.Child, line.Text)
		}
	}
	for _, in := range f.inputs {
		if _, err := in.Write([]byte("g")); err != nil {
			f.t.Fatal(err)
		}
	}
}

// Lines is what the processes write, until the last of them has ended.
func (f *Fleet) Lines() <-chan Line { return f.lines }

// Kill ends a process by SIGKILL, in whatever it is doing.
func (f *Fleet) Kill(i int) { _ = f.children[i].Process.Kill() }
