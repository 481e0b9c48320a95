// Package ssohttp is the web side of sso: handlers for login, invitation, test,
// assertion consumer service (ACS) and metadata, to mount in the mux that an
// application already has. They keep the state of a sign-in, bind it to the
// browser, and show pages where something is wrong. The session is the
// application's own.
//
//	h, err := ssohttp.New(ssohttp.Config{
//		BaseURL:     "https://crm.example.com/sso",
//		Connections: db.Connection,                // by ID; sso.ErrNotFound
//		State:       state, Replay: replay,        // memstore, sqlstore, redisstore
//		Provisioner: provisioner,                  // *sso.Provisioner: who may enter
//		SignedIn: func(w http.ResponseWriter, r *http.Request, l *ssohttp.Login) error {
//			return sessions.Start(w, r, l.Outcome) // then the browser goes to l.Landing
//		},
//		Refused: func(r *http.Request, f ssohttp.Refusal) { log.Print(f) },
//	})
//	mux.Handle("/sso/", h.Mount("/sso"))
//
// A connection has then these addresses, and [Handlers.ServiceProvider] knows
// those that go into Connection.SP:
//
//	GET  /sso/{id}/login?to=/deals/7       the button "Log in with SSO"
//	GET  /sso/{id}/invite?code=…           the link of an invitation
//	POST /sso/{id}/acs                     where the IdP posts to
//	GET  /sso/{id}/metadata                for the IdP
//	GET  /sso/{id}/test?run=…              for an administrator, in a new tab
//	GET  /sso/{id}/test/result?run=…       what came of it: JSON or a page
//	GET, POST /sso/{id}/slo               logout messages, with Config.EndSessions
//	GET  /sso/{id}/artifact?SAMLart=…      where an IdP that sends artifacts leads
//
// Each is an [http.Handler] of its own too ([Handlers.Login] and so on), for
// any router, under any path; it finds the connection's ID in
// r.PathValue("id") or with Config.ConnectionID.
//
// # State
//
// What a sign-in needs until the answer comes is kept in a [StateStore] under a
// random handle, the RelayState, and taken from there once. The browser has one
// cookie, whose value is not of any use elsewhere: any number of tabs and of
// attempts share it. The answer is a POST from another site, on which browsers
// leave out a cookie with SameSite=Lax; the ACS then has its own page post the
// same once more, from our own site, and verifies only what comes with the
// cookie. A complete login makes three calls to stores: Put, Take and Remember.
//
// # The test of a connection
//
// The settings page opens /sso/{id}/test?run=X in a new tab, by window.open
// with an X that it makes up for each run ([0-9A-Za-z_-], at most 64), and asks
// /sso/{id}/test/result?run=X by fetch every second or so, with the header
// Accept: application/json. The answer is a [TestRun] in JSON. The tab closes itself, and nothing depends on the two tabs
// knowing each other, for many IdPs cut that tie. A test changes no user and
// opens no session; its record goes to Config.SaveTest.
//
// Only administrators may test, for the report shows what the IdP sent and the
// record lets the connection be switched on: Config.Administrator decides, and
// without it these two handlers refuse everybody.
//
// # Refusals
//
// The visitor sees a calm sentence and a reference number. Config.Refused gets
// the same number with the whole reason. Nothing starts a login again by itself:
// IdPs take that for an attack, and the person never gets to read why.
//
// # What the application has to see to
//
// A CSRF middleware must leave the ACS alone: a POST from another site is what
// it is for, and its own protection is the state. The handlers never read the
// Host or X-Forwarded headers; Config.BaseURL is what counts.
package ssohttp
