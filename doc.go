// Package sso is the service-provider side of SAML 2.0 single sign-on
// connections. A product imports it so that each customer's administrator can
// connect the customer's own identity provider (IdP), test the connection,
// switch it on, and let the right people in.
//
// A [Connection] is plain data: what an administrator typed. Two calls make a
// login. The first sends the browser off:
//
//	req, err := conn.NewAuthnRequest(sso.RequestOptions{})
//	// keep req.ID for this browser
//	url, err := req.RedirectURL(relayState)
//
// The second takes what the IdP has the browser post to the ACS URL:
//
//	a, err := conn.VerifyResponse(ctx, r.PostFormValue("SAMLResponse"), sso.VerifyOptions{
//		RequestID: id, // taken from where it was kept, once
//		Replay:    replay,
//	})
//
// Either err is nil and a is one assertion, every value of which a signature by
// one of the connection's pinned keys covers, or a is nil. Package ssohttp has
// the handlers around these calls: state, cookies, pages.
//
// # Setting a connection up
//
// SP.ACSURL and SP.EntityID go into the IdP's console, by hand or as the XML of
// [Connection.Metadata]. The IdP's address, issuer and certificate come back, by
// hand ([ParseCertificates] takes what people paste) or from
// [ParseIdPMetadata]. [Connection.Validate] says of every field what is wrong
// with it and what to do. A test sign-in is verified like any other, and
// [Connection.InspectResponse] runs the same checks without stopping at the first failure,
// so that an administrator sees at once all that has to be mended, in the
// words of the IdP's console. Only a connection whose present settings passed a
// test can be switched on.
//
// # Trust
//
// Trust comes from IdP.Certificates alone: each is a pinned key. What a message
// says of its own keys adds nothing. Several certificates may be pinned, so
// that a rollover needs no hurry. A certificate past its date still verifies,
// with a warning in [Assertion].Warnings and in every report, unless the
// connection says RefuseExpiredCertificates.
//
// A signature on the Response, or on the assertion, or on both: one is needed,
// and every one that is there must hold. SHA-1 and short RSA keys are refused
// unless a switch with Insecure in its name allows them. No switch turns
// signatures off.
//
// # Who may enter
//
// A verified assertion says who somebody is, not that they may enter. A
// [Provisioner] decides that: an existing user of an admitted group enters,
// someone new needs an invitation, and the user's name follows the IdP. Its
// decision can be had without being carried out.
//
// # Errors
//
// A refused message is a [*VerifyError] with a [Reason] to branch on, what was
// got and wanted, and a hint for the administrator. A setting that cannot be
// used is a [*FieldError], several of them joined. No error holds the message
// or a secret.
//
// # Time and state
//
// The package reads the clock only where no time is given. It keeps no state,
// starts no goroutine and writes no log: request IDs, used assertions,
// invitations and users are kept behind small interfaces.
package sso
