package xmltree

import "strings"

const declStart = "<?xml"

func isDeclaration(rest string) bool {
	return strings.HasPrefix(rest, declStart) && len(rest) > len(declStart) && class[rest[len(declStart)]]&white != 0
}

// declaration reads the XML declaration, if there is one (XML 1.0, productions
// 23 to 26, 32, 80 and 81).
func (p *parser) declaration() error {
	if !isDeclaration(p.src[p.pos:]) {
		return nil
	}
	at := p.pos
	p.pos += len(declStart)
	version, ok := p.pseudo("version")
	if !ok {
		return p.fail(p.pos, "the XML declaration must begin with a version")
	}
	if version != "1.0" {
		return p.fail(at, "only XML version 1.0 is taken")
	}
	if encoding, ok := p.pseudo("encoding"); ok && !strings.EqualFold(encoding, "UTF-8") {
		return p.fail(at, "the declared encoding is not UTF-8, the only one taken")
	}
	if standalone, ok := p.pseudo("standalone"); ok && standalone != "yes" && standalone != "no" {
		return p.fail(at, "standalone must be yes or no")
	}
	p.skipSpace()
	if !strings.HasPrefix(p.src[p.pos:], "?>") {
		return p.fail(p.pos, "the XML declaration holds something else than version, encoding and standalone, in this order")
	}
	p.pos += 2
	return nil
}

// pseudo reads one pseudo-attribute, with the white space before it. If it is
// not there the position stays.
func (p *parser) pseudo(name string) (value string, ok bool) {
	start := p.pos
	if p.skipSpace() && strings.HasPrefix(p.src[p.pos:], name) {
		p.pos += len(name)
		p.skipSpace()
		if p.pos < len(p.src) && p.src[p.pos] == '=' {
			p.pos++
			p.skipSpace()
			if value, ok := p.quoted(); ok {
				return value, true
			}
		}
	}
	p.pos = start
	return "", false
}

func (p *parser) quoted() (value string, ok bool) {
	if p.pos == len(p.src) || p.src[p.pos] != '"' && p.src[p.pos] != '\'' {
		return "", false
	}
	rest := p.src[p.pos+1:]
	n := strings.IndexByte(rest, p.src[p.pos])
	if n < 0 {
		return "", false
	}
	p.pos += n + 2
	return rest[:n], true
}
