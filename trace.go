package sso

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// traceVersion is the shape in which a Trace is stored.
const traceVersion = 1

// Limits of a Trace: a longer document is left out, with a note, and so are
// further attribute names.
const (
	maxTraceDocument   = 256 << 10 // bytes of base64
	maxTraceAttributes = 200
)

// A Trace is what one attempt was, as a JSON value that the same code verifies
// again, offline and at its own time: "it failed yesterday" becomes a unit test.
// It holds no key. Written by Connection.Trace it holds no name, address or
// group of a person either, see there.
//
// A trace proves nothing: whoever can write one can write what they like into
// it. Its report is for people, and no assertion comes of it.
type Trace struct {
	Version int       `json:"version"`
	Time    time.Time `json:"time"` // at which the answer was verified

	// Flow, Reference and Reason are for the application to fill in: what the
	// round trip was for, the number that the visitor was shown, and the Reason
	// or RefusalCode that ended the attempt, "" for a success. Inspect reads
	// none of them.
	Flow      Flow   `json:"flow,omitempty"`
	Reference string `json:"reference,omitempty"`
	Reason    string `json:"reason,omitempty"`

	// Connection is the connection as it was. Change it and inspect again to
	// see what a change would do. It has no keys: an answer that came encrypted
	// and is not redacted needs SP.DecryptionKeys put back.
	Connection        *Connection `json:"connection"`
	RequestID         string      `json:"requestID,omitempty"`
	AllowIdPInitiated bool        `json:"allowIdPInitiated,omitempty"`

	// Response is the SAMLResponse form value. Empty: it is left out, and Note
	// says why.
	Response string `json:"response,omitempty"`
	Note     string `json:"note,omitempty"`
	// Redacted says that values in Response were replaced.
	Redacted bool `json:"redacted,omitempty"`
	// Assertion is the decrypted assertion, redacted and in base64, where it
	// came encrypted.
	Assertion string `json:"assertion,omitempty"`
	// Intact names those of "Response" and "Assertion" whose signed digest held
	// before values were replaced. The digest cannot be computed again.
	Intact []string `json:"intact,omitempty"`
	// SubjectDigest is that of the person's events.
	SubjectDigest string `json:"subjectDigest,omitempty"`

	// Report is what Inspect said when the trace was written.
	Report *Report `json:"report"`
}

// Trace writes down what came of samlResponse, as VerifyResponse had it. What is
// personal in the document is replaced: the NameID, the values of attributes,
// session indexes, network addresses, and all other text but that of elements
// known to hold none. "ann@example.com" becomes "redacted-", a digest and
// "@redacted.invalid": equal values of one connection have equal digests. The
// digest hides a value from whoever reads along, not from whoever guesses it.
// The report is that of the redacted document. Message texts of the IdP are
// kept, without what has an @ in it.
//
// A document that is not XML is left out, as nobody can tell what is in it, and
// one of more than 256 KiB in base64, so that a trace stays small.
//
// It costs some three verifications: write traces of what failed, not of
// everything. Set o.CurrentTime to what VerifyResponse was given.
func (c *Connection) Trace(ctx context.Context, samlResponse string, o VerifyOptions) *Trace {
	t, report, rec := c.record(ctx, samlResponse, o)
	t.Redacted = true
	if t.Connection != nil {
		t.Connection.LastTest = nobodys(t.Connection.LastTest)
	}
	t.Report = report
	if rec.root == nil {
		t.leaveOut("it is not XML, so that nobody can tell what is in it", samlResponse)
	} else {
		t.SubjectDigest = digest(c.ID, c.SubjectKey(rec.v.result.Subject))
		t.Intact = rec.intact
		t.Response, t.Assertion = rec.redacted(c.ID)
		t.Report = t.scrubbed(ctx)
		if len(t.Response)+len(t.Assertion) > maxTraceDocument {
			t.leaveOut("it is too long", samlResponse)
		}
	}
	t.bound()
	return t
}

// FullTrace is Trace without redaction: the document is as it was posted, and
// verifies again wholly. It holds what the IdP said of a person, and until it
// expires whoever has it may be able to sign in with it: keep it as you keep
// passwords, and only where the person agrees.
func (c *Connection) FullTrace(ctx context.Context, samlResponse string, o VerifyOptions) *Trace {
	t, report, rec := c.record(ctx, samlResponse, o)
	t.Report, t.Response = report, samlResponse
	if rec.v != nil {
		t.SubjectDigest = digest(c.ID, c.SubjectKey(rec.v.result.Subject))
	}
	if len(samlResponse) > maxTraceDocument {
		t.leaveOut("it is too long", samlResponse)
	}
	t.bound()
	return t
}

