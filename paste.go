package sso

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"html"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"
)

// Limits of the text that certificates are read from, in bytes.
const (
	maxPaste  = 64 << 10 // by a person
	maxStored = 1 << 20  // by ourselves
)

// pasted says what a text, or a piece of it, turned out to be.
type pasted int

const (
	pasteCertificate pasted = iota
	pasteEmpty
	pasteTooLong
	pasteTooMany
	pastePrivateKey
	pasteRequest
	pastePKCS7
	pastePublicKey
	pasteRevocationList
	pasteFingerprint
	pasteXML
	pasteURL
	pasteCut
	pasteBroken
	pasteOther
)

// pasteErrors are the words for what is not a certificate. They repeat nothing
// of the text: it may be a secret.
var pasteErrors = map[pasted]FieldError{
	pasteEmpty:   {Problem: "is empty", Hint: "paste the X.509 certificate from the identity provider"},
	pasteTooLong: {Problem: "is too long for certificates", Hint: "paste only the signing certificate of the identity provider"},
	pasteTooMany: {Problem: "holds too many certificates", Hint: "paste only the signing certificates of the identity provider, at most 20"},
	pastePrivateKey: {Problem: "holds a private key, which must never leave the identity provider",
		Hint: "replace that key at the identity provider, since others may have seen it now; then paste only the new certificate"},
	pasteRequest:        {Problem: "is a certificate signing request", Hint: "paste the certificate (-----BEGIN CERTIFICATE-----) that the identity provider signs with"},
	pastePKCS7:          {Problem: "is a PKCS #7 bundle", Hint: "export the signing certificate alone, as PEM or Base64 X.509 (.cer), and paste that"},
	pastePublicKey:      {Problem: "is a bare public key", Hint: "paste the X.509 certificate (-----BEGIN CERTIFICATE-----) instead"},
	pasteRevocationList: {Problem: "is a revocation list", Hint: "paste the X.509 certificate (-----BEGIN CERTIFICATE-----) instead"},
	pasteFingerprint:    {Problem: "is only the fingerprint of a certificate", Hint: "paste the whole X.509 certificate"},
	pasteXML:            {Problem: "is XML", Hint: "if it is the identity provider's metadata, import it as metadata; else paste only the certificate"},
	pasteURL:            {Problem: "is an address", Hint: "if it is the identity provider's metadata, import it as metadata; else open it and paste the certificate"},
	pasteCut:            {Problem: "is a certificate of which a part is missing", Hint: "copy the whole text again, from BEGIN CERTIFICATE to END CERTIFICATE"},
	pasteBroken:         {Problem: "is a damaged certificate", Hint: "download the certificate again and paste it unchanged"},
	pasteOther:          {Problem: "is not a certificate", Hint: "paste the X.509 certificate from the identity provider, as PEM or base64"},
}

func certificateError(p pasted) error {
	e := pasteErrors[p]
	e.Field = "IdP.Certificates"
	return &e
}

// readCertificates returns all certificates of the text, at least one.
func readCertificates(text string) (Certificates, error) {
	r := pasteReader{}
	binary := len(text) > 1 && text[0] == 0x30 && text[1] >= 0x80 // as DER of that length begins
	if !binary || !r.der([]byte(text), false) {
		r.text(text, 0)
	}
	switch {
	case r.found[pastePrivateKey]:
		return nil, certificateError(pastePrivateKey)
	case r.fault != pasteCertificate:
		return nil, certificateError(r.fault)
	case len(r.certs) == 0:
		return nil, certificateError(r.best())
	}
	return r.certs, nil
}

// pasteReader gathers what a text holds.
type pasteReader struct {
	certs Certificates
	found [pasteOther + 1]bool
	fault pasted // a certificate that could not be read
}

// best is the most telling of the things found in place of a certificate.
func (r *pasteReader) best() pasted {
	for p := pasteEmpty; p < pasteOther; p++ {
		if r.found[p] {
			return p
		}
	}
	return pasteOther
}

// pemMarker finds the lines around PEM, also where blanks came into them, went
// missing, or the dashes at the end did. Five dashes end a line at most: the
// next line may follow without a line end.
var pemMarker = regexp.MustCompile(`(?i)(?:-[ \t]*)+(BEGIN|END)\s*(?:([A-Z0-9.#\s]{0,40}?)\s*(?:-[ \t]*){1,5}|([A-Z0-9. \t]{0,40}?)[ \t]*(?:[\r\n]|$))`)

