package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// require ends the test where something is missing to run it with.
func require(t *testing.T, ok bool, missing string) {
	t.Helper()
	switch {
	case ok:
	case os.Getenv("SSO_TEST_REQUIRE") != "":
		t.Fatal(missing)
	default:
		t.Skip(missing)
	}
}

// pictures is where screenshots go, and axe the script that looks for what
// keeps people with a screen reader or a keyboard out.
const pictures = "../../.ci/out/crm"

func axe(t *testing.T) string {
	t.Helper()
	path := os.Getenv("SSO_AXE")
	if path == "" {
		path = "../../.ci/out/npm/node_modules/axe-core/axe.min.js"
	}
	script, err := os.ReadFile(path)
	require(t, err == nil, "no axe-core: npm install --prefix .ci/out/npm axe-core, or name axe.min.js in SSO_AXE")
	return string(script)
}

// A tab is a tab of a browser with somebody in front of it.
type tab struct {
	t      *testing.T
	ctx    context.Context
	axe    string
	prefix string // of screenshots
	shots  *int
}

// newBrowser starts a Chromium that asks for pages in a language.
func newBrowser(t *testing.T, lang, prefix string) *tab {
	t.Helper()
	path, err := exec.LookPath("chromium")
	require(t, err == nil, "no chromium: apt-get install chromium")
	script := axe(t)
	if err := os.MkdirAll(pictures, 0o755); err != nil {
		t.Fatal(err)
	}
	allocator, cancelAllocator := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.Headless, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("accept-lang", lang), chromedp.Flag("lang", lang),
		chromedp.UserDataDir(t.TempDir()), chromedp.WSURLReadTimeout(time.Minute), chromedp.WindowSize(1280, 800))
	ctx, cancel := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting chromium: %v", err)
	}
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx)
		cancel()
		cancelAllocator()
	})
	b := &tab{t: t, ctx: ctx, axe: script, prefix: prefix, shots: new(int)}
	b.do(chromedp.EmulateViewport(1280, 800))
	return b
}

// person opens a tab that has nothing in common with the others.
func (b *tab) person() *tab { return b.open(chromedp.WithNewBrowserContext()) }

func (b *tab) open(options ...chromedp.ContextOption) *tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, options...)
	b.t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // with no time limit, which would become the tab's
		b.t.Fatal(err)
	}
	other := *b
	other.ctx = ctx
	other.do(chromedp.EmulateViewport(1280, 800))
	return &other
}

// front brings the tab to the front: Chromium draws no others.
func (b *tab) front() {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, cdppage.BringToFront, cdp.Empty{})
		return err
	}))
}

// do takes steps, each of which has its time.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	for _, s := range steps {
		ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
		err := chromedp.Do(ctx, s)
		cancel()
		if err != nil {
			b.fatal(err)
		}
	}
}

