package sso

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// EventKind is what happened. The kinds are few and fixed, so that they can
// label a counter.
type EventKind string

// The events. Provisioner sends those of users, ssohttp those of requests,
// responses and tests. The application sends the rest itself, as nothing here
// switches a connection or watches a certificate by itself: see Enable and
// Warnings.
const (
	EventRequestSent         EventKind = "request_sent"
	EventResponseAccepted    EventKind = "response_accepted"
	EventResponseRefused     EventKind = "response_refused"
	EventUserCreated         EventKind = "user_created"
	EventUserChanged         EventKind = "user_changed"
	EventUserEntered         EventKind = "user_entered"
	EventUserRefused         EventKind = "user_refused"
	EventTestRun             EventKind = "test_run"
	EventCertificateExpiring EventKind = "certificate_expiring"
	EventConnectionSwitched  EventKind = "connection_switched"
	EventLogout              EventKind = "logout"
)

// An Event is one thing that happened. A person appears as a digest and as the
// application's key alone; Detail is the one field that may quote a message.
// Package observe has what writes events to a log and what counts them.
type Event struct {
	Kind         EventKind `json:"kind"`
	Time         time.Time `json:"time"`
	ConnectionID string    `json:"connectionID"`
	Flow         Flow      `json:"flow,omitempty"`
	// Reason is the Reason or RefusalCode of a refusal, or on and off for a
	// connection switched; from a fixed list each.
	Reason string `json:"reason,omitempty"`
	// Reference is the number that a visitor was shown, to find the event by.
	Reference string `json:"reference,omitempty"`
	// UserID is the application's own key of the user.
	UserID string `json:"userID,omitempty"`
	// SubjectDigest tells persons apart without naming them.
	SubjectDigest string `json:"subjectDigest,omitempty"`
	// Detail is for the operator: the text of an error or of an Outcome's
	// changed fields. It is not from a fixed list, and may hold what a message
	// says of a person.
	Detail string `json:"detail,omitempty"`
}

// An Observer is told of events, in the goroutine in which they happen: it must
// be quick, and safe for use by many goroutines.
type Observer interface {
	Observe(ctx context.Context, e Event)
}

// ObserverFunc makes a function an Observer.
type ObserverFunc func(ctx context.Context, e Event)

// Observe calls f.
func (f ObserverFunc) Observe(ctx context.Context, e Event) { f(ctx, e) }

// digest names a person without saying who it is. Per connection: one person at
// two customers does not show as one. It hides from whoever reads along, not
// from whoever has a name and looks whether it fits.
func digest(connectionID, subject string) string {
	if subject == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(connectionID + "\x00" + subject))
	return hex.EncodeToString(sum[:8])
}

// observe tells of a decision that was carried out, or refused.
func (p *Provisioner) observe(ctx context.Context, o *Outcome) {
	if p.Observer == nil {
		return
	}
	e := Event{Kind: EventUserEntered, Time: p.now(), ConnectionID: o.ConnectionID, Flow: o.Flow, SubjectDigest: digest(o.ConnectionID, o.Subject)}
	if o.User != nil {
		e.UserID = o.User.ID
	}
	switch o.Action {
	case ActionCreate:
		e.Kind = EventUserCreated
	case ActionUpdate:
		e.Kind = EventUserChanged
		for _, c := range o.Changes {
			e.Detail += c.Field + " "
		}
	case ActionRefuse:
		e.Kind, e.Reason, e.Detail = EventUserRefused, string(o.Refusal.Code), o.Refusal.Detail
	}
	p.Observer.Observe(ctx, e)
}
