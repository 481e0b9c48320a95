package deflate

import (
	"bytes"
	"compress/flate"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

const request = `<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_5e0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a8b" Version="2.0" IssueInstant="2026-03-01T09:00:00.000Z" Destination="https://idp.example.com/sso" ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" AssertionConsumerServiceURL="https://app.example.com/saml/acme/acs"><saml:Issuer>https://app.example.com/saml/acme</saml:Issuer></samlp:AuthnRequest>`

func inflate(t testing.TB, data []byte) []byte {
	t.Helper()
	r := bytes.NewReader(data)
	got, err := io.ReadAll(flate.NewReader(r))
	if err != nil {
		t.Fatalf("inflate: %v", err)
	}
	if r.Len() > 0 {
		t.Fatalf("%d bytes after the end", r.Len())
	}
	return got
}

func TestAppendInflates(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 40<<10)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	cases := map[string][]byte{
		"empty":        nil,
		"one byte":     {0xff},
		"every byte":   noise[:4<<10],
		"request":      []byte(request),
		"two requests": []byte(request + request),
		"limit":        bytes.Repeat(noise[:16<<10], 2),
		"over limit":   noise,
		"far apart":    append(append([]byte(request), noise[:30<<10]...), request...),
	}
	for n := range 600 { // every length code, and what does not fit one
		cases["run "+strings.Repeat("i", n)] = bytes.Repeat([]byte("x"), n)
	}
	for d := 1; d < 20_000; d += 1 + d/7 { // every distance code
		cases["distance "+strings.Repeat("i", d)] = append(append([]byte("abcdefgh"), noise[:d]...), "abcdefgh"...)
	}
	for name, src := range cases {
		if got := inflate(t, Append([]byte("before"), src)[len("before"):]); !bytes.Equal(got, src) {
			t.Errorf("%.30s: %d bytes came back as %d others", name, len(src), len(got))
		}
	}
}

func TestAppendCompresses(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	_, _ = io.WriteString(w, request)
	_ = w.Close()
	ours := len(Append(nil, []byte(request)))
	t.Logf("%d bytes: %d here, %d by compress/flate at its best", len(request), ours, b.Len())
	if ours > b.Len()*6/5 {
		t.Errorf("got %d bytes, want at most 20%% more than %d", ours, b.Len())
	}
}

func FuzzAppend(f *testing.F) {
	f.Add([]byte(request))
	f.Fuzz(func(t *testing.T, src []byte) {
		if got := inflate(t, Append(nil, src)); !bytes.Equal(got, src) {
			t.Errorf("%q came back as %q", src, got)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(request)))
	var dst []byte
	for b.Loop() {
		dst = Append(dst[:0], []byte(request))
	}
}
