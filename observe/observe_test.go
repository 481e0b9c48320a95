package observe_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/observe"
)

func logged(t *testing.T, o slog.HandlerOptions, e sso.Event) map[string]any {
	t.Helper()
	var b bytes.Buffer
	observe.Log(slog.New(slog.NewJSONHandler(&b, &o))).Observe(t.Context(), e)
	if b.Len() == 0 {
		return nil
	}
	var line map[string]any
	if err := json.Unmarshal(b.Bytes(), &line); err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	delete(line, "time")
	return line
}

func TestLog(t *testing.T) {
	t.Parallel()
	for _, k := range []struct {
		name string
		e    sso.Event
		want map[string]any
	}{
		{"sent", sso.Event{Kind: sso.EventRequestSent, Time: time.Now(), ConnectionID: "acme", Flow: sso.FlowLogin},
			map[string]any{"level": "INFO", "msg": "sso", "event": "request_sent", "connection": "acme", "flow": "login"}},
		{"refused", sso.Event{Kind: sso.EventResponseRefused, ConnectionID: "acme", Reason: "audience", Reference: "ABCDE-FGHIJ", Detail: `sso: audience: got "https://a/", want "https://b/"`},
			map[string]any{"level": "WARN", "msg": "sso", "event": "response_refused", "connection": "acme", "reason": "audience", "reference": "ABCDE-FGHIJ", "detail": `sso: audience: got "https://a/", want "https://b/"`}},
		{"entered", sso.Event{Kind: sso.EventUserEntered, ConnectionID: "acme", UserID: "7", SubjectDigest: "0123"},
			map[string]any{"level": "INFO", "msg": "sso", "event": "user_entered", "connection": "acme", "user": "7", "subject": "0123"}},
	} {
		if diff := cmp.Diff(k.want, logged(t, slog.HandlerOptions{}, k.e)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", k.name, diff)
		}
	}
	if got := logged(t, slog.HandlerOptions{Level: slog.LevelWarn}, sso.Event{Kind: sso.EventUserEntered}); got != nil {
		t.Errorf("logged %v below the level", got)
	}
	observe.Log(nil).Observe(t.Context(), sso.Event{Kind: "nobody_wants_this"})
}

// TestLogRedacts: no address gets into a log, in whatever it is wrapped.
func TestLogRedacts(t *testing.T) {
	t.Parallel()
	detail := func(s string) string {
		return logged(t, slog.HandlerOptions{}, sso.Event{Kind: sso.EventUserRefused, Detail: s})["detail"].(string)
	}
	for _, s := range []string{
		`ann@example.com`, `the NameID "ann@example.com", which`, `<ann@example.com>`, `mailto:ann@example.com`, `(ann@example.com)`, `ann@example`,
		"a ann@example.com b", "ann@example.com\u00a0x", `"ann@example.com"; ok`, `got ["x", "ann@example.com"]`, `x“ann@example.com”`, strings.Repeat("x ", 240) + "ann@example.com ann@example.com",
	} {
		if got := detail(s); strings.Contains(got, "ann") || strings.Contains(got, "@") {
			t.Errorf("%q is logged as %q", s, got)
		}
	}
	if a, b := detail("ann@example.com"), detail("was Ann@Example.com"); !strings.HasSuffix(b, a) {
		t.Errorf("one address is %q and %q", a, b)
	}
	if a, b := detail("ann@example.com"), detail("bob@example.com"); a == b {
		t.Errorf("two addresses are %q", a)
	}
	const harmless = `sso: status: got Responder: "nobody of that name", want Success`
	if got := detail(harmless); got != harmless {
		t.Errorf("%q became %q", harmless, got)
	}
	if got := detail(strings.Repeat("ü", 100_000)); len(got) > 600 {
		t.Errorf("logged %d bytes", len(got))
	}
	got := logged(t, slog.HandlerOptions{}, sso.Event{Kind: sso.EventUserEntered, UserID: "ann@example.com"})
	if s := fmt.Sprint(got); strings.Contains(s, "ann") {
		t.Errorf("the key of the user is logged as %s", s)
	}
}

