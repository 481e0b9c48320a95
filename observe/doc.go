// Package observe takes the events of package sso to where an operator looks: a
// log, and counters.
//
//	var counters observe.Counters
//	observer := observe.All(observe.Log(slog.Default()), &counters)
//	mux.Handle("GET /metrics", &counters) // for Prometheus; keep it off the internet
//
// and observer goes into ssohttp.Config and sso.Provisioner. Everything here is
// the standard library's.
package observe

import (
	"context"

	"github.com/ssoconn/sso"
)

// All is an observer that tells each of these in turn.
func All(observers ...sso.Observer) sso.Observer {
	return sso.ObserverFunc(func(ctx context.Context, e sso.Event) {
		for _, o := range observers {
			if o != nil {
				o.Observe(ctx, e)
			}
		}
	})
}
