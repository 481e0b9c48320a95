package bench

import (
	"context"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssotest"
)

const mebi = 1 << 20

// hostile are inputs of 1 MiB that are made to cost as much as they can. Each
// is put into a genuine, signed Response where that breaks no signature, or
// stands by itself.
func hostile(m *message) map[string]string {
	fill := func(n int, f func(i int) string) string {
		var b strings.Builder
		for i := 0; b.Len() < n; i++ {
			b.WriteString(f(i))
		}
		return b.String()
	}
	genuine := string(m.xml)
	open := genuine[:strings.Index(genuine, ">")]
	inside := func(what string) string { // Extensions come before Status
		at := strings.Index(genuine, "<samlp:Status>")
		return genuine[:at] + "<samlp:Extensions>" + what + "</samlp:Extensions>" + genuine[at:]
	}
	const rest = mebi - 16<<10
	const signature = `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo/></ds:Signature>`
	return map[string]string{
		"garbage":       fill(mebi, func(int) string { return "garbage " }),
		"nesting":       strings.Repeat("<a>", mebi/7) + strings.Repeat("</a>", mebi/7),
		"attributes":    open + fill(rest, func(i int) string { return fmt.Sprintf(` a%d=""`, i) }) + "/>",
		"namespaces":    open + fill(rest, func(i int) string { return fmt.Sprintf(` xmlns:n%d="urn:%d"`, i, i) }) + "/>",
		"nschain":       inside(nsChain(rest)),
		"wide":          inside(fill(rest, func(int) string { return "<a/>" })),
		"attributed":    inside(fill(rest, func(i int) string { return fmt.Sprintf(`<a b="%d" c="" d="" e=""/>`, i) })),
		"ids":           inside(fill(rest, func(i int) string { return fmt.Sprintf(`<a ID="_%d"/>`, i) })),
		"text":          inside(fill(rest, func(int) string { return "some text, " })),
		"references":    inside(fill(rest, func(int) string { return "&#x41;" })),
		"comments":      inside(fill(rest, func(int) string { return "<!--c-->" })),
		"signatures":    inside(fill(rest, func(int) string { return signature })),
		"certificates":  strings.Replace(genuine, "</ds:X509Data>", fill(rest, func(int) string { return "<ds:X509Certificate>AAAA</ds:X509Certificate>" })+"</ds:X509Data>", 1),
		"refs":          strings.Replace(genuine, "<ds:Reference ", fill(rest, func(int) string { return `<ds:Reference URI="#a"/>` })+"<ds:Reference ", 1),
		"transforms":    strings.Replace(genuine, "<ds:Transforms>", "<ds:Transforms>"+fill(rest, func(int) string { return `<ds:Transform Algorithm="urn:a"/>` }), 1),
		"oneattribute":  open + ` a="` + fill(rest, func(int) string { return "&lt;" }) + `"/>`,
		"longname":      "<" + strings.Repeat("a", mebi-3) + "/>",
		"base64spaces":  strings.Repeat(" ", mebi),
		"deepAttribute": inside(strings.Repeat("<a>", 40) + fill(rest, func(i int) string { return fmt.Sprintf(`<p:a xmlns:p="urn:%d"/>`, i) }) + strings.Repeat("</a>", 40)),
	}
}

// nsChain declares as many prefixes as it may on each of nested elements.
func nsChain(n int) string {
	var b strings.Builder
	depth := 0
	for b.Len() < n && depth < 50 {
		fmt.Fprintf(&b, "<a")
		for i := range 60 {
			fmt.Fprintf(&b, ` xmlns:p%d="urn:%d:%s"`, i, depth, strings.Repeat("x", 300))
		}
		b.WriteString(">")
		depth++
	}
	return b.String() + strings.Repeat("</a>", depth)
}

// BenchmarkHostile reports the time and the memory of one hostile input each.
// The design asks for 40 ms and 24 MB at the most.
func BenchmarkHostile(b *testing.B) {
	m := newMessage(b, 5, ssotest.SignAssertion)
	for name, doc := range hostile(m) {
		form := base64.StdEncoding.EncodeToString([]byte(doc))
		if name == "base64spaces" {
			form = doc
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := m.conn.VerifyResponse(context.Background(), form, sso.VerifyOptions{RequestID: m.id, CurrentTime: m.when})
				// What stands in Extensions or in KeyInfo breaks no signature.
				if err == nil && name != "certificates" && !strings.Contains(doc, "Extensions") {
					b.Fatal("accepted")
				}
			}
		})
	}
}

// TestHostileMemory holds the bound on memory, which unlike time is the same on
// every machine.
func TestHostileMemory(t *testing.T) {
	m := newMessage(t, 5, ssotest.SignAssertion)
	for name, doc := range hostile(m) {
		form := base64.StdEncoding.EncodeToString([]byte(doc))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		_, err := m.conn.VerifyResponse(context.Background(), form, sso.VerifyOptions{RequestID: m.id, CurrentTime: m.when})
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		used := after.TotalAlloc - before.TotalAlloc
		t.Logf("%-14s %6.1f MB %8s %.120v", name, float64(used)/1e6, took.Round(100*time.Microsecond), err)
		if used > 24e6 {
			t.Errorf("%s: %d bytes allocated, want at most 24 MB", name, used)
		}
	}
}
