package ssotest

import (
	"bytes"
	"cmp"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"io"
	"slices"
	"strings"
	"unicode/utf16"
)

// sorted puts what came from a map in an order.
func sorted(all []attack) []attack {
	slices.SortFunc(all, func(a, b attack) int { return cmp.Compare(a.name, b.name) })
	return all
}

func declaration(charset string) string {
	return `<?xml version="1.0" encoding="` + charset + `"?>`
}

// charset: the document says that it is in another encoding than UTF-8, truly or
// not.
func charsets(*gallery) []attack {
	o := Options{Sign: SignAssertion}
	honest := hooks{written: func(b []byte) []byte { return append([]byte(declaration("UTF-8")), b...) }}
	var all []attack
	for _, name := range []string{"UTF-16", "UTF-16LE", "UTF-32", "UTF-7", "ISO-8859-1", "windows-1251", "windows-1252", "US-ASCII", "IBM037", "EBCDIC-CP-US", "Shift_JIS", "GB18030",
		"x-user-defined", "utf8", "CESU-8", "", " UTF-8"} {
		all = append(all, attack{name: "declared/" + name, control: "UTF-8", o: o, honest: honest,
			forged: hooks{written: func(b []byte) []byte { return append([]byte(declaration(name)), b...) }}})
	}
	wide := func(order binary.AppendByteOrder, mark bool) func([]byte) []byte {
		return func(b []byte) []byte {
			var out []byte
			if mark {
				out = order.AppendUint16(out, 0xfeff)
			}
			for _, u := range utf16.Encode([]rune(declaration("UTF-16") + string(b))) {
				out = order.AppendUint16(out, u)
			}
			return out
		}
	}
	for name, f := range map[string]func([]byte) []byte{
		"utf-16-le":           wide(binary.LittleEndian, true),
		"utf-16-be":           wide(binary.BigEndian, true),
		"utf-16-le-unmarked":  wide(binary.LittleEndian, false),
		"utf-16-be-unmarked":  wide(binary.BigEndian, false),
		"utf-7":               func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("<"), []byte("+ADw-")) },
		"mark-twice":          func(b []byte) []byte { return append([]byte("\xef\xbb\xbf\xef\xbb\xbf"), b...) },
		"mark-and-declared":   func(b []byte) []byte { return append([]byte("\xef\xbb\xbf"+declaration("ISO-8859-1")), b...) },
		"version-1.1":         func(b []byte) []byte { return append([]byte(`<?xml version="1.1"?>`), b...) },
		"declared-late":       func(b []byte) []byte { return append([]byte("\n"+declaration("UTF-8")), b...) },
		"declared-twice":      func(b []byte) []byte { return append([]byte(declaration("UTF-8")+declaration("UTF-8")), b...) },
		"declared-inside":     inRoot(declaration("UTF-8")),
		"standalone-nonsense": func(b []byte) []byte { return append([]byte(`<?xml version="1.0" standalone="maybe"?>`), b...) },
	} {
		all = append(all, attack{name: "written/" + name, control: "UTF-8", o: o, honest: honest, forged: hooks{written: f}})
	}
	return sorted(all)
}

// inRoot writes behind the start tag of the Response.
func inRoot(text string) func([]byte) []byte {
	return func(b []byte) []byte {
		at := bytes.IndexByte(b, '>') + 1
		return slices.Concat(b[:at], []byte(text), b[at:])
	}
}

// forbiddenBytes: what no XML document may hold, in a value and where nothing is
// signed.
func forbiddenBytes(g *gallery) []attack {
	var all []attack
	for name, bad := range map[string]string{
		"nul": "\x00", "control": "\x01", "escape": "\x1b", "vertical-tab": "\v", "lone-continuation": "\x80", "latin-1": "\xe9", "overlong-slash": "\xc0\xaf", "overlong-nul": "\xc0\x80",
		"overlong-three": "\xe0\x80\xaf", "surrogate": "\xed\xa0\x80", "surrogate-pair": "\xed\xa0\xbd\xed\xb8\x80", "beyond-unicode": "\xf4\x90\x80\x80", "cut": "\xf0\x9f\x98", "ff": "\xff",
		"fffe": "\uFFFE", "ffff": "\uFFFF",
		"reference-nul": "&#0;", "reference-control": "&#1;", "reference-surrogate": "&#xD800;", "reference-fffe": "&#xFFFE;", "reference-beyond": "&#x110000;", "reference-huge": "&#99999999999999999999;",
		"reference-empty": "&#;", "reference-hex-empty": "&#x;", "reference-sign": "&#+65;", "reference-unended": "&#65", "entity-unknown": "&nbsp;", "entity-empty": "&;", "ampersand": "& ",
	} {
		for _, where := range []string{"name-id", "comment", "extensions", "attribute", "behind"} {
			if where == "comment" && strings.HasPrefix(bad, "&") {
				continue // means nothing there
			}
			place := func(what string) hooks {
				return hooks{written: func(b []byte) []byte { return g.writeAt(b, where, what) }}
			}
			all = append(all, attack{name: where + "/" + name, control: where, o: Options{Sign: SignAssertion}, forged: place(bad), honest: place("")})
		}
	}
	return sorted(all)
}

