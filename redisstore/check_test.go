package redisstore

import "testing"

func TestOlder(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]bool{"5.0.14": true, "6.0.16": true, "6.1": true, "6.2.0": false, "6.10.1": false,
		"7.0.15": false, "10.0.1": false, "": false, "unstable": false, "6": false} {
		if got := older(version, 6, 2); got != want {
			t.Errorf("older(%q) is %v, want %v", version, got, want)
		}
	}
}
