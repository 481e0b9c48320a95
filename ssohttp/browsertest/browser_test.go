package browsertest

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/ssoconn/sso/ssohttp"
)

// TestBrowser runs in one Chromium, each case in a browser context of its own.
func TestBrowser(t *testing.T) {
	person := chrome(t)

	t.Run("sign in", func(t *testing.T) {
		r := newRig(t)
		ctx := person()
		run(t, ctx, r.toIdP(), submit())
		r.signedIn(ctx, "/deals")
		if !slices.Equal(r.posts, []bool{false, true}) {
			t.Errorf("posts with the cookie: %v, want the first without and ours with it", r.posts)
		}
	})

	t.Run("SameSite=None", func(t *testing.T) {
		r := newRig(t, func(c *ssohttp.Config) { c.SameSiteNone = true })
		ctx := person()
		run(t, ctx, r.toIdP(), submit(), chromedp.WaitVisible(chromedp.CSS("#who")))
		if len(r.logins) != 1 || !slices.Equal(r.posts, []bool{true}) {
			t.Errorf("%d signed in, posts with the cookie: %v, refused %v", len(r.logins), r.posts, r.refused)
		}
	})

	t.Run("scripts off", func(t *testing.T) {
		r := newRig(t)
		ctx := person()
		run(t, ctx, noScripts, r.toIdP(), submit(), chromedp.WaitVisible(chromedp.CSS(`input[name=sso_again] ~ p button`)))
		screenshot(ctx, "repost")
		run(t, ctx, chromedp.Click(chromedp.CSS("button")))
		r.signedIn(ctx, "/deals")
	})

	t.Run("expired", func(t *testing.T) {
		r := newRig(t)
		ctx := person()
		run(t, ctx, r.toIdP())
		r.mu.Lock()
		r.ahead = 16 * time.Minute
		r.mu.Unlock()
		run(t, ctx, submit())
		r.refusedWith(ctx, ssohttp.CodeStateExpired)
		screenshot(ctx, "expired")
		staysPut(t, ctx, r)
	})

	t.Run("back button", func(t *testing.T) {
		r := newRig(t)
		ctx := person()
		run(t, ctx, r.toIdP(), submit())
		r.signedIn(ctx, "/deals")
		// One step back is the IdP's page: ours in between has gone.
		run(t, ctx, soon(`history.back()`), chromedp.Sleep(500*time.Millisecond), until(`document.querySelector("#go") !== null`), soon(`document.querySelector("#go").click()`))
		r.refusedWith(ctx, ssohttp.CodeStateUsed)
		screenshot(ctx, "used")
		staysPut(t, ctx, r)
		run(t, ctx, chromedp.Click(chromedp.CSS("a")))
		r.signedIn(ctx, "/")
		if len(r.logins) != 1 {
			t.Errorf("%d signed in, want 1", len(r.logins))
		}
	})

	t.Run("double submit", func(t *testing.T) {
		r := newRig(t)
		r.double = true
		ctx := person()
		run(t, ctx, r.toIdP())
		tab := chromedp.WaitNewTarget(ctx, func(i *target.Info) bool { return i.Type == "page" })
		run(t, ctx, submit())
		other, cancel := chromedp.NewContext(ctx, chromedp.WithTargetID(<-tab))
		defer cancel()
		both := []string{ends(t, ctx), ends(t, other)}
		slices.Sort(both)
		if !slices.Equal(both, []string{"refused", "signed in"}) || len(r.logins) != 1 || !slices.Equal(r.refused, []ssohttp.Code{ssohttp.CodeStateUsed}) {
			t.Errorf("got %v, %d signed in, refused %v", both, len(r.logins), r.refused)
		}
	})

	t.Run("two tabs", func(t *testing.T) {
		r := newRig(t)
		one := person()
		run(t, one, r.toIdP())
		two, cancel := chromedp.NewContext(one)
		defer cancel()
		run(t, two, r.toIdP(), submit())
		r.signedIn(two, "/deals")
		run(t, one, submit())
		r.signedIn(one, "/deals")
	})

	t.Run("another browser's answer", func(t *testing.T) {
		r := newRig(t)
		attacker, victim, fresh := person(), person(), person()
		run(t, attacker, r.toIdP())
		answer := r.answers[0]
		run(t, victim, r.toIdP()) // has a sign-in under way
		run(t, victim, postFrom(r.app+"/sso/acme/acs", answer))
		r.refusedWith(victim, ssohttp.CodeOtherBrowser)
		screenshot(victim, "other-browser")
		staysPut(t, victim, r)
		run(t, fresh, chromedp.Navigate(r.idp+"/"), postFrom(r.app+"/sso/acme/acs", answer))
		r.refusedWith(fresh, ssohttp.CodeNoCookie)
		if !slices.Equal(r.posts, []bool{false, true, false, false}) {
			t.Errorf("posts with the cookie: %v, want one more by each, and no loop", r.posts)
		}
		run(t, attacker, submit()) // nobody used it up
		r.signedIn(attacker, "/deals")
	})

	t.Run("test flow", func(t *testing.T) {
		r := newRig(t)
		ctx := person()
		run(t, ctx, chromedp.Navigate(r.app+"/settings"))
		opened := chromedp.WaitNewTarget(ctx, func(i *target.Info) bool { return i.Type == "page" })
		run(t, ctx, chromedp.Click(chromedp.CSS("#test")))
		id := <-opened
		tab, cancel := chromedp.NewContext(ctx, chromedp.WithTargetID(id))
		defer cancel()
		run(t, tab, chromedp.WaitVisible(chromedp.CSS("#go")))
		if get(t, tab, chromedp.Evaluate[bool](`window.opener !== null`)) {
			t.Error("the IdP did not cut the tie, so the test shows nothing")
		}
		run(t, ctx, until(`document.getElementById("result").textContent == "running"`))
		run(t, tab, soon(`document.getElementById("go").click()`))
		run(t, ctx, until(`document.getElementById("result").textContent.startsWith("done true would create Ann Lee")`))
		gone := false
		for range 50 {
			infos, err := chromedp.Targets(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if gone = !slices.ContainsFunc(infos, func(i *target.Info) bool { return i.TargetID == id }); gone {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if !gone {
			t.Error("the tab is still open")
		}
		if len(r.logins) != 0 {
			t.Error("the test opened a session")
		}
	})

	t.Run("test page", func(t *testing.T) {
		r := newRig(t)
		ctx := person()
		r.conn.SP.EntityID += "/wrong" // the IdP is told it all the same, and puts it into the audience
		run(t, ctx, chromedp.Navigate(r.app+"/sso/acme/test?run=x"), chromedp.WaitVisible(chromedp.CSS("#go")))
		r.conn.SP.EntityID = strings.TrimSuffix(r.conn.SP.EntityID, "/wrong")
		run(t, ctx, submit(), chromedp.WaitVisible(chromedp.CSS("li.failed")))
		screenshot(ctx, "test-failed")
	})
}

// TestThirdPartyCookies checks first whether they are blocked, as they are in
// private windows and by a setting, and that nothing depends on it.
func TestThirdPartyCookies(t *testing.T) {
	const setting = `{"profile":{"cookie_controls_mode":%d,"block_third_party_cookies":%t}}`
	for _, tt := range []struct {
		name        string
		preferences string
		kind        []chromedp.ContextOption
		third       bool
	}{
		{"allowed", fmt.Sprintf(setting, 0, false), nil, true},
		{"blocked", fmt.Sprintf(setting, 1, true), nil, false},
		{"private window", "", []chromedp.ContextOption{chromedp.WithNewBrowserContext()}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			person := windows(t, tt.preferences, tt.kind...)
			for _, none := range []bool{false, true} {
				r := newRig(t, func(c *ssohttp.Config) { c.SameSiteNone = none })
				r.img = true
				ctx := person()
				run(t, ctx, chromedp.Navigate(r.app+"/third/plant"), r.toIdP(), until(`document.images[0].complete`))
				if !slices.Equal(r.third, []bool{tt.third}) {
					t.Fatalf("third-party cookies come: %v, want %v", r.third, tt.third)
				}
				run(t, ctx, submit(), chromedp.WaitVisible(chromedp.CSS("#who")))
				if len(r.logins) != 1 || len(r.refused) != 0 {
					t.Errorf("SameSite=None %v: %d signed in, refused %v", none, len(r.logins), r.refused)
				}
			}
		})
	}
}

// noScripts switches the page's scripts off.
func noScripts(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
	_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	return chromedp.Void{}, err
}

// ends says how a tab ended up.
func ends(t *testing.T, ctx context.Context) string {
	t.Helper()
	run(t, ctx, chromedp.WaitVisible(chromedp.CSS("#who, .number")))
	if get(t, ctx, chromedp.Evaluate[bool](`document.querySelector(".number") !== null`)) {
		return "refused"
	}
	return "signed in"
}

// staysPut checks that a refusal does not start anything by itself.
func staysPut(t *testing.T, ctx context.Context, r *rig) {
	t.Helper()
	r.mu.Lock()
	posts, answers := len(r.posts), len(r.answers)
	r.mu.Unlock()
	run(t, ctx, chromedp.Sleep(500*time.Millisecond))
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.posts) != posts || len(r.answers) != answers {
		t.Errorf("the refusal went on by itself: %d posts and %d requests more", len(r.posts)-posts, len(r.answers)-answers)
	}
}

// postFrom posts a form from a page of another site, as an attacker's would.
func postFrom(to string, form url.Values) step {
	script := `const f = document.createElement("form"); f.method = "post"; f.action = "` + to + `";`
	for name, values := range form {
		script += `{const i = document.createElement("input"); i.type = "hidden"; i.name = "` + name + `"; i.value = "` + values[0] + `"; f.append(i)}`
	}
	return soon(script + `document.body.append(f); f.submit()`)
}
