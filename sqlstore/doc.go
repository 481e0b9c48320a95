// Package sqlstore keeps what single sign-on has to remember in SQL: connections
// with a version each, the state of sign-ins under way, replay memory,
// invitations, and the results of tests, which are state too. One [Store] does it
// on SQLite, embedded in the application, and on PostgreSQL.
//
//	store, err := sqlstore.Open(ctx, "app.db")                              // one machine
//	store, err := sqlstore.Open(ctx, "postgres://app@db.internal/app")      // any number
//	h, err := ssohttp.New(ssohttp.Config{State: store, Replay: store, …})
//	p := &sso.Provisioner{Invitations: store, …}
//
// [New] takes a pool that the application has open already. Open migrates the
// tables, whose names begin with sso_; any number of processes may do so at once.
// Users are the application's own, in its own table.
//
// # Which one
//
// SQLite is for one machine, with one process or several, and a local disk: its
// locks do not hold on network file systems. It takes one writer at a time. A
// sign-in waits for the disk twice, so a disk that takes 1 ms to sync allows
// some 400 sign-ins a second.
//
// PostgreSQL is for many machines. Syncs are shared among those who write at
// once. redisstore is for who has a Redis anyway; it holds state and replay
// memory only, and promises less when it crashes.
//
// # What is promised
//
// Of any number of callers in any number of processes, Take gives a value to
// one, Remember calls a key fresh to one, an invitation is redeemed as often as
// it allows, and SaveConnection lets one of two editors through. Each is one
// statement, but for invitations, which are a transaction that locks the
// invitation first. A sign-in makes three round trips: Put, Take, Remember.
//
// When Take, Remember or a change of an invitation or a connection returns, it is
// on disk: neither a crash nor a power cut undoes it. That is synchronous FULL in
// SQLite, and the server's synchronous_commit in PostgreSQL; a failover to a
// replica keeps it where that replica is in synchronous_standby_names. A Put is
// not waited for (synchronous NORMAL, synchronous_commit off): a crash of the
// machine or of PostgreSQL may lose the last second of sign-ins that had only
// begun, and those people begin again.
//
// An error says that the database could not answer. What was asked may have
// happened or not: whoever signs in is refused, and may start again. Nothing is
// tried again after an error, but for SQLite's "database is locked", after which
// nothing has happened.
//
// # Deadlines
//
// Each call ends when its context does and within Store.Timeout, two seconds if
// that is zero. An outage refuses sign-ins and does not pile them up.
//
// # Clocks
//
// Times are stored as UTC and compared with the clock of the machine that asks.
// Each machine judges the age of an assertion by the same clock, so one that
// runs ahead forgets a replay no sooner than it refuses the assertion. Rows are
// cleared only ten minutes after they expired, for machines whose clock is
// behind: keep them closer together than that.
//
// # What a thief of the database finds
//
// Handles, invitation codes and assertion IDs are stored as SHA-256 digests, and
// state is encrypted under the handle, which the database never sees. A backup
// redeems nothing. Connections and the terms of invitations are in the clear: they
// hold settings, certificates and perhaps the invited address. Private keys are
// nowhere in it.
//
// # Upgrades
//
// Migrations only ever go forward. A program that meets tables newer than it
// knows refuses to start, with [ErrNewerSchema]; one that was running goes on.
// The account that serves sign-ins needs no right to make tables once they are
// there.
package sqlstore
