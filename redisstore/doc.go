// Package redisstore keeps the state of sign-ins under way and replay memory in
// Redis, for an application on many machines that has a Redis anyway.
// Connections, users and invitations belong into a database: see sqlstore.
//
//	store, err := redisstore.Open(ctx, "rediss://:password@redis.internal:6379/0", redisstore.Options{})
//
// Each call is one command and one round trip, atomic by itself: SET for Put,
// GET, GETDEL for Take, SET NX for Remember. Expiry is Redis's own. Redis 6.2 or
// newer, or what speaks as it does. Each key stands by itself, so a cluster will
// do.
//
// # What Redis must be told
//
//   - maxmemory-policy noeviction. Under any other policy Redis drops keys when
//     memory is short, and a replay memory that forgets lets an assertion in
//     twice. With noeviction it refuses writes, and so sign-ins. Open and
//     [Store.Check] refuse a Redis that would drop keys.
//   - appendonly yes. Without it a restart forgets everything. With appendfsync
//     everysec, the default, a crash of the Redis process loses nothing and a
//     crash of its machine the last second; with always, nothing.
//
// # What Redis cannot promise
//
// A replica that takes over may lack the last writes: replication does not wait.
// An answer of an identity provider that was used in those moments can then be
// used again until it expires, some minutes: by somebody who has the answer and,
// unless the connection allows sign-ins that the provider starts, also the
// cookie of that browser and a state that came back the same way. WAIT, which
// narrows this and does not close it, is not used. Who needs more keeps replay
// memory in PostgreSQL, with sqlstore, and may keep request state here.
//
// # Clocks
//
// Our clock says how long something is to live, Redis's counts it down. Replays
// are kept ten minutes longer than asked, so clocks may be that far apart.
//
// # Deadlines
//
// Each call ends within Options.Timeout, two seconds if that is zero. A context
// that is cancelled without a deadline is heeded between the steps of a call; an
// answer that does not come is waited for until the deadline. go-redis writes to
// standard error when it cannot connect; redis.SetLogger is its switch.
//
// # What a thief of the data finds
//
// Keys are SHA-256 digests under a prefix, and values are encrypted under keys
// that are derived from the handles, which Redis never sees. A dump holds
// nothing that can be sent, and no personal data.
package redisstore
