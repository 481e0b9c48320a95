package ssohttp

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/ssoconn/sso"
)

// A TestRun is what came of a test, as the settings page gets it in JSON.
type TestRun struct {
	Status TestStatus `json:"status"`
	// Passed says that the answer verified, and that the record was stored.
	Passed bool `json:"passed"`
	// Problem says why there is no more than this, or what went wrong after the
	// answer had verified. In the operator's words, in English.
	Problem string `json:"problem,omitempty"`
	// Report is every check. Show it to administrators alone.
	Report *sso.Report `json:"report,omitempty"`
	// Outcome is what the provisioner makes of this person: none of it was
	// done. A person who would not be admitted does not fail the test.
	Outcome *sso.Outcome `json:"outcome,omitempty"`
	// Summary is Outcome in a line.
	Summary string `json:"summary,omitempty"`
}

// TestStatus is how far a test is.
type TestStatus string

// The statuses.
const (
	StatusRunning TestStatus = "running" // the person is at the IdP
	StatusDone    TestStatus = "done"
	StatusUnknown TestStatus = "unknown" // no such run, or another browser's, or long ago
)

// maxRun bounds what is kept of a test, in bytes: a person may be in 10,000
// groups.
const maxRun = 256 << 10

// Test starts a test of a connection, which need not be on: GET. The query has
// "run", which the settings page made up. Config.Administrator decides who may.
func (h *Handlers) Test() http.Handler {
	return h.handler(func(w http.ResponseWriter, r *http.Request) *failure { return h.start(w, r, sso.FlowTest) })
}

// TestResult shows what came of a test to the browser that ran it, as a TestRun
// in JSON where the request accepts application/json, else as a page: GET.
func (h *Handlers) TestResult() http.Handler {
	return h.handler(func(w http.ResponseWriter, r *http.Request) *failure {
		if f := method(w, r, http.MethodGet); f != nil {
			return f
		}
		ctx, cancel := context.WithTimeout(r.Context(), h.config.Timeout)
		defer cancel()
		c, failed := h.connection(ctx, r)
		if failed != nil {
			return failed
		}
		if _, ok := h.administrator(r, c); !ok {
			return fail(CodeAdministrator, errors.New("the result of a test, asked for by somebody who may not administer the connection"))
		}
		run, err := h.getRun(ctx, &record{Connection: c.ID, Browser: bound(h.browser(r)), Run: r.URL.Query().Get("run")})
		if err != nil {
			return fail(CodeStore, err)
		}
		if strings.Contains(r.Header.Get("Accept"), "application/json") {
			return writeJSON(w, run)
		}
		if run.Status == StatusRunning {
			w.Header().Set("Refresh", "2")
		}
		h.showRun(w, r, run, false)
		return nil
	})
}

func (h *Handlers) administrator(r *http.Request, c *sso.Connection) (by string, ok bool) {
	if h.config.Administrator == nil {
		return "", false
	}
	return h.config.Administrator(r, c)
}

// finishTest inspects the answer, asks what would come of it, and keeps both
// for the settings page. The tab then closes itself.
func (h *Handlers) finishTest(ctx context.Context, w http.ResponseWriter, r *http.Request, c *sso.Connection, rec *record, response string) *failure {
	run := &TestRun{Status: StatusDone}
	now := h.config.Now()
	if failed := h.inspect(ctx, c, rec, response, now, run); failed != nil {
		// It is not the connection's fault, so there is nothing to record.
		run.Problem = failed.err.Error()
	} else if settings(c) != rec.Settings {
		// The request went out with other settings than those that a record
		// would vouch for.
		run.Passed, run.Problem = false, "the connection's settings were changed while the test ran: test again"
	} else if h.config.SaveTest != nil {
		userID := ""
		// Whom the policy keeps out has not shown that they can come back.
		if o := run.Outcome; o != nil && o.User != nil && o.Action != sso.ActionRefuse {
			userID = run.Outcome.User.ID
		}
		c.RecordTest(run.Report, now, rec.By, userID)
		if err := h.config.SaveTest(ctx, c); err != nil {
			run.Passed, run.Problem = false, "the record of the test could not be stored: "+err.Error()
		}
	}
	if err := h.putRun(ctx, rec, run); err != nil {
		return fail(CodeStore, err)
	}
	h.observe(ctx, sso.Event{Kind: sso.EventTestRun, ConnectionID: c.ID, Flow: sso.FlowTest, Reason: firstReason(run.Report)})
	h.showRun(w, r, run, true)
	return nil
}

