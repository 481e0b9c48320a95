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
// What an attacker would send goes much further. [IdP.Attack] generates some
// three and a half thousand forgeries in families, tries each against the handler,
// or against a connection alone, and gives a table of what got in, and of the
// honest answers that did not:
//
//	report, err := idp.Attack(idp.HandlerTarget(client, app.URL+"/login", whoIsIn), ssotest.AttackOptions{})
//	fmt.Println(report)
//
// [IdP.Handler] serves the same IdP to a browser: a login page with a few
// people to choose from. It asks for no password. It is for loopback and for
// tests; never pin its certificate in a connection of a running application.
package ssotest
