package ssohttp

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

// FuzzForm holds our reader of forms to the standard library's.
func FuzzForm(f *testing.F) {
	for _, s := range []string{
		"", "SAMLResponse=PA==&RelayState=x", "SAMLResponse=PA&SAMLResponse=PA", "SAML%52esponse=P+A%2B", "&&&=&SAMLResponse", "sso_again=1&SAMLResponse=%50", "SAMLResponse=%z", "RelayState=a;b&SAMLResponse=x",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var form acsForm
		err := form.scan([]byte(body))
		if err != nil {
			return
		}
		if strings.Contains(body, ";") {
			return // the standard library refuses them; they mean nothing to us
		}
		want, _ := url.ParseQuery(body)
		if len(want[fieldResponse]) != 1 || want.Get(fieldResponse) != form.response || want.Get(fieldRelayState) != form.relayState || want.Has(fieldAgain) != form.again {
			t.Errorf("%q: got %+v, the standard library %v", body, form, want)
		}
	})
}

// FuzzHandle never takes a handle but from the browser it was made for.
func FuzzHandle(f *testing.F) {
	const mine, theirs = "AAAAAAAAAAAAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBBBBBBBBBBBB"
	f.Add(newHandle(mine, start), uint8(0), uint8(0))
	f.Add(strings.Repeat("A", handleLength), uint8(3), uint8(1))
	f.Fuzz(func(t *testing.T, s string, at, flip uint8) {
		_ = checkHandle(s, mine, start, time.Minute) // no panic
		good := newHandle(mine, start)
		if !handleShaped(good) || checkHandle(good, mine, start.Add(59*time.Second), time.Minute) != nil {
			t.Fatalf("%q does not hold", good)
		}
		if checkHandle(good, theirs, start, time.Minute) == nil || checkHandle(good, mine, start.Add(time.Minute), time.Minute) == nil {
			t.Fatalf("%q holds for another browser, or for ever", good)
		}
		if flip == 0 {
			return
		}
		b := []byte(good)
		b[int(at)%len(b)] ^= flip
		if checkHandle(string(b), mine, start, time.Minute) == nil {
			t.Fatalf("%q changed from %q holds", b, good)
		}
	})
}
