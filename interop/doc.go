// Package interop signs in at identity providers that others wrote. Each is
// started on loopback by its test, in every variant of signing and encryption
// that it has, and stopped afterwards. A test whose IdP is not installed skips
// and says so, unless SSO_TEST_REQUIRE is set.
package interop
