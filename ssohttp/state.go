package ssohttp

import (
	"context"
	"time"
)

// A StateStore keeps what has to survive from one request to a later one, for
// minutes. Its methods may be called by many goroutines and processes at once,
// and return when ctx is done.
type StateStore interface {
	// Put stores value under key, over what was there. It may forget it after
	// until.
	Put(ctx context.Context, key string, value []byte, until time.Time) error
	// Get returns the value, or sso.ErrNotFound if there is none or its time
	// is over.
	Get(ctx context.Context, key string) ([]byte, error)
	// Take returns the value and removes it, atomically: of any number of
	// callers one gets it and the others get sso.ErrNotFound.
	Take(ctx context.Context, key string) ([]byte, error)
}
