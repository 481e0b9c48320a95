package main

import (
	"strings"
	"unicode"
)

// printable makes a text safe to show: what came from outside must not steer the
// terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf)) {
			return '\uFFFD'
		}
		return r
	}, s)
}

// The colours, by the word that a line begins with.
const (
	reset = "\x1b[0m"
	bold  = "\x1b[1m"
)

var colours = map[string]string{
	"accepted": bold + "\x1b[32m",
	"refused":  bold + "\x1b[31m",
	"passed":   "\x1b[32m",
	"failed":   bold + "\x1b[31m",
	"warning":  "\x1b[33m",
	"skipped":  "\x1b[2m",
	"unsigned": "\x1b[2m",
	"trace":    bold,
}

// paint colours the first word of each line, and the whole of a hint.
func paint(text string, really bool) string {
	if !really {
		return text
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		word, _, _ := strings.Cut(line, " ")
		switch colour := colours[word]; {
		case colour != "":
			b.WriteString(colour + word + reset + line[len(word):])
		case strings.HasPrefix(strings.TrimSpace(line), "→"):
			b.WriteString("\x1b[36m" + line + reset)
		default:
			b.WriteString(line)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
