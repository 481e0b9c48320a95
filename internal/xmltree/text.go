package xmltree

import (
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	cdataStart = "<![CDATA["
	cdataEnd   = "]]>"

	// maxReference bounds a reference, "&" and ";" included. XML does not: a
	// character may have any number of leading zeros.
	maxReference = 24
)

// text reads a run of text, with the CDATA sections in it, into one token, so
// that no later step can take a part of a value for the whole.
func (p *parser) text() error {
	at := p.pos
	p.whole, p.buf = "", p.buf[:0]
	for p.pos < len(p.src) {
		rest := p.src[p.pos:]
		var err error
		switch {
		case rest[0] != '<':
			err = p.plain(rest)
		case strings.HasPrefix(rest, cdataStart):
			err = p.cdata(rest)
		default:
			return p.addText(at)
		}
		if err != nil {
			return err
		}
	}
	return p.addText(at)
}

// plain reads text up to the next markup.
func (p *parser) plain(rest string) error {
	n := strings.IndexByte(rest, '<')
	if n < 0 {
		n = len(rest)
	}
	run, at := rest[:n], p.pos
	if i := strings.Index(run, cdataEnd); i >= 0 {
		return p.fail(at+i, "]]> in text")
	}
	p.pos += n
	i := strings.IndexByte(run, '&')
	if i < 0 {
		p.add(run)
		return nil
	}
	p.spill()
	p.buf = slices.Grow(p.buf, len(run)) // a reference is longer than its character
	for i >= 0 {
		p.buf = append(p.buf, run[:i]...)
		size, err := p.reference(at + i)
		if err != nil {
			return err
		}
		run, at = run[i+size:], at+i+size
		i = strings.IndexByte(run, '&')
	}
	p.buf = append(p.buf, run...)
	return nil
}

func (p *parser) cdata(rest string) error {
	body := rest[len(cdataStart):]
	n := strings.Index(body, cdataEnd)
	if n < 0 {
		return p.fail(p.pos, "a CDATA section does not end")
	}
	p.pos += len(cdataStart) + n + len(cdataEnd)
	p.add(body[:n])
	return nil
}

// add appends to the run: one piece stays a part of src, more are copied.
func (p *parser) add(piece string) {
	if p.whole == "" && len(p.buf) == 0 {
		p.whole = piece
		return
	}
	p.spill()
	p.buf = append(p.buf, piece...)
}

func (p *parser) spill() {
	p.buf = append(p.buf, p.whole...)
	p.whole = ""
}

// addText makes the token of a run that began at an offset.
func (p *parser) addText(at int) error {
	value := p.whole
	if len(p.buf) > 0 {
		value = string(p.buf)
	}
	if value == "" {
		return nil
	}
	if err := p.node(at); err != nil {
		return err
	}
	t := &p.texts.take(1)[0]
	t.SetData(value)
	p.done = append(p.done, t)
	return nil
}

// reference appends to p.buf what the reference at an offset stands for, and
// returns its size. There are only characters and the five predefined entities:
// nothing is declared, so nothing expands.
func (p *parser) reference(at int) (size int, err error) {
	s := p.src[at:min(at+maxReference, len(p.src))]
	end := strings.IndexByte(s, ';')
	if end < 0 {
		return 0, p.fail(at, "& begins no reference of at most %d bytes", maxReference)
	}
	name := s[1:end]
	switch name {
	case "lt":
		p.buf = append(p.buf, '<')
	case "gt":
		p.buf = append(p.buf, '>')
	case "amp":
		p.buf = append(p.buf, '&')
	case "quot":
		p.buf = append(p.buf, '"')
	case "apos":
		p.buf = append(p.buf, '\'')
	default:
		if !strings.HasPrefix(name, "#") {
			return 0, p.badEntity(at, name)
		}
		r, ok := charNumber(name[1:])
		if !ok {
			return 0, p.fail(at, "a character reference is not a number")
		}
		if !isChar(r) {
			return 0, p.fail(at, "a character reference to no character that XML 1.0 allows")
		}
		p.buf = utf8.AppendRune(p.buf, r)
	}
	return end + 1, nil
}

func (p *parser) badEntity(at int, name string) error {
	// A bare & and a ; soon after hold text between them, which stays out of
	// the error.
	if end, colon, ok := scanName(name, 0); !ok || colon >= 0 || end != len(name) {
		return p.fail(at, "& begins no reference")
	}
	return p.fail(at, "entity %s is not declared; only lt, gt, amp, quot and apos are", quote(name))
}

// charNumber reads what stands between "&#" and ";". A number too large is no
// character, whatever its digits.
func charNumber(s string) (r rune, ok bool) {
	base := rune(10)
	if strings.HasPrefix(s, "x") {
		base, s = 16, s[1:]
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		var d rune
		switch {
		case '0' <= c && c <= '9':
			d = rune(c - '0')
		case base == 16 && 'a' <= c|0x20 && c|0x20 <= 'f':
			d = rune(c|0x20-'a') + 10
		default:
			return 0, false
		}
		if r = r*base + d; r > utf8.MaxRune {
			r = utf8.MaxRune + 1
		}
	}
	return r, s != ""
}

// comment reads a comment. Outside the root element it leaves no trace.
func (p *parser) comment() error {
	at := p.pos
	body := p.src[at+len("<!--"):]
	n := strings.Index(body, "--")
	switch {
	case n < 0:
		return p.fail(at, "a comment does not end")
	case !strings.HasPrefix(body[n:], "-->"):
		return p.fail(at+len("<!--")+n, "-- inside a comment")
	}
	p.pos = at + len("<!--") + n + len("-->")
	if err := p.node(at); err != nil {
		return err
	}
	if len(p.open) > 0 {
		c := &p.comments.take(1)[0]
		c.Data = body[:n]
		p.done = append(p.done, c)
	}
	return nil
}
