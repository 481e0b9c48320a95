package sso_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/ssoconn/sso"
)

// readConnection stands for the application's store.
func readConnection(file string) (*sso.Connection, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	c := new(sso.Connection)
	return c, json.Unmarshal(text, c)
}

// A connection goes from draft to on by way of a test, and back to draft by a
// change.
func ExampleConnection_Enable() {
	c, err := readConnection("testdata/connections/version1.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Enable())

	// What InspectResponse said of the answer to a test; ssohttp does this.
	report := &sso.Report{Checks: []sso.Check{{Name: "audience", Status: sso.CheckPassed}}}
	c.RecordTest(report, time.Now(), "ann", "7")
	fmt.Println(c.Enable(), c.Ready())

	c.Name, c.AllowedGroups = "Another name", []string{"Support"}
	fmt.Println(c.ChangedSinceTest(), c.Ready())

	c.IdP.SSOURL = "https://idp.example.com/other"
	fmt.Println(c.ChangedSinceTest(), c.Ready())
	// Output:
	// sso: LastTest: was never tested; test the connection, then switch it on
	// <nil> true
	// [] true
	// [IdP.SSOURL] false
}

// Where single sign-on is the only way in, whoever switches it on must have come
// back from the IdP as themself.
func ExampleConnection_EnableRequired() {
	c, err := readConnection("testdata/connections/version1-tested.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.EnableRequired("8"))
	fmt.Println(c.EnableRequired("7"))
	// Output:
	// sso: LastTest: was not passed by the administrator who switches the connection on; run the test and sign in at the identity provider as yourself
	// <nil>
}

// The application sends the two events that only it can: that it switched a
// connection, and, once a day, that a certificate is about to end.
func ExampleEvent() {
	var observer sso.Observer = sso.ObserverFunc(func(_ context.Context, e sso.Event) {
		fmt.Println(e.Kind, e.ConnectionID, e.Reason+e.Detail)
	})
	c, err := readConnection("testdata/connections/version1-tested.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, now := context.Background(), time.Date(2044, 12, 20, 0, 0, 0, 0, time.UTC)

	c.Disable()
	observer.Observe(ctx, sso.Event{Kind: sso.EventConnectionSwitched, Time: now, ConnectionID: c.ID, Reason: "off"})
	for _, x := range c.Expiring(now, 30*24*time.Hour) {
		observer.Observe(ctx, sso.Event{Kind: sso.EventCertificateExpiring, Time: now, ConnectionID: c.ID,
			Detail: fmt.Sprintf("%s ends on %s", x.Field, x.NotAfter.Format(time.DateOnly))})
	}
	// Output:
	// connection_switched acme off
	// certificate_expiring acme IdP.Certificates[0] ends on 2045-01-01
}
