// Command sso explains what came of a sign-in.
//
//	go run ./cmd/sso inspect trace.json
//	go run ./cmd/sso inspect -connection conn.json -request any < response.txt
//
// See sso inspect -h.
package main

import (
	"fmt"
	"io"
	"os"
)

// Exit codes.
const (
	exitAccepted = 0
	exitRefused  = 1 // the answer would be refused
	exitUsage    = 2 // called wrongly, or the input cannot be read
)

const usage = `sso explains what came of a SAML sign-in.

usage:
  sso inspect [flags] [file]   check an answer again and say of each check how it came out
  sso help                     this text

sso inspect -h says more.
`

// A command is what one call has to work with.
type command struct {
	in       io.Reader
	out, err io.Writer
	terminal bool // out is one, and colours are welcome
}

func main() {
	c := command{in: os.Stdin, out: os.Stdout, err: os.Stderr, terminal: colourful(os.Stdout)}
	os.Exit(c.run(os.Args[1:]))
}

func (c *command) run(args []string) int {
	if len(args) == 0 {
		fmt.Fprint(c.err, usage)
		return exitUsage
	}
	switch args[0] {
	case "inspect":
		return c.inspect(args[1:])
	case "help", "-h", "-help", "--help":
		fmt.Fprint(c.out, usage)
		return exitAccepted
	}
	fmt.Fprintf(c.err, "sso: there is no command %q\n\n%s", args[0], usage)
	return exitUsage
}

// colourful says whether f is a terminal of somebody who has not asked for no
// colours, see no-color.org.
func colourful(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