func TestCounters(t *testing.T) {
	t.Parallel()
	var c observe.Counters
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				c.Observe(t.Context(), sso.Event{Kind: sso.EventResponseRefused, Flow: sso.FlowLogin, Reason: "audience", ConnectionID: "acme"})
				c.Observe(t.Context(), sso.Event{Kind: sso.EventUserEntered, Flow: sso.FlowInvite, UserID: "7", Detail: "x"})
			}
		})
	}
	wg.Wait()
	c.Observe(t.Context(), sso.Event{Kind: sso.EventResponseRefused, Reason: "evil\"} 1\nsso_events_total{"})
	got := map[observe.Labels]uint64{}
	c.Each(func(l observe.Labels, n uint64) { got[l] = n })
	want := map[observe.Labels]uint64{
		{Kind: sso.EventResponseRefused, Flow: sso.FlowLogin, Reason: "audience"}: 800,
		{Kind: sso.EventUserEntered, Flow: sso.FlowInvite}:                        800,
		{Kind: sso.EventResponseRefused, Reason: "other"}:                         1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestCountersText holds the text to the grammar of Prometheus's format.
func TestCountersText(t *testing.T) {
	t.Parallel()
	var c observe.Counters
	c.Observe(t.Context(), sso.Event{Kind: sso.EventUserCreated, Flow: sso.FlowInvite})
	c.Observe(t.Context(), sso.Event{Kind: sso.EventResponseRefused, Flow: sso.FlowLogin, Reason: "expired"})
	c.Observe(t.Context(), sso.Event{Kind: "\"}\n", Flow: "{", Reason: strings.Repeat("a", 1000)})
	w := httptest.NewRecorder()
	c.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	want := `# HELP sso_events_total Events of single sign-on, by kind, flow and reason.
# TYPE sso_events_total counter
sso_events_total{kind="other",flow="other",reason="other"} 1
sso_events_total{kind="response_refused",flow="login",reason="expired"} 1
sso_events_total{kind="user_created",flow="invite",reason=""} 1
`
	if diff := cmp.Diff(want, w.Body.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var b bytes.Buffer
	if n, err := c.WriteTo(&b); err != nil || n != int64(b.Len()) || n != int64(len(want)) {
		t.Errorf("wrote %d bytes, %v, want %d", n, err, len(want))
	}
	if got := w.Header().Get("Content-Type"); got != "text/plain; version=0.0.4; charset=utf-8" {
		t.Errorf("content type %q", got)
	}
}

// TestCountersAreBounded: nothing from outside makes more counts than these.
func TestCountersAreBounded(t *testing.T) {
	t.Parallel()
	var c observe.Counters
	for i := range 10_000 {
		c.Observe(t.Context(), sso.Event{Kind: sso.EventResponseRefused, Reason: fmt.Sprintf("reason_%d", i)})
	}
	lines, sum := 0, uint64(0)
	c.Each(func(_ observe.Labels, n uint64) { lines++; sum += n })
	if lines != 513 || sum != 10_000 {
		t.Errorf("%d counts of %d events, want 513 of 10000", lines, sum)
	}
}

// TestLabelsAreTheLibrarys: what the library calls its events, flows and reasons
// is what counts under its own name.
func TestLabelsAreTheLibrarys(t *testing.T) {
	t.Parallel()
	source := ""
	for _, file := range []string{"../observe.go", "../provision.go", "../errors.go", "../outcome.go", "../ssohttp/refusal.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source += string(text)
	}
	values := regexp.MustCompile(`(?m)^\t\w+\s+(?:EventKind|Flow|Reason|RefusalCode|Code)\s+= "([^"]*)"`).FindAllStringSubmatch(source, -1)
	if len(values) < 70 {
		t.Fatalf("found %d values only", len(values))
	}
	for _, v := range values {
		var c observe.Counters
		c.Observe(t.Context(), sso.Event{Kind: sso.EventKind(v[1]), Reason: v[1]})
		c.Each(func(l observe.Labels, _ uint64) {
			if string(l.Kind) != v[1] || l.Reason != v[1] {
				t.Errorf("%q counts as %+v", v[1], l)
			}
		})
	}
}

func TestAll(t *testing.T) {
	t.Parallel()
	var got []string
	note := func(name string) sso.Observer {
		return sso.ObserverFunc(func(_ context.Context, e sso.Event) { got = append(got, name+" "+string(e.Kind)) })
	}
	observe.All(note("a"), nil, note("b")).Observe(t.Context(), sso.Event{Kind: sso.EventTestRun})
	if diff := cmp.Diff([]string{"a test_run", "b test_run"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func Example() {
	var counters observe.Counters
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	observer := observe.All(observe.Log(logger), &counters) // into ssohttp.Config and sso.Provisioner

	observer.Observe(context.Background(), sso.Event{Kind: sso.EventUserRefused, ConnectionID: "acme", Flow: sso.FlowLogin, Reason: string(sso.RefusedNoUser), Detail: "ann@example.com is not a user yet"})
	_, _ = counters.WriteTo(os.Stdout)
	// Output:
	// level=WARN msg=sso event=user_refused connection=acme flow=login reason=no_user detail="[address 71d4f55f72fa] is not a user yet"
	// # HELP sso_events_total Events of single sign-on, by kind, flow and reason.
	// # TYPE sso_events_total counter
	// sso_events_total{kind="user_refused",flow="login",reason="no_user"} 1
}
