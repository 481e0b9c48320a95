package vectors

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const good = "expect: ok\nnow: 2026-03-01T09:00:00Z\nrequest: _a1\nconnection: basic\nname-id: ann@example.com\ncomment: Good.\n\n<a/>\n"

func TestParse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, new, want string }{
		"good":           {"", "", ""},
		"unknown key":    {"comment: ", "remark: ", `unknown key "remark"`},
		"twice":          {"request: _a1\n", "request: _a1\nrequest: _a1\n", "request twice"},
		"missing":        {"connection: basic\n", "", "connection is missing"},
		"no value":       {"request: _a1", "request:", "is no header line"},
		"no blank line":  {"\n\n", "\n", "no blank line"},
		"no message":     {"<a/>\n", "", "there is no message"},
		"bad time":       {"2026-03-01T", "2026-03-01 ", "cannot parse"},
		"check with ok":  {"expect: ok\n", "expect: ok\ncheck: audience\n", "check does not go with"},
		"refusal":        {"expect: ok\n", "expect: audience\n", "check is missing"},
		"bad body":       {"comment: ", "body: jpeg\ncomment: ", "not form"},
		"bad replay":     {"comment: ", "replay: maybe\ncomment: ", "neither"},
		"no name-id":     {"name-id: ann@example.com\n", "", "name-id is missing"},
		"crlf in header": {"request: _a1\n", "request: _a1\n\r\n", "no header line"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(good, c.old, c.new, 1)
			v, err := Parse("x", []byte(text))
			switch {
			case c.want == "" && err != nil:
				t.Fatal(err)
			case c.want == "":
				if diff := cmp.Diff(text, string(v.Format())); diff != "" {
					t.Errorf("Format does not give back what Parse read (-want +got):\n%s", diff)
				}
			case err == nil || !strings.Contains(err.Error(), c.want):
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestLoadNothing(t *testing.T) {
	t.Parallel()
	if _, err := Load(t.TempDir()); err == nil {
		t.Error("an empty directory is no error")
	}
}
