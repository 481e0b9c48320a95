// Package bench measures the library side by side with crewjam/saml, with
// goxmldsig alone, and with the cryptographic floor: one RSA verification and
// one SHA-256 over the same bytes. All in one run, so that the ratios hold
// whatever the machine:
//
//	go test -bench . ./bench
//	go run ./bench/ratios
package bench