// writeAt puts text into one of a few places of a document. Only the name is
// signed.
func (g *gallery) writeAt(b []byte, where, text string) []byte {
	switch where {
	case "name-id":
		return bytes.Replace(b, []byte(g.account+"</saml:NameID>"), []byte(g.account+text+"</saml:NameID>"), 1)
	case "comment":
		return inRoot("<!--x" + text + "y-->")(b)
	case "extensions":
		return bytes.Replace(b, []byte("<samlp:Status>"), []byte(`<samlp:Extensions><x:X xmlns:x="urn:example:x">`+text+`</x:X></samlp:Extensions><samlp:Status>`), 1)
	case "attribute":
		return inRootTag(`Consent="urn:example:consent` + text + `"`)(b)
	}
	return append(bytes.Clone(b), "\n"+text...)
}

// formValues: what is posted is not the base64 of a document.
func formValues(*gallery) []attack {
	decoded := func(s string) []byte {
		b, _ := base64.StdEncoding.DecodeString(s) // it was encoded a moment ago
		return b
	}
	packed := func(open func(io.Writer) io.WriteCloser) func(string) string {
		return func(s string) string {
			var b bytes.Buffer
			w := open(&b)
			_, _ = w.Write(decoded(s))
			_ = w.Close()
			return base64.StdEncoding.EncodeToString(b.Bytes())
		}
	}
	var all []attack
	for name, f := range map[string]func(string) string{
		"empty":     func(string) string { return "" },
		"blank":     func(string) string { return " \r\n" },
		"plain-xml": func(s string) string { return string(decoded(s)) },
		"url-alphabet": func(s string) string {
			return base64.URLEncoding.EncodeToString(append(decoded(s), "<!--\xfb\xff\xfe-->"...))
		},
		"unpadded":      func(s string) string { return strings.TrimRight(padded(decoded(s)), "=") },
		"padded-twice":  func(s string) string { return s + "==" },
		"padding-first": func(s string) string { return "==" + s },
		"padding-bits": func(s string) string {
			p := padded(decoded(s))
			at := strings.IndexByte(p, '=')
			return p[:at-1] + string(p[at-1]+1) + p[at:]
		},
		"garbage-inside":  func(s string) string { return s[:40] + "*" + s[40:] },
		"garbage-behind":  func(s string) string { return s + "*" },
		"nul-behind":      func(s string) string { return s + "\x00" },
		"percent-escaped": func(s string) string { return strings.ReplaceAll(s[:len(s)-4], "A", "%41") },
		"encoded-twice":   func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"concatenated":    func(s string) string { return padded(decoded(s)) + s },
		"hex":             func(s string) string { return "3c73616d6c70" },
		"deflated": packed(func(w io.Writer) io.WriteCloser {
			d, _ := flate.NewWriter(w, 9) // the level is valid
			return d
		}),
		"gzipped": packed(func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }),
		"zlib":    packed(func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }),
	} {
		all = append(all, attack{name: name, control: "broken-into-lines", o: Options{Sign: SignAssertion}, forged: hooks{posted: f},
			honest: hooks{posted: func(s string) string { return s[:76] + "\r\n" + s[76:] }}})
	}
	return sorted(all)
}

// padded is base64 that ends in an equals sign: blanks behind a document mean
// nothing.
func padded(document []byte) string {
	for len(document)%3 != 1 {
		document = append(document, ' ')
	}
	return base64.StdEncoding.EncodeToString(document)
}
