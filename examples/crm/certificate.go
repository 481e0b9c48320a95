package main

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/ssoconn/sso"
)

// recognised is what a pasted text turned out to be.
type recognised struct {
	Certificates []certificate
	Problem      string
}

type certificate struct {
	Subject, Expires, Fingerprint string
	Expired                       bool
}

// recognise answers the script while somebody pastes a certificate. Without the
// script the page shows the same after saving.
func (a *app) recognise(w http.ResponseWriter, r *http.Request, _ *user) {
	form, ok := a.form(w, r, maxSmallForm)
	if !ok {
		return
	}
	var found *recognised
	if text := form.Get("certificate"); strings.TrimSpace(text) != "" {
		found = recogniseCertificates(language(r), text)
	}
	a.renderPart(w, r, "recognised", found)
}

func recogniseCertificates(lang, text string) *recognised {
	certs, err := sso.ParseCertificates(text)
	if err != nil {
		var fe *sso.FieldError
		if errors.As(err, &fe) {
			return &recognised{Problem: fieldText(lang, fe)}
		}
		return &recognised{Problem: err.Error()}
	}
	found := &recognised{}
	for _, c := range certs {
		// The library's description is fit to be shown, whatever is in the
		// subject.
		line := sso.Certificates{c}.String()
		found.Certificates = append(found.Certificates, certificate{
			Subject:     line[:strings.LastIndex(line, ", expires ")],
			Expires:     c.NotAfter.UTC().Format(time.DateOnly),
			Fingerprint: colons(sso.Fingerprint(c)),
			Expired:     !time.Now().Before(c.NotAfter),
		})
	}
	return found
}

// colons writes a fingerprint as identity providers show it.
func colons(hex string) string {
	var b strings.Builder
	for i := 0; i+1 < len(hex); i += 2 {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(strings.ToUpper(hex[i : i+2]))
	}
	return b.String()
}
