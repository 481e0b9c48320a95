package xmltree

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// Classes of ASCII bytes.
const (
	nameStart = 1 << iota // may begin an NCName
	nameChar              // may continue one
	white                 // XML white space
	special               // cannot stand in an attribute value as it is, or ends it
	uriChar               // may stand after the scheme of a URI, besides % # [ ]
)

var class = func() (t [256]uint8) {
	for c := 'a'; c <= 'z'; c++ {
		t[c] = nameStart | nameChar | uriChar
		t[c-'a'+'A'] = t[c]
	}
	t['_'] = nameStart | nameChar
	for _, c := range "0123456789-." {
		t[c] = nameChar
	}
	t[' '], t['\t'], t['\n'], t['\r'] = white, white|special, white|special, white|special
	t['"'], t['\''], t['<'], t['&'] = special, special, special, special
	for _, c := range "0123456789-._~:/?@!$&'()*+,;=" {
		t[c] |= uriChar
	}
	return t
}()

// nameRanges are the NameStartChars beyond ASCII (XML 1.0, production 4).
var nameRanges = [...][2]rune{
	{0xC0, 0xD6}, {0xD8, 0xF6}, {0xF8, 0x2FF}, {0x370, 0x37D}, {0x37F, 0x1FFF},
	{0x200C, 0x200D}, {0x2070, 0x218F}, {0x2C00, 0x2FEF}, {0x3001, 0xD7FF},
	{0xF900, 0xFDCF}, {0xFDF0, 0xFFFD}, {0x10000, 0xEFFFF},
}

func isNameRune(r rune, first bool) bool {
	for _, n := range nameRanges {
		if r < n[0] {
			break
		}
		if r <= n[1] {
			return true
		}
	}
	// What production 4a adds.
	return !first && (r == 0xB7 || 0x300 <= r && r <= 0x36F || r == 0x203F || r == 0x2040)
}

// scanName reads the QName at s[i:]. It returns where the name ends and where
// its colon is (-1 without one); ok is false if there is no name, or one with
// an empty part or more than one colon (Namespaces in XML, production 7).
func scanName(s string, i int) (end, colon int, ok bool) {
	colon = -1
	first := true
	for i < len(s) {
		c := s[i]
		switch {
		case class[c]&nameStart != 0, !first && class[c]&nameChar != 0:
			for i++; i < len(s) && class[s[i]]&nameChar != 0; i++ {
			}
			first = false
			continue
		case c == ':' && !first && colon < 0:
			colon = i
			i++
			first = true
			continue
		case c == ':':
			return i, colon, false
		case c >= utf8.RuneSelf:
			if r, n := utf8.DecodeRuneInString(s[i:]); isNameRune(r, first) {
				i += n
				first = false
				continue
			}
		}
		break
	}
	return i, colon, !first
}

// isChar tells whether r is a Char (XML 1.0, production 2).
func isChar(r rune) bool {
	switch {
	case r < 0x20:
		return r == '\t' || r == '\n' || r == '\r'
	case r < 0xD800:
		return true
	}
	return 0xE000 <= r && r <= 0xFFFD || 0x10000 <= r && r <= utf8.MaxRune
}

// firstBadChar returns the offset of the first byte that is not part of a legal
// character in UTF-8, or -1. It looks at the whole input, so that no later step
// has a place (a comment, CDATA, white space) where it could forget to.
func firstBadChar(data []byte) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	i := 0
	for i < len(data) {
		// Eight bytes from 0x20 to 0x7F at a time: subtracting 0x20 sets the
		// high bit of a smaller byte.
		for i+8 <= len(data) {
			w := binary.LittleEndian.Uint64(data[i:])
			if (w|(w-0x20*ones))&high != 0 {
				break
			}
			i += 8
		}
		for end := min(i+8, len(data)); i < end; {
			if c := data[i]; c < utf8.RuneSelf {
				if c < 0x20 && class[c]&white == 0 {
					return i
				}
				i++
				continue
			}
			r, n := utf8.DecodeRune(data[i:])
			if r == utf8.RuneError && n == 1 || !isChar(r) {
				return i
			}
			i += n
		}
	}
	return -1
}

// normalizeEOL copies data into a string, CRLF and lone CR made LF (XML 1.0,
// 2.11). Done before anything else, so that a CR in the tree can only come from
// a character reference.
func normalizeEOL(data []byte) string {
	s := string(data)
	if strings.IndexByte(s, '\r') < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for s != "" {
		n := strings.IndexByte(s, '\r')
		if n < 0 {
			n = len(s)
		}
		b.WriteString(s[:n])
		for s = s[n:]; s != "" && s[0] == '\r'; {
			b.WriteByte('\n')
			s = strings.TrimPrefix(s[1:], "\n")
		}
	}
	return b.String()
}

// position turns what lies before an offset into a line and a column.
func position(before string) (line, column int) {
	line, start := 1, 0
	for i := 0; i < len(before); i++ {
		switch before[i] {
		case '\r':
			if i+1 < len(before) && before[i+1] == '\n' {
				continue
			}
			fallthrough
		case '\n':
			line++
			start = i + 1
		}
	}
	return line, len(before) - start + 1
}
