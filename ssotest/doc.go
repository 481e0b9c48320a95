// Package ssotest is an identity provider (IdP) for tests and for practice.
//
// An [IdP] signs what it says, answers as the common products do when asked
// for one of the [Profiles], varies everything that honest IdPs vary, and
// misbehaves by name. An application tests its own sign-in handler with it in
// three lines:
//
//	idp := ssotest.NewIdP(ssotest.Config{})
//	// … the application's connection has idp.IdentityProvider() as its IdP …
//	res, err := idp.SignIn(client, app.URL+"/login", ssotest.Login{Email: "ann@example.com"}, ssotest.Options{})
//
// and that the handler refuses what it must by the same call with
// Options.Misbehave set to each of [Misbehaviours].
//
// [IdP.Handler] serves the same IdP to a browser: a login page with a few
// people to choose from. It asks for no password. It is for loopback and for
// tests; never pin its certificate in a connection of a running application.
package ssotest
