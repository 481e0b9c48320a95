package main

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The cost of a password's hash: argon2id as OWASP's cheat sheet has it for
// 19 MiB. It is kept with each hash, so that it can be raised later.
const (
	argonTime    = 2
	argonMemory  = 19 << 10 // KiB
	argonThreads = 1
	argonKey     = 32
	maxPassword  = 1024
)

func argonCost() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$", argon2.Version, argonMemory, argonTime, argonThreads)
}

// hashing lets few passwords be hashed at once, as each takes 19 MiB.
var hashing = make(chan struct{}, 4)

func argon(password string, salt []byte) []byte {
	hashing <- struct{}{}
	defer func() { <-hashing }()
	return argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKey)
}

// hashPassword returns the hash to store.
func hashPassword(password string) string {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	b64 := base64.RawStdEncoding
	return argonCost() + b64.EncodeToString(salt) + "$" + b64.EncodeToString(argon(password, salt))
}

// checkPassword says whether the password is that of the hash. It takes as long
// for an empty hash, so that the time does not tell who has a password here.
func checkPassword(hash, password string) bool {
	if len(password) > maxPassword {
		return false
	}
	rest, ok := strings.CutPrefix(hash, argonCost())
	salt64, key64, found := strings.Cut(rest, "$")
	salt, err1 := base64.RawStdEncoding.DecodeString(salt64)
	want, err2 := base64.RawStdEncoding.DecodeString(key64)
	got := argon(password, salt)
	return ok && found && err1 == nil && err2 == nil && len(want) == argonKey && subtle.ConstantTimeCompare(got, want) == 1
}
