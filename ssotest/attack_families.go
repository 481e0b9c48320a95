package ssotest

// family is a class of attacks that share an idea.
type family struct {
	name, about string
	build       func(*gallery) []attack
	encrypted   bool // it needs a certificate to encrypt to
}

func families() []family {
	return []family{
		{name: "wrap-assertion-moved", about: "the signed assertion stands elsewhere, a forged one in its place", build: wrapAssertionMoved},
		{name: "wrap-signature-moved", about: "the signature hangs on a forged assertion, the signed one stands elsewhere", build: wrapSignatureMoved},
		{name: "wrap-aside", about: "a forged assertion stands beside or in the signed one", build: wrapAside},
		{name: "wrap-aside-copied", about: "the same with a copy of the signature", build: wrapAsideCopied},
		{name: "wrap-response-moved", about: "the signed Response stands somewhere in a forged one", build: wrapResponseMoved},
		{name: "wrap-response-signature-moved", about: "its signature hangs on the forged one", build: wrapResponseSignatureMoved},
		{name: "wrap-in-signature", about: "a forged assertion stands in the signature", build: wrapInSignature},
		{name: "wrap-both", about: "both are signed, and a forged assertion is spliced in", build: wrapBoth},
		{name: "wrap-error", about: "the IdP refused, and a forged assertion stands in that answer", build: wrapError},
		{name: "wrap-decoy", about: "a second signature stands beside the genuine one", build: wrapDecoy},
		{name: "wrap-other-document", about: "something else that the IdP signed lends its signature", build: wrapOtherDocument},
		{name: "wrap-signed-text", about: "the IdP signed a value that looks like an assertion", build: wrapSignedText},
		{name: "text-comment", about: "a comment in a signed value", build: textComment},
		{name: "text-instruction", about: "a processing instruction in a signed value", build: textInstruction},
		{name: "text-element", about: "an element in a signed value", build: textElement},
		{name: "text-cdata", about: "a CDATA section in a signed value", build: textCData},
		{name: "text-reference", about: "a character reference in a signed value", build: textReference},
		{name: "text-space", about: "what nobody sees around a signed name", build: textSpace},
		{name: "text-twice", about: "two of what there is one of", build: textTwice},
	}
}
