package redisstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Check asks Redis whether it can keep what it is given: version 6.2 or newer,
// which has GETDEL, and no memory limit under which it forgets keys that have
// not expired. A replay memory that forgets lets an assertion in twice.
//
// It does not see whether Redis writes to disk and has replicas; see the package
// comment.
func (s *Store) Check(ctx context.Context) error {
	var text string
	err := s.run(ctx, "check", func(ctx context.Context) (err error) {
		text, err = s.client.Info(ctx).Result()
		return err
	})
	if err != nil {
		return err
	}
	info := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[name] = value
		}
	}
	if v := info["redis_version"]; older(v, 6, 2) {
		return fmt.Errorf("redisstore: check: Redis %s has no GETDEL: version 6.2 or newer is needed", v)
	}
	limit, policy := info["maxmemory"], info["maxmemory_policy"]
	if limit != "" && limit != "0" && policy != "" && policy != "noeviction" {
		return fmt.Errorf("redisstore: check: maxmemory-policy is %s: under pressure Redis would forget which assertions were used; set it to noeviction", policy)
	}
	return nil
}

// older says whether a version like 6.0.16 is older than major.minor. What is
// no version is not older: other servers speak this protocol too.
func older(version string, major, minor int) bool {
	first, rest, _ := strings.Cut(version, ".")
	second, _, _ := strings.Cut(rest, ".")
	a, err1 := strconv.Atoi(first)
	b, err2 := strconv.Atoi(second)
	if err1 != nil || err2 != nil {
		return false
	}
	return a < major || a == major && b < minor
}
