package sso_test

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/vectors"
)

// FuzzVerifyMutation cuts a piece out of an accepted message and puts something
// else there. Whatever comes of it, the message is refused or says just what
// a genuine one says: no change may make a person out of another.
func FuzzVerifyMutation(f *testing.F) {
	type original struct {
		v    *vectors.Vector
		c    *sso.Connection
		o    sso.VerifyOptions
		text string
		a    *sso.Assertion
	}
	var all []original
	for _, v := range loadVectors(f) {
		if v.Expect != "ok" || len(v.FormValue()) > 64<<10 {
			continue
		}
		text, err := base64.StdEncoding.DecodeString(v.FormValue())
		if err != nil {
			continue // a form value with its own spelling of base64
		}
		x := original{v: v, c: vectorConnection(f, v), text: string(text),
			o: sso.VerifyOptions{RequestID: v.Request, AllowIdPInitiated: v.Request == "", Replay: vectorReplay(""), CurrentTime: v.Now}}
		if x.a, err = x.c.VerifyResponse(context.Background(), v.FormValue(), x.o); err != nil {
			f.Fatalf("%s: %v", v.Name, err)
		}
		all = append(all, x)
	}
	if len(all) < 50 {
		f.Fatalf("%d accepted vectors", len(all))
	}
	// Places where classical attacks cut, in a few vectors: the fuzzer finds
	// the way to the others by itself.
	for i, x := range all {
		if i%8 != 0 {
			continue
		}
		for _, at := range []string{"<saml:Assertion", "<saml:NameID", "</saml:NameID>", "<ds:Signature", "</ds:Reference>", "InResponseTo", "<saml:Audience>", "xmlns:"} {
			if j := strings.Index(x.text, at); j >= 0 {
				f.Add(uint16(i), uint32(j), uint16(0), "<!-- x -->")
				f.Add(uint16(i), uint32(j+len(at)), uint16(1), "x")
			}
		}
		f.Add(uint16(i), uint32(0), uint16(len(x.text)), all[(i+1)%len(all)].text)
	}
	f.Fuzz(func(t *testing.T, which uint16, at uint32, cut uint16, put string) {
		x := all[int(which)%len(all)]
		from := int(at) % len(x.text)
		to := min(from+int(cut), len(x.text))
		form := base64.StdEncoding.EncodeToString([]byte(x.text[:from] + put + x.text[to:]))
		a, err := x.c.VerifyResponse(t.Context(), form, x.o)
		if (a == nil) != (err != nil) {
			t.Fatalf("%s: assertion %v with error %v", x.v.Name, a, err)
		}
		r := x.c.InspectResponse(t.Context(), form, x.o)
		if r.OK() != (err == nil) {
			t.Fatalf("%s: verified %v, but the report says\n%s", x.v.Name, err, r)
		}
		if err != nil {
			if len(err.Error()) > 4000 {
				t.Errorf("%s: an error of %d bytes", x.v.Name, len(err.Error()))
			}
			return
		}
		// What the fuzzer puts in may be most of another genuine message; then
		// it says what that one says, but for what the connection makes of it: a
		// warning, or an InResponseTo that it has been told to ignore.
		for _, other := range all {
			if cmp.Equal(other.a, a, cmpopts.IgnoreFields(sso.Assertion{}, "Warnings", "InResponseTo")) {
				return
			}
		}
		t.Fatalf("%s: the changed message says something that nobody said (-original +changed):\n%s", x.v.Name, cmp.Diff(x.a, a))
	})
}

// FuzzVerifyResponse takes anything: it never panics, and refuses.
func FuzzVerifyResponse(f *testing.F) {
	conn := testIdP().Connection(sso.ServiceProvider{})
	for _, v := range loadVectors(f) {
		if form := v.FormValue(); len(form) < 64<<10 {
			f.Add(form)
		}
	}
	f.Fuzz(func(t *testing.T, form string) {
		o := sso.VerifyOptions{RequestID: "_r1", CurrentTime: noon}
		a, err := conn.VerifyResponse(t.Context(), form, o)
		if err == nil || a != nil {
			t.Fatalf("accepted %v", a)
		}
		if conn.InspectResponse(t.Context(), form, o).OK() {
			t.Fatal("the report says that all is well")
		}
	})
}
