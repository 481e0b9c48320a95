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
		{name: "namespace-declaration", about: "a declaration that looks like an attribute", build: nsDeclaration},
		{name: "namespace-attribute", about: "an attribute of the right name in a namespace", build: nsAttribute},
		{name: "namespace-confusion", about: "an element in a namespace that looks like the right one", build: nsConfusion},
		{name: "namespace-signature", about: "the same for the signature", build: nsConfusionSignature},
		{name: "namespace-reserved", about: "declarations that are forbidden, names without one", build: nsReserved},
		{name: "namespace-id", about: "what may be taken for the ID that is signed", build: nsID},
		{name: "encoding-charset", about: "another encoding than UTF-8, said or meant", build: charsets},
		{name: "encoding-bytes", about: "bytes and references that XML forbids", build: forbiddenBytes},
		{name: "encoding-form", about: "a form value that is not the base64 of a document", build: formValues},
		{name: "syntax-doctype", about: "a document type, an entity, an inclusion", build: doctypes},
		{name: "syntax-malformed", about: "what is not XML, or no SAML Response", build: malformed},
		{name: "signature-none", about: "no signature, or an empty one", build: signatureNone},
		{name: "signature-tamper", about: "a signed value is another after signing", build: signatureTamper},
		{name: "signature-digest", about: "a DigestValue that is not one digest", build: signatureDigest},
		{name: "signature-signed-info", about: "two SignedInfo, or one in another place", build: signedInfos},
		{name: "signature-reference", about: "a reference to nothing, everything, two things, something else", build: references},
		{name: "signature-key", about: "the attacker's key, with whatever vouches for it", build: keyInfos},
		{name: "signature-method", about: "algorithms outside the list, or of another kind of key", build: methods},
		{name: "signature-transform", about: "transforms outside the list", build: transforms},
		{name: "signature-value", about: "a SignatureValue that is not one signature", build: rawValues},
		{name: "signature-place", about: "a genuine signature in another place", build: signaturePlaces},
		{name: "signature-mixed", about: "of two signatures one does not hold", build: signatureMixed},
		{name: "signature-shape", about: "children that are missing, doubled, or too many", build: signatureShapes},
	}
}
