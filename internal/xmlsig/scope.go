package xmlsig

// binding is one prefix that occurred: what it means at the current element,
// and what the output has last said about it on the way there.
type binding struct {
	prefix   string
	uri      string // "" is none
	rendered string
}

// change is what leaving an element puts back.
type change struct {
	slot          int
	uri, rendered string
}

// scope is the namespace context of a walk. Entering an element costs as much
// as it declares and uses, never as much as is in scope: copying the context,
// or searching the ancestors, makes declarations × depth quadratic.
type scope struct {
	bound []binding      // by slot
	index map[string]int // prefix to slot, once there are many
	log   []change

	first [12]binding // what bound and log need for most documents
	undo  [24]change
}

// maxLinear is how many prefixes are searched one by one.
const maxLinear = 12

func (s *scope) reset() {
	s.bound, s.log, s.index = s.first[:1], s.undo[:0], nil
	s.first[slotXML] = binding{"xml", xmlSpace, xmlSpace} // never declared
}

const slotXML = 0

func (s *scope) slot(prefix string) int {
	if s.index != nil {
		if i, ok := s.index[prefix]; ok {
			return i
		}
	} else {
		for i := range s.bound {
			if s.bound[i].prefix == prefix {
				return i
			}
		}
	}
	i := len(s.bound)
	s.bound = append(s.bound, binding{prefix: prefix})
	switch {
	case s.index != nil:
		s.index[prefix] = i
	case i >= maxLinear:
		s.index = make(map[string]int, 4*maxLinear)
		for j := range s.bound {
			s.index[s.bound[j].prefix] = j
		}
	}
	return i
}

// declare binds the prefix until leave.
func (s *scope) declare(prefix, uri string) int {
	i := s.slot(prefix)
	b := &s.bound[i]
	s.log = append(s.log, change{i, b.uri, b.rendered})
	b.uri = uri
	return i
}

// render notes that the output now says what the slot means.
func (s *scope) render(i int) {
	b := &s.bound[i]
	s.log = append(s.log, change{i, b.uri, b.rendered})
	b.rendered = b.uri
}

// mark and leave enclose an element.
func (s *scope) mark() int { return len(s.log) }

func (s *scope) leave(mark int) {
	for n := len(s.log); n > mark; n-- {
		c := &s.log[n-1]
		b := &s.bound[c.slot]
		b.uri, b.rendered = c.uri, c.rendered
	}
	s.log = s.log[:mark]
}
