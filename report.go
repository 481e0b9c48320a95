package sso

// CheckStatus is how a check came out.
type CheckStatus string

// The statuses.
const (
	CheckPassed  CheckStatus = "passed"
	CheckFailed  CheckStatus = "failed"
	CheckSkipped CheckStatus = "skipped" // an earlier failure makes it meaningless
	CheckWarning CheckStatus = "warning" // passed, but it will bite
)

// A Check is one line of a Report.
type Check struct {
	Name    string      `json:"name"`
	Status  CheckStatus `json:"status"`
	Reason  Reason      `json:"reason,omitempty"` // of a failure
	Got     string      `json:"got,omitempty"`
	Want    string      `json:"want,omitempty"`
	Hint    string      `json:"hint,omitempty"`
	Section string      `json:"section,omitempty"` // of the specification
}
