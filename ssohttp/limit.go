package ssohttp

import (
	"context"
	"errors"
)

// A gate lets a bounded number through at once.
type gate chan struct{}

var errBusy = errors.New("too many at once; they were told to come again")

// enter takes a place, or fails at once if there is none.
func (g gate) enter(ctx context.Context) *failure {
	select {
	case g <- struct{}{}:
		return nil
	default:
	}
	if err := ctx.Err(); err != nil {
		return fail(CodeBusy, err)
	}
	return fail(CodeBusy, errBusy)
}

// wait takes a place, and waits for it as long as ctx allows.
func (g gate) wait(ctx context.Context) *failure {
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fail(CodeBusy, errors.Join(errBusy, ctx.Err()))
	}
}

func (g gate) leave() { <-g }