func (r *pasteReader) text(text string, depth int) {
	text = unescapePaste(text)
	if holdsPrivateKey(text) {
		r.found[pastePrivateKey] = true
		return
	}
	trimmed := strings.TrimSpace(text)
	if trimmed == "" {
		r.found[pasteEmpty] = true
		return
	}
	if p := notBase64(trimmed); p != pasteOther {
		r.found[p] = true
		return
	}
	label, at := "", 0
	for _, m := range pemMarker.FindAllStringSubmatchIndex(text, -1) {
		name := submatch(text, m, 2) + submatch(text, m, 3)
		if strings.EqualFold(submatch(text, m, 1), "BEGIN") {
			r.block(label, text[at:m[0]], depth)
			label = name
		} else {
			r.block(name, text[at:m[0]], depth)
			label = ""
		}
		at = m[1]
	}
	r.block(label, text[at:], depth)
}

func submatch(s string, m []int, i int) string {
	if m[2*i] < 0 {
		return ""
	}
	return s[m[2*i]:m[2*i+1]]
}

// block reads the base64 between two markers. Text without a label may be
// anything, such as the comments that OpenSSL writes between certificates.
func (r *pasteReader) block(label, body string, depth int) {
	name := strings.ToUpper(strings.Join(strings.Fields(label), ""))
	labelled := name == "CERTIFICATE" || name == "X509CERTIFICATE" || name == "X.509CERTIFICATE" || name == "TRUSTEDCERTIFICATE"
	if strings.TrimSpace(body) == "" {
		return
	}
	data, ok := decodeBlock(body)
	switch {
	case ok && depth == 0 && strings.Contains(string(data[:min(len(data), 100)]), "-----BEGIN "):
		r.text(string(data), depth+1) // PEM in base64, as Kubernetes has it
	case ok && r.der(data, labelled):
	case labelled:
		r.fault = pasteBroken
	default:
		r.found[labelKind(name)] = true
	}
}

func labelKind(name string) pasted {
	switch {
	case strings.HasSuffix(name, "CERTIFICATEREQUEST"):
		return pasteRequest
	case strings.HasPrefix(name, "PKCS7") || strings.HasPrefix(name, "PKCS#7") || name == "CMS":
		return pastePKCS7
	case strings.HasSuffix(name, "PUBLICKEY"):
		return pastePublicKey
	case strings.HasSuffix(name, "CRL"):
		return pasteRevocationList
	}
	return pasteOther
}

// decodeBlock decodes base64 in any alphabet, broken anywhere, padded or not.
// Several values may follow one another. Lines with a colon are not base64.
func decodeBlock(body string) ([]byte, bool) {
	var b strings.Builder
	for line := range strings.Lines(body) {
		if strings.Contains(line, ":") {
			continue
		}
		for _, c := range []byte(line) {
			switch c {
			case ' ', '\t', '\r', '\n', '\v', '\f':
			case ',', ';', '|':
				b.WriteByte('=')
			case '-':
				b.WriteByte('+')
			case '_':
				b.WriteByte('/')
			default:
				b.WriteByte(c)
			}
		}
	}
	var data []byte
	for part := range strings.SplitSeq(b.String(), "=") {
		var err error
		if data, err = base64.RawStdEncoding.AppendDecode(data, []byte(part)); err != nil {
			return nil, false
		}
	}
	return data, len(data) > 0
}

// der reads values in DER that follow one another. It says whether it could
// tell what they are.
func (r *pasteReader) der(data []byte, labelled bool) bool {
	for begun := false; len(data) > 0; begun = true {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(data, &v)
		if err != nil || v.Class != asn1.ClassUniversal || v.Tag != asn1.TagSequence || !v.IsCompound {
			switch {
			case derCut(data):
				r.fault = pasteCut
			case begun:
				r.fault = pasteBroken
			}
			return r.fault != pasteCertificate
		}
		data = rest
		cert, err := parseCertificate(v.FullBytes)
		if err == nil {
			r.certs = append(r.certs, cert)
			if labelled && derTrusted(rest) {
				return true
			}
			continue
		}
		kind := derKind(v)
		r.found[kind] = true
		if kind == pasteBroken || kind == pasteOther && labelled {
			r.fault = pasteBroken
		}
		if kind == pasteOther {
			return labelled
		}
	}
	return true
}

// derTrusted says whether what follows a certificate is the trust settings of
// OpenSSL's TRUSTED CERTIFICATE.
func derTrusted(rest []byte) bool {
	var v asn1.RawValue
	_, err := asn1.Unmarshal(rest, &v)
	return len(rest) > 0 && err == nil && len(v.FullBytes) < 1000 && derKind(v) == pasteOther
}

// derCut says whether data begins as a certificate does and ends too soon.
func derCut(data []byte) bool {
	return len(data) >= 100 && data[0] == 0x30 && data[1] == 0x82 && 4+int(data[2])<<8+int(data[3]) > len(data)
}

