package ssohttp

import (
	"context"
	"html/template"
	"net/http"
	"time"

	"github.com/ssoconn/sso"
)

// Config says how the handlers work. BaseURL, Connections, State, Replay,
// Provisioner, SignedIn and Refused are required.
type Config struct {
	// BaseURL is the public address under which Mount's handler is reached, such
	// as https://crm.example.com/sso. It is never derived from a request. Its
	// scheme decides about the cookie (http is for loopback), its origin is the
	// one that landing paths belong to.
	BaseURL string
	// Connections finds a connection by its ID, or returns sso.ErrNotFound. It
	// is called once a request; a cache is the application's matter.
	Connections func(ctx context.Context, id string) (*sso.Connection, error)
	// ConnectionID finds the connection's ID in a request. Nil: r.PathValue("id").
	ConnectionID func(r *http.Request) string

	// State keeps the sign-ins under way, Replay the assertions that were used.
	State  StateStore
	Replay sso.ReplayCache
	// Provisioner decides who may enter: a *sso.Provisioner.
	Provisioner Provisioner

	// SignedIn opens the application's own session: it sets the cookie and
	// returns, without writing a body. The browser is then sent to l.Landing,
	// which it may change. On an error the visitor gets an error page instead,
	// so no session may be open then.
	SignedIn func(w http.ResponseWriter, r *http.Request, l *Login) error
	// Refused gets every refusal, for the log.
	Refused func(r *http.Request, f Refusal)

	// Administrator says whether a request for a test of c comes from somebody
	// who may administer c, and who that is, in the application's words. Nil:
	// nobody, and there are no tests.
	Administrator func(r *http.Request, c *sso.Connection) (by string, ok bool)
	// SaveTest stores c.LastTest, which a test has just set. Nil: tests are
	// shown and not recorded, so that they do not allow switching on.
	SaveTest func(ctx context.Context, c *sso.Connection) error

	// EndSessions ends the application's sessions when the IdP asks for it: those
	// of s.SessionIndexes, or all of s.Subject if there are none. It returns
	// sso.ErrPartialLogout if some are left. Nil: the connection has no single
	// logout.
	EndSessions func(ctx context.Context, c *sso.Connection, s sso.LogoutSession) error
	// Client asks the IdP what an artifact stands for. Nil: http.DefaultClient.
	Client *http.Client

	// Landing says where a browser may be sent after a sign-in. The zero value
	// takes local paths, and "/" where there is none.
	Landing Landing
	// SameSiteNone gives the cookie SameSite=None, so that it comes with the
	// IdP's POST and our page need not post again. It needs https. Browsers that
	// block third-party cookies still send it, as the POST is a navigation.
	SameSiteNone bool
	// Lifetime is how long a person may take at the IdP. Zero: 15 minutes.
	Lifetime time.Duration

	// MaxBody is the largest form that the ACS reads, in bytes. Zero: 4 MiB,
	// which holds the largest Response that is verified.
	MaxBody int64
	// Timeout bounds the reading of a body, and all that follows on it. Zero: 10
	// seconds.
	Timeout time.Duration
	// MaxConcurrent bounds how many Responses are verified at once. Those over
	// it wait, up to eight times as many; the rest gets 503 with Retry-After and
	// uses nothing up. Zero: 64.
	MaxConcurrent int

	// Templates overrides the pages: the templates "refused", "tested" and
	// "repost", each executed with a *Page. Nil, or where one is not defined:
	// the built-in ones.
	Templates *template.Template
	// Language picks the language of the pages for a request: "en" or "ru". Nil,
	// or another answer: by Accept-Language.
	Language func(r *http.Request) string

	// Observer is told of requests sent, Responses accepted and refused, and
	// tests. Nil: nobody is.
	Observer sso.Observer
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// A Provisioner decides who may enter. *sso.Provisioner is one.
type Provisioner interface {
	SignIn(ctx context.Context, c *sso.Connection, a *sso.Assertion, flow sso.Flow, invitation string) (*sso.Outcome, error)
	Preview(ctx context.Context, c *sso.Connection, a *sso.Assertion, flow sso.Flow, invitation string) (*sso.Outcome, error)
}

// A Login is somebody who has just signed in and was admitted.
type Login struct {
	Connection *sso.Connection
	Flow       sso.Flow // FlowLogin or FlowInvite
	// Outcome says which of the application's users it is and what was done.
	Outcome *sso.Outcome
	// Assertion is what the IdP said, verified. Its NameID and SessionIndex are
	// what a later single logout needs. Connection.NoteSignIn takes it, and sees a
	// connection through a change of the IdP's certificate.
	Assertion *sso.Assertion
	// Landing is where the browser goes next: a local path, or an address that
	// Config.Landing allows.
	Landing string
}
