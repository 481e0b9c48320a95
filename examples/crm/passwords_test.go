package main

import "testing"

func TestPassword(t *testing.T) {
	t.Parallel()
	hash := hashPassword("correct")
	for _, c := range []struct {
		name, hash, password string
		want                 bool
	}{
		{"right", hash, "correct", true},
		{"wrong", hash, "Correct", false},
		{"nobody's", "", "", false},
		{"another kind of hash", "$2a$10$abc", "correct", false},
		{"cut", hash[:len(hash)-1], "correct", false},
		{"too long", hash, string(make([]byte, maxPassword+1)), false},
	} {
		if got := checkPassword(c.hash, c.password); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	if again := hashPassword("correct"); again == hash {
		t.Error("two hashes of one password are the same: there is no salt")
	}
}
