package sso_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ssoconn/sso"
)

// A sign-in failed yesterday. The trace of it, which the application wrote down
// with Connection.Trace, is a test today: it fails in the same way, and passes
// once the connection is corrected.
func ExampleTrace_Inspect() {
	text, err := os.ReadFile("testdata/traces/audience.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	var trace sso.Trace
	if err := json.Unmarshal(text, &trace); err != nil {
		fmt.Println(err)
		return
	}
	show := func() {
		r := trace.Inspect(context.Background())
		fmt.Println("accepted:", r.OK())
		for _, k := range r.Checks {
			if k.Status == sso.CheckFailed {
				fmt.Printf("%s: got %s, want %s\n", k.Name, k.Got, k.Want)
			}
		}
	}
	show()
	trace.Connection.SP.EntityID = "https://app.example.com/saml/metadata/" // what the IdP has
	show()
	// Output:
	// accepted: false
	// audience: got "https://app.example.com/saml/metadata/", want "https://app.example.com/saml/metadata"
	// accepted: true
}

// An answer that is refused is written down, without naming the person.
func ExampleConnection_Trace() {
	text, err := os.ReadFile("testdata/connections/version1.json") // the application's store
	if err != nil {
		fmt.Println(err)
		return
	}
	var conn sso.Connection
	if err := json.Unmarshal(text, &conn); err != nil {
		fmt.Println(err)
		return
	}
	posted := "bm90IFhNTA==" // the form field SAMLResponse
	o := sso.VerifyOptions{RequestID: "_request", CurrentTime: time.Now()}

	_, err = conn.VerifyResponse(context.Background(), posted, o)
	var refused *sso.VerifyError
	if errors.As(err, &refused) {
		trace := conn.Trace(context.Background(), posted, o)
		trace.Flow, trace.Reason = sso.FlowLogin, string(refused.Reason)
		row, err := json.Marshal(trace) // for a table whose rows are deleted after a while
		fmt.Println(trace.Reason, len(row) > 0, err)
		fmt.Println(trace.Note[:40])
	}
	// Output:
	// xml true <nil>
	// the document is left out: it is not XML,
}
