package xmlsig

import "io"

const bufSize = 2048

// output writes escaped text through a small buffer.
type output struct {
	w       io.Writer
	err     error
	buf     []byte // all of it; n bytes are waiting
	n       int
	flushed int
}

func (o *output) reset(w io.Writer) {
	if o.buf == nil {
		o.buf = make([]byte, bufSize)
	}
	o.w, o.err, o.n, o.flushed = w, nil, 0, 0
}

// size is how many bytes were written.
func (o *output) size() int { return o.flushed + o.n }

func (o *output) flush() error {
	if o.err == nil && o.n > 0 {
		_, o.err = o.w.Write(o.buf[:o.n])
	}
	o.flushed += o.n
	o.n = 0
	return o.err
}

func (o *output) str(s string) {
	if room := o.buf[o.n:]; len(s) <= len(room) {
		o.n += copy(room, s)
	} else {
		o.long(s)
	}
}

func (o *output) byte(c byte) {
	if o.n == len(o.buf) {
		_ = o.flush() // the error stays in o.err
	}
	o.buf[o.n] = c
	o.n++
}

func (o *output) long(s string) {
	for {
		n := copy(o.buf[o.n:], s)
		o.n += n
		if s = s[n:]; s == "" {
			return
		}
		_ = o.flush() // the error stays in o.err
	}
}

func (o *output) name(space, local string) {
	if space != "" {
		o.str(space)
		o.byte(':')
	}
	o.str(local)
}

// Which bytes are escaped in text and in attribute values.
//
// Specification: Canonical XML 1.0, 2.3.
const (
	inText  = 1
	inValue = 2
)

var special = [256]uint8{
	'&': inText | inValue, '<': inText | inValue, '\r': inText | inValue,
	'>': inText,
	'"': inValue, '\t': inValue, '\n': inValue,
}

func (o *output) text(s string)  { o.escape(s, inText) }
func (o *output) value(s string) { o.escape(s, inValue) }

func (o *output) escape(s string, where uint8) {
	start := 0
	for i := 0; i < len(s); i++ {
		if special[s[i]]&where == 0 {
			continue
		}
		o.str(s[start:i])
		start = i + 1
		switch s[i] {
		case '&':
			o.str("&amp;")
		case '<':
			o.str("&lt;")
		case '>':
			o.str("&gt;")
		case '"':
			o.str("&quot;")
		case '\t':
			o.str("&#x9;")
		case '\n':
			o.str("&#xA;")
		case '\r':
			o.str("&#xD;")
		}
	}
	o.str(s[start:])
}
