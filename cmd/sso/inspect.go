package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/internal/samlxml"
	"github.com/ssoconn/sso/internal/xmltree"
)

const inspectUsage = `usage: sso inspect [flags] [file]

It reads the file, or the standard input, which is one of
  a trace, as the application wrote it down (JSON): nothing else is needed
  a SAMLResponse, which needs -connection and -request:
      the form value (base64, also percent-encoded), the body of the POST, or the XML

and says of each check how it came out, and of each failure what to do.
The exit code is 0 if the answer would be accepted, 1 if it would be refused, 2 if
this was called wrongly. Nothing is used up and nobody is let in.

  sso inspect trace.json
  sso inspect -connection conn.json -request _8e8dc5f6 -time 2026-03-01T09:00:00Z response.xml
  sso inspect -connection conn.json -request any        (then paste, and end with Ctrl-D)

flags:
`

// anyRequest leaves out the comparison with the request.
const anyRequest = "any"

type options struct {
	connection, request, at, key, colour string
	idpInitiated, json, xml              bool
}

func (c *command) inspect(args []string) int {
	var o options
	f := flag.NewFlagSet("inspect", flag.ContinueOnError)
	f.SetOutput(c.err)
	f.Usage = func() { fmt.Fprint(f.Output(), inspectUsage); f.PrintDefaults() }
	f.StringVar(&o.connection, "connection", "", "the connection's JSON, in this `file`; with a trace, in the place of the trace's")
	f.StringVar(&o.request, "request", "", "the `ID` of the AuthnRequest that was answered, or any: do not compare")
	f.BoolVar(&o.idpInitiated, "idp-initiated", false, "the sign-in began at the identity provider: there was no request")
	f.StringVar(&o.at, "time", "", "the `time` to check at, as in 2026-03-01T09:00:00Z; now, or that of the trace")
	f.StringVar(&o.key, "key", "", "private keys to decrypt with, PEM, in this `file`")
	f.StringVar(&o.colour, "color", "auto", "auto, always or never; `when` auto, NO_COLOR is heeded")
	f.BoolVar(&o.json, "json", false, "the report as JSON")
	f.BoolVar(&o.xml, "xml", false, "the document itself, in place of a report")
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		return exitAccepted
	} else if err != nil {
		return exitUsage
	}
	ok, err := c.inspectWith(&o, f.Args())
	switch {
	case err != nil:
		fmt.Fprintln(c.err, "sso inspect:", printable(err.Error()))
		fmt.Fprintln(c.err, "sso inspect -h says how to call it")
		return exitUsage
	case !ok:
		return exitRefused
	}
	return exitAccepted
}

func (c *command) inspectWith(o *options, files []string) (ok bool, err error) {
	if len(files) > 1 {
		return false, fmt.Errorf("%d files: one at a time, and flags stand before it", len(files))
	}
	if o.colour != "auto" && o.colour != "always" && o.colour != "never" {
		return false, fmt.Errorf("-color %s", o.colour)
	}
	trace, err := c.input(o, files)
	if err != nil {
		return false, err
	}
	if o.xml {
		return true, c.document(trace)
	}
	r := trace.Inspect(context.Background())
	if o.request == anyRequest {
		notCompared(r)
	}
	if o.json {
		e := json.NewEncoder(c.out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return r.OK(), e.Encode(struct {
			Accepted bool `json:"accepted"`
			*sso.Report
		}{r.OK(), r})
	}
	text := describe(trace) + r.String()
	_, err = fmt.Fprint(c.out, paint(printable(text), o.colour == "always" || o.colour == "auto" && c.terminal))
	return r.OK(), err
}

// input is what there is to inspect, as a trace, with what the flags say.
func (c *command) input(o *options, files []string) (*sso.Trace, error) {
	data, err := c.read(files)
	if err != nil {
		return nil, err
	}
	trace := &sso.Trace{}
	pasted := !strings.HasPrefix(data, "{")
	if pasted {
		if trace.Response, err = formValue(data); err != nil {
			return nil, err
		}
		trace.Time = time.Now()
	} else if err := json.Unmarshal([]byte(data), trace); err != nil {
		return nil, fmt.Errorf("this is no trace: %w", err)
	}
	if o.xml {
		return trace, nil
	}
	if o.connection != "" {
		if trace.Connection, err = readConnection(o.connection); err != nil {
			return nil, err
		}
	}
	if trace.Connection == nil {
		return nil, errors.New("a SAMLResponse is checked against a connection: give its JSON with -connection")
	}
	if o.key != "" {
		if trace.Connection.SP.DecryptionKeys, err = readKeys(o.key); err != nil {
			return nil, err
		}
	}
	if o.at != "" {
		if trace.Time, err = time.Parse(time.RFC3339Nano, o.at); err != nil {
			return nil, fmt.Errorf("-time %s is no time such as 2026-03-01T09:00:00Z", o.at)
		}
	}
	return trace, setRequest(trace, o, pasted)
}

// setRequest says which request was answered.
func setRequest(t *sso.Trace, o *options, pasted bool) error {
	switch {
	case o.request != "" && o.idpInitiated:
		return errors.New("-request and -idp-initiated exclude each other")
	case o.idpInitiated:
		t.RequestID, t.AllowIdPInitiated = "", true
	case o.request == anyRequest:
		t.RequestID = answered(t.Response)
		t.AllowIdPInitiated = t.RequestID == ""
	case o.request != "":
		t.RequestID, t.AllowIdPInitiated = o.request, false
	case pasted:
		return errors.New("which request was answered? Give its ID with -request, or -request any, or -idp-initiated if there was none")
	}
	return nil
}

// answered is the InResponseTo that the answer itself has, "" for none.
func answered(response string) string {
	data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(response), ""))
	if err != nil {
		return ""
	}
	root, err := xmltree.Parse(data, xmltree.Limits{Bytes: sso.MaxResponseSize})
	if err != nil {
		return ""
	}
	id, _ := samlxml.Attr(root, "InResponseTo")
	return id
}

// notCompared marks the check that compared a value with itself.
func notCompared(r *sso.Report) {
	for i := range r.Checks {
		if k := &r.Checks[i]; k.Name == "in response to" && k.Status == sso.CheckPassed {
			k.Status, k.Got, k.Hint = sso.CheckWarning, "not compared", "give the ID of the AuthnRequest with -request: without it this check means nothing"
		}
	}
}

// describe is what stands above the report of a trace.
func describe(t *sso.Trace) string {
	if t.Version == 0 {
		return "" // no trace, but pasted
	}
	s := fmt.Sprintf("trace of connection %q", t.Connection.ID)
	if t.Connection.Name != "" {
		s += fmt.Sprintf(" (%s)", t.Connection.Name)
	}
	for _, k := range []struct{ name, value string }{{"flow", string(t.Flow)}, {"reference", t.Reference}, {"ended with", t.Reason}, {"person", t.SubjectDigest}} {
		if k.value != "" {
			s += ", " + k.name + " " + k.value
		}
	}
	if t.Redacted && t.Response != "" {
		s += "; personal values were replaced"
	}
	return s + "\n"
}
