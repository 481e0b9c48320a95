package sealed

import (
	"bytes"
	"testing"
)

func TestNamesDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, kind := range []string{"state", "replay"} {
		for _, key := range []string{"", "a", "b", "a\x00"} {
			name := string(Name(kind, key))
			if len(name) != 32 {
				t.Errorf("Name(%q, %q) has %d bytes, want 32", kind, key, len(name))
			}
			if other, ok := seen[name]; ok {
				t.Errorf("Name(%q, %q) is the name of %s", kind, key, other)
			}
			seen[name] = kind + " " + key
		}
	}
	if got := Name("state", "a"); !bytes.Equal(got, Name("state", "a")) {
		t.Error("the same key has two names")
	}
}

func TestSealOpen(t *testing.T) {
	t.Parallel()
	value := []byte("who wants to enter where")
	box, err := Seal("state", "key", value)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(box, value[:8]) {
		t.Error("the sealed value shows the value")
	}
	changed := bytes.Clone(box)
	changed[len(changed)-1] ^= 1
	for _, c := range []struct {
		name, kind, key string
		box             []byte
		ok              bool
	}{
		{"as sealed", "state", "key", box, true},
		{"another key", "state", "kez", box, false},
		{"another kind", "replay", "key", box, false},
		{"changed", "state", "key", changed, false},
		{"cut", "state", "key", box[:len(box)-1], false},
		{"nothing", "state", "key", nil, false},
	} {
		got, err := Open(c.kind, c.key, c.box)
		if (err == nil) != c.ok || c.ok && !bytes.Equal(got, value) || !c.ok && got != nil {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
	again, err := Seal("state", "key", value)
	if err != nil || bytes.Equal(again, box) {
		t.Errorf("the same value sealed twice looks the same: two records can be compared (%v)", err)
	}
	name := Name("state", "key")
	if k := derive("value", "state", "key"); bytes.Equal(name, k[:]) {
		t.Error("the name that the store shows is the key that encrypts")
	}
}

func BenchmarkSeal(b *testing.B) {
	value := make([]byte, 400)
	for b.Loop() {
		if _, err := Seal("state", "0123456789abcdef0123456789abcdef", value); err != nil {
			b.Fatal(err)
		}
	}
}
