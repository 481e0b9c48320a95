package ssohttp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/ssoconn/sso"
)

// A record is what the server keeps of one sign-in under way.
type record struct {
	RequestID  string   `json:"request"`
	Connection string   `json:"connection"`
	Flow       sso.Flow `json:"flow"`
	Browser    string   `json:"browser"` // bound
	Expires    int64    `json:"expires"` // seconds
	Invitation string   `json:"invitation,omitempty"`
	Landing    string   `json:"landing,omitempty"`
	Run        string   `json:"run,omitempty"`      // of a test
	By         string   `json:"by,omitempty"`       // who tests
	Settings   string   `json:"settings,omitempty"` // what is tested
}

func stateKey(handle string) string { return "state:" + handle }

func (h *Handlers) putRecord(ctx context.Context, handle string, rec *record) error {
	value, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	return h.config.State.Put(ctx, stateKey(handle), value, time.Unix(rec.Expires, 0))
}

func (h *Handlers) takeRecord(ctx context.Context, handle string) (*record, error) {
	value, err := h.config.State.Take(ctx, stateKey(handle))
	if err != nil {
		return nil, err
	}
	var rec record
	if err := json.Unmarshal(value, &rec); err != nil {
		return nil, fmt.Errorf("the record of a sign-in: %w", err)
	}
	if rec.RequestID == "" {
		// Without a request the answer would be taken for one that began at the
		// IdP, which the connection may not allow.
		return nil, errors.New("the record of a sign-in names no request: the store changed it")
	}
	// Checked when it was put; a store must not be able to send people elsewhere.
	rec.Landing, _ = h.config.Landing.Resolve(rec.Landing)
	return &rec, nil
}
