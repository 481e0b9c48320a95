// Package xmlenc decrypts the encrypted elements of SAML 2.0, and encrypts.
//
// Encryption authenticates nothing: whoever has our public key, which stands in
// our metadata, can encrypt anything to us. What comes out of [DecryptElement]
// is as little to be trusted as any other unsigned element; its own signature,
// or one around the ciphertext, is what counts, and is checked elsewhere.
//
// # What is accepted, and why
//
// Content is AES-GCM with keys of 128, 192 or 256 bits. GCM refuses a ciphertext
// that anyone changed who does not have its key, so that the answer to a changed
// one teaches nothing.
//
// AES-CBC is only accepted where the caller has verified a signature over the
// ciphertext (Options.CBCAuthenticated). CBC lets everyone flip bits of the
// plaintext, and an SP answers differently to a plaintext that is XML and to one
// that is not: in the status, the text, the time, or in what it does next.
// That one bit suffices to decrypt a captured assertion in a few thousand
// requests (Jager and Somorovsky, "How to Break XML Encryption", 2011). Hiding
// the bit does not work: even with a single error for all failures, a plaintext
// that parses goes on to the next check and takes longer. What works is not to
// decrypt what the IdP did not write, so the signature comes first. An IdP that
// signs the assertion, then encrypts it, and leaves the Response unsigned, gives
// no such signature: have it sign the Response as well, or use GCM.
// Options.AllowUnauthenticatedCBC is for the time until it does. It opens more
// than the messages that are sent in CBC: an attacker relabels a GCM ciphertext
// as CBC and asks about that (Jager, Paterson and Somorovsky, "One Bad Apple",
// 2013). Only the refusal of CBC protects GCM.
//
// Triple DES is never accepted: its blocks of 64 bits repeat, and it comes in
// CBC only.
//
// Key transport is RSA-OAEP. Its digest and the mask generation may use SHA-1:
// neither relies on that hash resisting collisions, and rsa-oaep-mgf1p, which
// everybody sends, has no other mask. RSA PKCS #1 v1.5 needs
// Options.AllowRSA15. If a receiver lets on whether the padding was right, a
// captured key is decrypted by asking about variants of it (Bleichenbacher,
// 1998; Jager, Schinzel and Somorovsky, "Bleichenbacher's Attack Strikes Again",
// 2012, do so to XML Encryption). It hurts everyone with the same key pair: an
// OAEP ciphertext is a number as well, and the oracle decrypts it too. With the
// switch on, wrong padding gives a random session key instead of an error
// (implicit rejection, as in RFC 5246, 7.4.7.1), in constant time, by the
// standard library.
//
// # One decryption key for each connection
//
// The signature over the ciphertext is that of the connection's own IdP. Where
// many customers' connections share one decryption key, the administrator of one
// IdP can put another customer's captured ciphertext into Responses that he signs
// himself, and is the attacker above once more, for CBC and for what is
// relabelled as CBC. So can everybody, through the one connection that has an
// insecure switch on. A key of its own for each connection shuts out both.
//
// # Failures
//
// What can be refused by looking at the message is refused before a private key
// is used, and says why (KindRefused); the sender knows it already. From then on
// there is one error (KindDecrypt), the same in every field, whether the key was
// for somebody else, the padding or the tag wrong, or the plaintext no XML, too
// large, or another element than it should be. The work is the same too: each
// EncryptedKey is tried with each private key of its size; a key that does not
// unwrap is replaced by a random one, with which the content is decrypted all
// the same; and CBC with wrong padding goes to the XML reader like any other.
//
// What still differs depends on what the sender knows: the number of keys and
// their sizes, a wrapped key that is no number below the modulus, a session key
// that he repeats or, under GCM, has right. And on one thing more, the time that
// the reader takes for a plaintext. Under GCM only the owner of the session key
// gets that far, and under a verified signature only the IdP. With
// AllowUnauthenticatedCBC everybody does, and no care here can close that oracle.
//
// # Bounds
//
// At most 8 EncryptedKeys, and 16 pairs of one and a private key, are tried; an
// OAEP label has at most 1,024 bytes. The plaintext is never longer than the
// ciphertext, nothing is inflated, and it is read by the same strict reader as
// the message, as exactly one element. Nothing is fetched: a CipherReference is
// refused, and a RetrievalMethod finds its EncryptedKey in the same encrypted
// element or nowhere.
//
// # Namespaces
//
// A decrypted element is read in the context of the EncryptedData that it
// replaces, as XML Encryption has it: a prefix means what it means there, unless
// the element declares it itself. IdPs rely on it in both ways. Some cut the
// element out without the declarations of its ancestors, others (pysaml2) use
// the same ns0 inside and outside for different namespaces.
//
// Specification: W3C XML Encryption Syntax and Processing 1.1; SAML 2.0 Core,
// 2.2.4, 2.3.4, 2.7.3.2 and 6.
package xmlenc
