package ssohttp

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"time"
)

// A handle is the RelayState of one sign-in: when it began, 128 random bits,
// and a MAC of the two with the browser's cookie as its key. The MAC needs no
// key of the server's. It settles nothing, for the record in the store does
// that; it answers what is made up or another browser's before a store is asked.
//
// SAML allows 80 bytes; these are 48.
const (
	handleTime   = 4
	handleRandom = 16
	handleMAC    = 16
	handleLength = (handleTime + handleRandom + handleMAC) / 3 * 4
)

var (
	errHandleShape   = errors.New("the RelayState is not one of ours")
	errHandleExpired = errors.New("the sign-in took too long")
	errHandleBrowser = errors.New("the RelayState was made for another browser, or made up")
)

func newHandle(browser string, now time.Time) string {
	var b [handleTime + handleRandom + handleMAC]byte
	binary.BigEndian.PutUint32(b[:], uint32(now.Unix()))      // until 2106
	_, _ = rand.Read(b[handleTime : handleTime+handleRandom]) // never fails
	mac := handleSum(browser, b[:handleTime+handleRandom])
	copy(b[handleTime+handleRandom:], mac[:handleMAC])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// handleShaped says whether a RelayState looks like a handle. One that does not
// belongs to a sign-in that began at the IdP, if to any.
func handleShaped(s string) bool {
	if len(s) != handleLength {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !('A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

// checkHandle judges a handle that the browser with this cookie brings.
func checkHandle(s, browser string, now time.Time, lifetime time.Duration) error {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) != handleTime+handleRandom+handleMAC {
		return errHandleShape
	}
	signed, mac := b[:handleTime+handleRandom], b[handleTime+handleRandom:]
	if sum := handleSum(browser, signed); !hmac.Equal(mac, sum[:handleMAC]) {
		return errHandleBrowser
	}
	if now.Sub(time.Unix(int64(binary.BigEndian.Uint32(b)), 0)) >= lifetime {
		return errHandleExpired
	}
	return nil
}

func handleSum(browser string, signed []byte) [sha256.Size]byte {
	h := hmac.New(sha256.New, []byte(browser))
	_, _ = h.Write(signed)
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	return sum
}

// browserLength is that of rand.Text: 130 random bits in base32.
const browserLength = 26

// browser returns the value of the cookie that stands for this browser, "" if
// it brought none.
func (h *Handlers) browser(r *http.Request) string {
	for _, c := range r.CookiesNamed(h.cookieName) {
		if len(c.Value) == browserLength {
			return c.Value
		}
	}
	return ""
}

// giveBrowser returns this browser's cookie, and gives it one if it has none.
// One cookie serves all tabs and attempts. It lasts as long as the browser
// runs, so that it cannot end in the middle of a sign-in.
func (h *Handlers) giveBrowser(w http.ResponseWriter, r *http.Request) string {
	if value := h.browser(r); value != "" {
		return value
	}
	value := rand.Text()
	c := http.Cookie{Name: h.cookieName, Value: value, Path: "/", HttpOnly: true, Secure: h.secure, SameSite: http.SameSiteLaxMode}
	if h.config.SameSiteNone {
		c.SameSite = http.SameSiteNoneMode
	}
	http.SetCookie(w, &c)
	return value
}

// bound is what a record keeps of the cookie: the store must not hold what
// would let its reader pass for the browser.
func bound(browser string) string {
	sum := sha256.Sum256([]byte("browser " + browser))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