func (b *tab) fatal(err error) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	at, _ := chromedp.Run(ctx, chromedp.Location())
	body, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`))
	if png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100)); err == nil {
		_ = os.WriteFile(filepath.Join(pictures, b.prefix+"-failed.png"), png, 0o600)
	}
	b.t.Fatalf("%v at %s:\n%s", err, at, body)
}

// eval is the value of an expression.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.fatal(fmt.Errorf("%s: %w", expression, err))
	}
	return v
}

// soon runs a script that may take its own page away, and the answer with it.
func (b *tab) soon(script string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Evaluate[int](`setTimeout(() => {`+script+`}, 50), 1`))
	if err != nil && !strings.Contains(err.Error(), "detached") {
		b.fatal(err)
	}
}

// until waits until an expression is true, whatever page there is by then.
func (b *tab) until(expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	for {
		if ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression)); err == nil && ok {
			return
		}
		select {
		case <-ctx.Done():
			b.fatal(fmt.Errorf("waited in vain for %s", expression))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

const loaded = `document.readyState === "complete" && window.before === undefined`

func (b *tab) visit(address string) {
	b.t.Helper()
	b.do(chromedp.Navigate(address))
	b.until(loaded)
}

// click presses what a selector finds, with a mouse.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.front()
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// follow is a click that leads to another page.
func (b *tab) follow(selector string) {
	b.t.Helper()
	eval[bool](b, `window.before = true`)
	b.click(selector)
	b.until(loaded)
}

// followText follows the link or button that reads so.
func (b *tab) followText(text string) {
	b.t.Helper()
	b.until(fmt.Sprintf(`(() => { const e = [...document.querySelectorAll("a, button, summary")].find(e => e.checkVisibility() && e.textContent.trim() === %q);
		if (e) e.id = e.id || "found"; if (e) document.querySelectorAll(".found").forEach(f => f.classList.remove("found")); e?.classList.add("found"); return !!e })()`, text))
	b.follow(".found")
}

// fill types into a field, over what is there, as a paste does.
func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.front()
	b.do(chromedp.Focus(chromedp.CSS(selector)))
	eval[bool](b, fmt.Sprintf(`(() => { document.querySelector(%q).select(); return true })()`, selector))
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, input.InsertText, input.InsertTextParams{Text: text})
		return err
	}))
}

func (b *tab) text(selector string) string {
	b.t.Helper()
	return eval[string](b, fmt.Sprintf(`document.querySelector(%q)?.innerText ?? ""`, selector))
}

func (b *tab) value(selector string) string {
	b.t.Helper()
	return eval[string](b, fmt.Sprintf(`document.querySelector(%q).value`, selector))
}

// says holds the page to showing a text.
func (b *tab) says(want string) {
	b.t.Helper()
	if got := b.text("body"); !strings.Contains(got, want) {
		b.fatal(fmt.Errorf("the page does not say %q", want))
	}
}

func (b *tab) has(selector string, want bool) {
	b.t.Helper()
	if got := eval[bool](b, fmt.Sprintf(`document.querySelector(%q) !== null`, selector)); got != want {
		b.fatal(fmt.Errorf("%s is there: %v, want %v", selector, got, want))
	}
}

// opens clicks and returns the tab that opens by it, once it has come to the
// practice IdP: on the way it changes processes, and would be lost.
func (b *tab) opens(selector, at string) (*tab, target.ID) {
	b.t.Helper()
	b.click(selector)
	for range 200 {
		infos, err := chromedp.Targets(b.ctx)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, i := range infos {
			if i.Type == "page" && strings.HasPrefix(i.URL, at) {
				return b.open(chromedp.WithTargetID(i.TargetID)), i.TargetID
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.fatal(fmt.Errorf("%s opened no tab at %s", selector, at))
	return nil, ""
}

// gone waits until a tab has closed itself.
func (b *tab) gone(id target.ID) {
	b.t.Helper()
	for range 100 {
		infos, err := chromedp.Targets(b.ctx)
		if err != nil {
			b.t.Fatal(err)
		}
		there := false
		for _, i := range infos {
			there = there || i.TargetID == id
		}
		if !there {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	b.fatal(fmt.Errorf("the tab of the test did not close itself"))
}

// shot keeps a picture of the page as a phone and a desk show it, and holds both
// to what axe-core finds.
func (b *tab) shot(name string) {
	b.t.Helper()
	b.front()
	*b.shots++
	for _, width := range []int64{390, 1280} {
		b.do(chromedp.EmulateViewport(width, 800))
		if wide := eval[int](b, `document.documentElement.scrollWidth`); wide > int(width) {
			b.t.Errorf("%s is %d wide on a screen of %d", name, wide, width)
		}
		ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
		png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		cancel()
		if err != nil {
			b.fatal(err)
		}
		file := fmt.Sprintf("%s-%02d-%s-%d.png", b.prefix, *b.shots, name, width)
		if err := os.WriteFile(filepath.Join(pictures, file), png, 0o644); err != nil {
			b.t.Fatal(err)
		}
		b.accessible(fmt.Sprintf("%s at %d", name, width))
	}
}

// accessible has axe-core look at the page.
func (b *tab) accessible(name string) {
	b.t.Helper()
	if eval[bool](b, `typeof axe === "undefined"`) {
		eval[bool](b, b.axe+`; true`)
	}
	found := eval[string](b, `axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations
		.filter(v => v.impact === "serious" || v.impact === "critical")
		.map(v => ({id: v.id, help: v.help, nodes: v.nodes.map(n => n.html + " " + n.failureSummary)}))))`)
	if found != "[]" {
		var pretty bytes.Buffer
		_ = json.Indent(&pretty, []byte(found), "", "  ")
		b.t.Errorf("axe-core on %s: %s", name, &pretty)
	}
}
