// Package memstore keeps what sign-in has to remember in memory: for one
// process, for tests, and as the plainest example of each contract. What it
// holds is gone when the process ends.
//
// Replay and State are bounded and forget what has expired, a few entries with
// each write; no store starts a goroutine. When they are full of entries that
// have not expired they refuse, rather than forget: a replay memory that forgets
// lets an assertion in twice.
//
// Users, Invitations and Connections hold as much as the application puts in.
package memstore