// record runs the checks and begins a trace of them.
func (c *Connection) record(ctx context.Context, samlResponse string, o VerifyOptions) (*Trace, *Report, *recorder) {
	if o.CurrentTime.IsZero() {
		o.CurrentTime = time.Now()
	}
	o.CurrentTime = o.CurrentTime.Round(0).UTC() // as JSON brings it back
	t := &Trace{Version: traceVersion, Time: o.CurrentTime, RequestID: o.RequestID, AllowIdPInitiated: o.AllowIdPInitiated}
	if c != nil {
		own := *c
		own.SP.SigningKey, own.SP.NextSigningKey, own.SP.DecryptionKeys = nil, nil, nil
		own.IdP.Certificates = slices.Clone(c.IdP.Certificates)
		own.AllowedGroups = slices.Clone(c.AllowedGroups)
		t.Connection = &own
	}
	rec := new(recorder)
	report := c.walk(ctx, samlResponse, o, rec)
	if c != nil && rec.v == nil {
		rec.read(newVerification(ctx, c, o, samlResponse))
	}
	return t, report, rec
}

// scrubbed is the report without what the document said of a person: that of
// the redacted document.
func (t *Trace) scrubbed(ctx context.Context) *Report {
	r := t.Inspect(ctx)
	if len(t.Response) <= maxTraceDocument {
		return r
	}
	// Replaced values may be longer than what they stand for, so a document
	// near the limit of size may be past it now, which is no finding.
	bare := *t.Report
	bare.Checks = nil
	for _, k := range t.Report.Checks {
		bare.Checks = append(bare.Checks, Check{Name: k.Name, Status: k.Status, Reason: k.Reason, Section: k.Section})
	}
	return &bare
}

// nobodys is a record without the people in it.
func nobodys(rec *TestRecord) *TestRecord {
	if rec == nil {
		return nil
	}
	own := *rec
	own.By, own.UserID, own.Stands = "", "", nobodys(rec.Stands)
	return &own
}

// leaveOut drops the document and says so.
func (t *Trace) leaveOut(why, samlResponse string) {
	t.Response, t.Assertion = "", ""
	t.Note = fmt.Sprintf("the document is left out: %s; the form value has %d bytes and the SHA-256 %x", why, len(samlResponse), sha256.Sum256([]byte(samlResponse)))
}

// bound cuts what an IdP can make long.
func (t *Trace) bound() {
	if n := len(t.Report.Attributes); n > maxTraceAttributes {
		t.Report.Attributes = append(t.Report.Attributes[:maxTraceAttributes:maxTraceAttributes], fmt.Sprintf("and %d more", n-maxTraceAttributes))
	}
}

// Inspect verifies the trace again, at its own time, and reports as
// InspectResponse does. Everything is verified anew but this: where values were
// replaced, the digests that a signature covers are taken from the trace, while
// the signatures themselves, over those digests, are verified with the
// connection's certificates; and a decrypted assertion is taken as it is. The
// checks concerned say so. Where the document is left out, the report is the
// one that was written, with a failure if there was none: nothing was verified.
func (t *Trace) Inspect(ctx context.Context) *Report {
	o := VerifyOptions{RequestID: t.RequestID, AllowIdPInitiated: t.AllowIdPInitiated, CurrentTime: t.Time}
	switch {
	case t.Response == "":
		return t.recorded()
	case t.Redacted:
		return t.Connection.walk(ctx, t.Response, o, &replay{trace: t})
	}
	return t.Connection.InspectResponse(ctx, t.Response, o)
}

// recorded is the report as it was written, which vouches for nothing.
func (t *Trace) recorded() *Report {
	r := &Report{Time: t.Time}
	if t.Report != nil {
		*r = *t.Report
	}
	r.Checks = append(slices.Clip(r.Checks), Check{Name: "trace", Status: CheckFailed, Got: "the report as it was written, and no document to verify", Hint: orElse(t.Note, "record the attempt again")})
	return r
}

// UnmarshalJSON reads a stored trace. A field that is not known is an error that
// names it, as with a Connection.
func (t *Trace) UnmarshalJSON(data []byte) error {
	var version struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return fmt.Errorf("sso: trace: %w", err)
	}
	if version.Version != traceVersion {
		return &FieldError{Field: "version", Problem: fmt.Sprintf("is %d, this program knows %d", version.Version, traceVersion), Hint: "check that it is a trace; read a newer one with a newer version of the program"}
	}
	type plainTrace Trace
	var p plainTrace
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		var fe *FieldError
		if errors.As(err, &fe) {
			return &FieldError{Field: "connection." + strings.TrimPrefix(fe.Field, "connection."), Problem: fe.Problem, Hint: fe.Hint}
		}
		return storedError(err, "a trace", data, reflect.TypeFor[plainTrace]())
	}
	*t = Trace(p)
	return nil
}
