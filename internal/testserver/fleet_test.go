package testserver

import (
	"fmt"
	"os"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if n, ok := Child(); ok {
		WaitForGo()
		fmt.Println("went", n, os.Getenv("SSO_TEST_WORD"))
		if n == 0 {
			select {}
		}
		return
	}
	os.Exit(m.Run())
}

func TestFleet(t *testing.T) {
	t.Parallel()
	f := NewFleet(t, 3, "SSO_TEST_WORD=far")
	f.Go()
	late := time.After(20 * time.Second)
	seen := map[string]bool{}
	for {
		select {
		case line, ok := <-f.Lines():
			if ok {
				seen[line.Text] = line.Text == fmt.Sprintf("went %d far", line.Child)
				if line.Child == 0 {
					f.Kill(0) // it would not end by itself
				}
				continue
			}
			if len(seen) != 3 || !seen["went 0 far"] || !seen["went 1 far"] || !seen["went 2 far"] {
				t.Errorf("the processes wrote %v", seen)
			}
			return
		case <-late:
			t.Fatalf("the lines have not ended; so far %v", seen)
		}
	}
}