// derKind tells what a SEQUENCE is that is not a readable certificate, by its
// first members.
func derKind(v asn1.RawValue) pasted {
	var members []asn1.RawValue
	for rest := v.Bytes; len(rest) > 0 && len(members) < 4; {
		var m asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &m); err != nil {
			return pasteOther
		}
		members = append(members, m)
	}
	if len(members) < 2 {
		return pasteOther
	}
	const integer, bits, octets, oid, sequence = asn1.TagInteger, asn1.TagBitString, asn1.TagOctetString, asn1.TagOID, asn1.TagSequence
	switch first, second := members[0].Tag, members[1].Tag; {
	case first == integer && second == integer && len(members) == 2:
		return pastePublicKey // PKCS #1
	case first == integer && (second == integer || second == octets || second == sequence):
		return pastePrivateKey // PKCS #1, SEC 1, PKCS #8, PKCS #12
	case first == sequence && second == octets:
		return pastePrivateKey // PKCS #8, encrypted
	case first == oid:
		return pastePKCS7
	case first == sequence && second == bits:
		return pastePublicKey // SubjectPublicKeyInfo
	case first == sequence && second == sequence:
		if _, err := x509.ParseCertificateRequest(v.FullBytes); err == nil {
			return pasteRequest
		}
		if _, err := x509.ParseRevocationList(v.FullBytes); err == nil {
			return pasteRevocationList
		}
		return pasteBroken
	}
	return pasteOther
}

// holdsPrivateKey looks for the name of a private key in any spelling, so that
// no damage to a header lets one through. "Private Key Usage Period" is an
// extension that OpenSSL prints above a certificate.
func holdsPrivateKey(text string) bool {
	letters := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			r -= 'a' - 'A'
		}
		if r < 'A' || r > 'Z' {
			return -1
		}
		return r
	}, text)
	letters = strings.ReplaceAll(letters, "PRIVATEKEYUSAGEPERIOD", "")
	return strings.Contains(letters, "PRIVATEKEY") ||
		strings.Contains(letters, "PRIVATELINES") || // PuTTY
		strings.Contains(text, `kty`) && jwkPrivate.MatchString(text)
}

var (
	jwkPrivate  = regexp.MustCompile(`[{,\s]d\s*:`) // quotes are gone by now
	digestLabel = regexp.MustCompile(`(?i)^(?:[^\n]{0,40}?(?:fingerprint|thumbprint|md-?5|sha-?1|sha-?256)[\s=:]+)+`)
)

// notBase64 recognises what is often pasted in place of a certificate.
func notBase64(text string) pasted {
	lower := strings.ToLower(text[:min(len(text), 100)])
	switch {
	case text[0] == '<':
		return pasteXML
	case strings.HasPrefix(lower, "https://") || strings.HasPrefix(lower, "http://"):
		return pasteURL
	case strings.HasPrefix(lower, "ssh-") || strings.HasPrefix(lower, "ecdsa-sha2-"):
		return pastePublicKey
	}
	if len(text) > 300 {
		return pasteOther
	}
	digest := digestLabel.ReplaceAllString(text, "")
	digest = strings.NewReplacer(":", "", " ", "", "-", "", "\n", "", "\r", "", "\t", "").Replace(digest)
	switch len(digest) {
	case 32, 40, 64, 96, 128:
		if strings.Trim(digest, "0123456789abcdefABCDEF") == "" {
			return pasteFingerprint
		}
	case 43, 44: // SHA-256 in base64
		if len(digest) < len(text) && strings.Contains(lower, "sha") {
			return pasteFingerprint
		}
	}
	return pasteOther
}

var pasteEscapes = strings.NewReplacer(`\\r`, "\n", `\\n`, "\n", `\r`, "\n", `\n`, "\n", `\t`, " ", `\/`, "/", `\`, " ")

// unescapePaste undoes what forms, editors and mail programs do to a text.
func unescapePaste(text string) string {
	if u, ok := fromUTF16(text); ok {
		text = u
	}
	for range 2 {
		if strings.Contains(text, "&") {
			text = html.UnescapeString(text)
		}
	}
	if strings.Contains(text, `\`) {
		text = pasteEscapes.Replace(text)
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0x80 && r != '"' && r != '\'' && r != '`':
			return r
		case unicode.Is(unicode.Pd, r) || r == '−':
			return '-'
		case unicode.Is(unicode.Cf, r): // byte order mark, soft hyphen, zero width
			return -1
		case unicode.IsSpace(r) || unicode.In(r, unicode.Pi, unicode.Pf) || r < 0x80:
			return ' '
		}
		return r
	}, text)
}

// fromUTF16 decodes a file that Windows saved as "Unicode".
func fromUTF16(text string) (string, bool) {
	if len(text)%2 != 0 || !strings.HasPrefix(text, "\xff\xfe") && !strings.HasPrefix(text, "\xfe\xff") {
		return "", false
	}
	high := 0
	if text[0] == 0xff {
		high = 1
	}
	units := make([]uint16, 0, len(text)/2)
	for i := 2; i < len(text); i += 2 {
		units = append(units, uint16(text[i+high])<<8|uint16(text[i+1-high]))
	}
	return string(utf16.Decode(units)), true
}