// inspect runs every check over the answer, and if all hold does what a sign-in
// would do, short of writing.
func (h *Handlers) inspect(ctx context.Context, c *sso.Connection, rec *record, response string, now time.Time, run *TestRun) *failure {
	if failed := h.verifying.wait(ctx); failed != nil {
		return failed
	}
	run.Report = c.InspectResponse(ctx, response, sso.VerifyOptions{RequestID: rec.RequestID, CurrentTime: now})
	h.verifying.leave()
	if !run.Report.OK() {
		return nil
	}
	a, failed := h.verify(ctx, c, rec, &acsForm{response: response})
	if failed != nil {
		return failed
	}
	outcome, err := h.config.Provisioner.Preview(ctx, c, a, sso.FlowTest, "")
	var field *sso.FieldError
	switch {
	case errors.As(err, &field):
		return fail(CodeConfig, err)
	case err != nil:
		return fail(CodeStore, err)
	}
	run.Passed, run.Outcome = true, outcome
	if outcome != nil {
		run.Summary = outcome.String()
	}
	return nil
}

// settings is a digest of the settings that a test speaks for.
func settings(c *sso.Connection) string {
	own := *c
	own.RecordTest(nil, time.Time{}, "", "")
	text, err := json.Marshal(own.LastTest.Fingerprints)
	if err != nil {
		text = []byte(err.Error()) // a map of strings: cannot fail
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func firstReason(r *sso.Report) string {
	for i := 0; r != nil && i < len(r.Checks); i++ {
		if r.Checks[i].Status == sso.CheckFailed {
			return string(r.Checks[i].Reason)
		}
	}
	return ""
}

// runName says whether the settings page's name for a run will do.
func runName(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// runKey is bound to the browser: a report holds what the IdP sent of a person,
// and another browser cannot name it.
func runKey(rec *record) string {
	sum := sha256.Sum256([]byte(rec.Connection + "\x00" + rec.Browser + "\x00" + rec.Run))
	return "test:" + base64.RawURLEncoding.EncodeToString(sum[:])
}

func (h *Handlers) putRun(ctx context.Context, rec *record, run *TestRun) error {
	value, err := json.Marshal(run)
	if err != nil {
		return err
	}
	if len(value) > maxRun {
		cut := *run
		cut.Outcome, cut.Problem = nil, "the person has more attributes or groups than can be shown"
		if run.Report != nil {
			report := *run.Report
			report.Attributes = nil
			cut.Report = &report
		}
		if value, err = json.Marshal(&cut); err != nil {
			return err
		}
	}
	return h.config.State.Put(ctx, runKey(rec), value, h.config.Now().Add(h.config.Lifetime))
}

func (h *Handlers) getRun(ctx context.Context, rec *record) (*TestRun, error) {
	value, err := h.config.State.Get(ctx, runKey(rec))
	if errors.Is(err, sso.ErrNotFound) {
		return &TestRun{Status: StatusUnknown}, nil
	}
	if err != nil {
		return nil, err
	}
	run := new(TestRun)
	return run, json.Unmarshal(value, run)
}

func writeJSON(w http.ResponseWriter, run *TestRun) *failure {
	value, err := json.Marshal(run)
	if err != nil {
		return fail(CodeConfig, err)
	}
	pageHeader(w.Header(), "default-src 'none'; frame-ancestors 'none'")
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(value)
	return nil
}
