package ssotest

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"math/big"
	"strings"

	"github.com/beevik/etree"
)

// rawValues: SignatureValue is not one signature.
func rawValues(g *gallery) []attack {
	var all []attack
	value := func(s *etree.Element) *etree.Element { return path(s, "SignatureValue") }
	raw := func(s *etree.Element) []byte {
		b, _ := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(value(s).Text()), ""))
		return b
	}
	put := func(s *etree.Element, b []byte) { value(s).SetText(base64.StdEncoding.EncodeToString(b)) }
	for name, f := range map[string]func(s *etree.Element){
		"empty":      func(s *etree.Element) { hollow(value(s)) },
		"blank":      func(s *etree.Element) { value(s).SetText(" ") },
		"doubled":    func(s *etree.Element) { s.InsertChildAt(value(s).Index(), value(s).Copy()) },
		"truncated":  func(s *etree.Element) { put(s, raw(s)[1:]) },
		"longer":     func(s *etree.Element) { put(s, append(raw(s), 0)) },
		"zeros":      func(s *etree.Element) { put(s, make([]byte, len(raw(s)))) },
		"one":        func(s *etree.Element) { b := make([]byte, len(raw(s))); b[len(b)-1] = 1; put(s, b) },
		"ones":       func(s *etree.Element) { put(s, []byte(strings.Repeat("\xff", len(raw(s))))) },
		"random":     func(s *etree.Element) { b := make([]byte, len(raw(s))); _, _ = rand.Read(b); put(s, b) },
		"one-bit":    func(s *etree.Element) { b := raw(s); b[len(b)/2] ^= 1; put(s, b) },
		"huge":       func(s *etree.Element) { put(s, make([]byte, 100_000)) },
		"not-base64": func(s *etree.Element) { value(s).SetText("*") },
		"split":      func(s *etree.Element) { t := value(s).Text(); pieces(value(s), t[:8], etree.NewElement("ds:X"), t[8:]) },
		"instruction": func(s *etree.Element) {
			t := value(s).Text()
			pieces(value(s), t[:8], etree.NewProcInst("x", "y"), t[8:])
		},
		"digest": func(s *etree.Element) { value(s).SetText(path(s, "SignedInfo", "Reference", "DigestValue").Text()) },
	} {
		all = append(all, onBoth(name, false, hooks{after: m1(f)})...)
	}
	if k, ok := g.idp.key.Certificate.PublicKey.(*rsa.PublicKey); ok {
		// s+n verifies too where nobody looks at the range.
		all = append(all, onBoth("plus-modulus", false, hooks{after: m1(func(s *etree.Element) { put(s, new(big.Int).Add(new(big.Int).SetBytes(raw(s)), k.N).Bytes()) })})...)
	}
	return sorted(all)
}
