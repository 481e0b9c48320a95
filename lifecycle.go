package sso

import "time"

// A TestRecord is what the last test of a connection came to.
type TestRecord struct {
	Time   time.Time `json:"time"`
	By     string    `json:"by,omitempty"` // who ran it, in the application's words
	Passed bool      `json:"passed"`
	Reason Reason    `json:"reason,omitempty"` // of the first failure
	// Fingerprints holds, by field, the digest of every setting that matters to
	// security, as it was when the test ran.
	Fingerprints map[string]string `json:"fingerprints"`
}
