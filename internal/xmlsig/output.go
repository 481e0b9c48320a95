package xmlsig

import "io"

const bufSize = 2048

// output writes escaped text through a small buffer.
type output struct {
	w       io.Writer
	err     error
	buf     []byte
	flushed int
}

func (o *output) reset(w io.Writer) {
	if o.buf == nil {
		o.buf = make([]byte, 0, bufSize)
	}
	o.w, o.err, o.buf, o.flushed = w, nil, o.buf[:0], 0
}

// size is how many bytes were written.
func (o *output) size() int { return o.flushed + len(o.buf) }

func (o *output) flush() error {
	if o.err == nil && len(o.buf) > 0 {
		_, o.err = o.w.Write(o.buf)
	}
	o.flushed += len(o.buf)
	o.buf = o.buf[:0]
	return o.err
}

func (o *output) str(s string) {
	for len(s) > cap(o.buf)-len(o.buf) {
		n := cap(o.buf) - len(o.buf)
		o.buf = append(o.buf, s[:n]...)
		s = s[n:]
		_ = o.flush() // the error stays in o.err
	}
	o.buf = append(o.buf, s...)
}

func (o *output) name(space, local string) {
	if space != "" {
		o.str(space)
		o.str(":")
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
