package observe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ssoconn/sso"
)

// maxText is the longest value that is logged, in bytes: what is behind it has
// been written by whoever sent the message.
const maxText = 500

// Log writes events to a logger, nil for slog.Default. What was refused and what
// is about to expire is a warning, everything else is information. The message
// is "sso", the attributes are those of the event that are not empty.
//
// Of a person it says what the event does, a digest and the application's own
// key of the user, and no e-mail address: whatever has an @ in it is replaced by
// a digest, in the text of errors too. Other values that an error quotes, such
// as a NameID that is no address, stand in the log as they are; LogBare leaves
// the text out.
func Log(l *slog.Logger) sso.Observer { return logger{l: l} }

// LogBare is Log without the text of errors, for logs that many people read: the
// reason, which is from a fixed list, stays.
func LogBare(l *slog.Logger) sso.Observer { return logger{l: l, bare: true} }

type logger struct {
	l    *slog.Logger
	bare bool
}

func (g logger) Observe(ctx context.Context, e sso.Event) {
	l := g.l
	if l == nil {
		l = slog.Default()
	}
	level := slog.LevelInfo
	switch e.Kind {
	case sso.EventResponseRefused, sso.EventUserRefused, sso.EventCertificateExpiring:
		level = slog.LevelWarn
	}
	if !l.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 8)
	for _, a := range [...]struct{ key, value string }{
		{"event", string(e.Kind)}, {"connection", e.ConnectionID}, {"flow", string(e.Flow)}, {"reason", e.Reason},
		{"reference", e.Reference}, {"user", e.UserID}, {"subject", e.SubjectDigest}, {"detail", e.Detail},
	} {
		if a.value != "" {
			attrs = append(attrs, slog.String(a.key, redact(a.value)))
		}
	}
	l.LogAttrs(ctx, level, "sso", attrs...)
}

// redact replaces what has an @ in it and cuts what is long. Not only what is a
// valid address: what a visitor misspelt names them as well.
func redact(s string) string {
	var b strings.Builder
	for s != "" && b.Len() <= maxText {
		end := strings.IndexFunc(s, delimits)
		switch {
		case end < 0:
			end = len(s)
		case end == 0:
			_, end = utf8.DecodeRuneInString(s)
		}
		if word := s[:end]; strings.Contains(word, "@") {
			sum := sha256.Sum256([]byte(strings.ToLower(word)))
			b.WriteString("[address " + hex.EncodeToString(sum[:6]) + "]")
		} else {
			b.WriteString(word)
		}
		s = s[end:]
	}
	if b.Len() > maxText {
		return strings.ToValidUTF8(b.String()[:maxText], "") + "…"
	}
	return b.String()
}

// delimits says whether r ends an address. Of the rare ones whose first part is
// in quotation marks only the rest is recognised.
func delimits(r rune) bool {
	return unicode.IsSpace(r) || strings.ContainsRune(`"'<>()[]{},;`+"`“”„«»", r)
}
