// Package redisstore keeps the state of sign-ins under way and replay memory in
// Redis, for an application on many machines that has a Redis anyway.
// Connections, users and invitations belong into a database: see sqlstore.
//
// Each call is one command, atomic by itself: SET for Put, GETDEL for Take, SET
// NX for Remember. Redis 6.2 or newer. Expiry is Redis's own.
//
// # What Redis must be told
//
//   - maxmemory-policy noeviction. Under any other policy Redis throws keys away
//     when memory is short, and a replay memory that forgets lets an assertion
//     in twice. With noeviction it refuses writes, and sign-ins are refused.
//   - appendonly yes, with appendfsync always, if a crash of Redis must not
//     forget the last second. Without it an answer that was used in that second
//     could be used again, until it expires, by somebody who holds the browser's
//     cookie and a state that was taken: with request state in the same Redis
//     both would have to come back.
//   - A replica that takes over may lack the last writes in the same way. WAIT
//     is not used.
//
// Keys are SHA-256 digests under a prefix: whoever reads a dump finds no handle
// that could be sent.
package redisstore
