package ssohttp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// The fields of the ACS's form. The last marks what our own page posted.
const (
	fieldResponse   = "SAMLResponse"
	fieldRelayState = "RelayState"
	fieldAgain      = "sso_again"
)

// smallBody is how much of a body is read without further ado: enough for
// nearly every Response. More needs one of a bounded number of places, so that
// a flood of large bodies cannot take the memory.
const smallBody = 64 << 10

// An acsForm is what was posted to the ACS.
type acsForm struct {
	response, relayState string
	artifact             string // in place of a response
	again                bool   // posted by our own page
}

// readForm reads the body, within its limits of size and time, and the fields.
func (h *Handlers) readForm(w http.ResponseWriter, r *http.Request) (acsForm, *failure) {
	var form acsForm
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return form, fail(CodeContentType, fmt.Errorf("the content type is %.80q, want application/x-www-form-urlencoded", r.Header.Get("Content-Type")))
	}
	if r.ContentLength > h.config.MaxBody {
		return form, fail(CodeTooLarge, fmt.Errorf("the form has %d bytes, at most %d are read", r.ContentLength, h.config.MaxBody))
	}
	body, failed := h.readBody(w, r)
	if failed != nil {
		return form, failed
	}
	if err := form.scan(body); err != nil {
		return form, fail(CodeForm, err)
	}
	if err := responseShape(form.response); err != nil {
		return form, fail(CodeForm, err)
	}
	return form, nil
}

func (h *Handlers) readBody(w http.ResponseWriter, r *http.Request) ([]byte, *failure) {
	// The deadline is the connection's: a server behind HTTP/2, or a recorder in
	// a test, may not have one, and then the server's own timeouts count.
	ctl := http.NewResponseController(w)
	if err := ctl.SetReadDeadline(time.Now().Add(h.config.Timeout)); err == nil {
		defer func() { _ = ctl.SetReadDeadline(time.Time{}) }()
	}
	limited := http.MaxBytesReader(w, r.Body, h.config.MaxBody)
	var b bytes.Buffer
	if n := r.ContentLength; n > 0 {
		b.Grow(int(min(n, smallBody)) + bytes.MinRead)
	}
	_, err := b.ReadFrom(io.LimitReader(limited, smallBody))
	if err == nil && b.Len() == smallBody {
		if failed := h.large.enter(r.Context()); failed != nil {
			return nil, failed
		}
		defer h.large.leave()
		_, err = b.ReadFrom(limited)
	}
	var large *http.MaxBytesError
	switch {
	case err == nil:
		return b.Bytes(), nil
	case errors.As(err, &large):
		return nil, fail(CodeTooLarge, fmt.Errorf("the form has more than %d bytes", large.Limit))
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return nil, fail(CodeSlow, fmt.Errorf("the form did not come within %v", h.config.Timeout))
	}
	return nil, fail(CodeForm, fmt.Errorf("reading the form: %w", err))
}

// scan finds the fields. It keeps nothing of the others, so that a body of a
// million empty fields costs no more than its length.
func (f *acsForm) scan(body []byte) error {
	var seen [3]bool
	fields := [3]string{fieldResponse, fieldRelayState, fieldAgain}
	for len(body) > 0 {
		var field []byte
		field, body, _ = bytes.Cut(body, []byte("&"))
		name, value, _ := bytes.Cut(field, []byte("="))
		if bytes.IndexByte(name, '%') >= 0 && len(name) <= 3*len(fieldResponse) {
			if plain, err := url.QueryUnescape(string(name)); err == nil {
				name = []byte(plain)
			}
		}
		for i, known := range fields {
			if string(name) != known {
				continue
			}
			if seen[i] {
				return fmt.Errorf("the field %s comes twice", known)
			}
			seen[i] = true
			value, err := url.QueryUnescape(string(value))
			if err != nil {
				return fmt.Errorf("the field %s is not escaped as a form is", known)
			}
			switch known {
			case fieldResponse:
				f.response = value
			case fieldRelayState:
				f.relayState = value
			case fieldAgain:
				f.again = true
			}
		}
	}
	if f.response == "" {
		return errors.New("the field SAMLResponse is missing: the identity provider has to answer by HTTP-POST, and with a Response (artifacts have an address of their own)")
	}
	return nil
}

// responseShape lets through what may be a Response in base64: its characters,
// and XML's first one. What does not even look like it costs no more than this.
func responseShape(s string) error {
	start := strings.TrimLeft(s, " \t\r\n")
	first := byte(0)
	if len(start) > 0 {
		first = start[0]
	}
	// '<' is 0x3C: PA, PD, PE, PF, PG … A blank or line end before it: I, C, D.
	// The byte order mark of UTF-8 is 77+/.
	if first != 'P' && first != 'I' && first != 'C' && first != 'D' && !strings.HasPrefix(start, "77") {
		return errors.New("the SAMLResponse is not XML in base64")
	}
	for i := 0; i < len(s); i++ {
		if !base64Bytes[s[i]] {
			return errors.New("the SAMLResponse is not base64")
		}
	}
	return nil
}

var base64Bytes = func() (t [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \t\r\n" {
		t[c] = true
	}
	return t
}()
