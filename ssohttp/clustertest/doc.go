// Package clustertest runs several server processes of one application on one
// PostgreSQL and one Redis, and ill-treats them: logins begin in one process and
// finish in another, each answer is posted by many clients at once, processes
// are killed, stores stop and come back. At the end nobody has entered twice
// with one answer, nobody without a record, and no invitation was used twice or
// lost.
package clustertest
