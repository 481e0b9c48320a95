package sso

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
	"time"
)

// A Refresher reads the metadata of IdPs again, when the application tells it
// to: it starts no goroutine. The zero value is strict and usable.
type Refresher struct {
	// TrustedCertificates sign the metadata, where the IdP's publisher signs it.
	// With them a document that none of their keys signed is refused. Empty: it
	// is taken as it comes over TLS, and never applied by itself.
	TrustedCertificates Certificates
	// AllowPrivate lets addresses be fetched that are loopback, private or link
	// local, and plain http. Without it an address that an administrator types
	// cannot be used to look around in our own network.
	AllowPrivate bool
	// Timeout bounds one fetch. Zero: 15 seconds.
	Timeout time.Duration
	// CurrentTime is the time to judge validUntil at. Zero: now.
	CurrentTime time.Time
}

// RefreshState is what the application keeps from one refresh to the next, so
// that an unchanged document is not sent again.
type RefreshState struct {
	ETag         string    `json:"etag,omitempty"`
	LastModified string    `json:"lastModified,omitempty"`
	Checked      time.Time `json:"checked,omitzero"`
	// Next is when the metadata wants to be read again, by its cacheDuration and
	// within an hour and a week. Zero: never read.
	Next time.Time `json:"next,omitzero"`
}

// A MetadataChange is what would change if metadata were applied.
type MetadataChange struct {
	// Added and Removed are signing certificates.
	Added, Removed Certificates
	// Endpoints are the addresses that differ, each by the name of its field.
	Endpoints []Change
	// Signed says that one of the Refresher's certificates signed the document.
	Signed bool
	// Warnings are what an administrator should look at.
	Warnings []string

	idp IdentityProvider
}

// Empty says that the connection is as the metadata has it.
func (m *MetadataChange) Empty() bool {
	return m == nil || len(m.Added)+len(m.Removed)+len(m.Endpoints) == 0
}

// Apply makes the change to a connection. An application calls it at once where
// Signed is true, and else when an administrator has looked at the change. A
// certificate that the metadata no longer has is kept, if keepRemoved, until it
// is removed by hand: an IdP may publish the next one before it signs with it.
func (m *MetadataChange) Apply(c *Connection, keepRemoved bool) {
	if m.Empty() {
		return
	}
	certs := slices.Clone(m.idp.Certificates)
	if keepRemoved {
		certs = append(certs, m.Removed...)
	}
	c.IdP.Certificates = certs
	c.IdP.SSOURL, c.IdP.SSOPostURL = m.idp.SSOURL, m.idp.SSOPostURL
	c.IdP.SLOURL, c.IdP.ArtifactURL = m.idp.SLOURL, m.idp.ArtifactURL
}

// Fetch reads metadata from an address that an administrator gave, for a
// connection that is being set up. The result's IdP has it as MetadataURL. The
// error is one or more joined *FieldError.
func (r *Refresher) Fetch(ctx context.Context, address string) (*IdPMetadata, error) {
	if err := r.allowed(address); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout())
	defer cancel()
	body, _, err := r.fetch(ctx, address, RefreshState{})
	if err != nil {
		return nil, err
	}
	md, err := ParseIdPMetadataWith(body, IdPMetadataOptions{TrustedCertificates: r.TrustedCertificates, CurrentTime: r.CurrentTime})
	if err != nil {
		return nil, err
	}
	md.IdP.MetadataURL = address
	return md, nil
}

func (r *Refresher) timeout() time.Duration {
	if r.Timeout > 0 {
		return r.Timeout
	}
	return 15 * time.Second
}

// maxMetadata is the most metadata that is fetched, in bytes.
const maxMetadata = 8 << 20

// Refresh fetches the metadata of a connection from IdP.MetadataURL and returns
// what differs, nil if it is unchanged, and the state to pass the next time. It
// changes nothing: whatever goes wrong, a working connection goes on working
// with what it has. Then the error says why, and the state is the old one.
//
// Redirects are followed, to addresses that are allowed.
func (r *Refresher) Refresh(ctx context.Context, c *Connection, prev RefreshState) (*MetadataChange, RefreshState, error) {
	now := r.CurrentTime
	if now.IsZero() {
		now = time.Now()
	}
	if err := r.allowed(c.IdP.MetadataURL); err != nil {
		return nil, prev, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout())
	defer cancel()
	body, next, err := r.fetch(ctx, c.IdP.MetadataURL, prev)
	if err != nil {
		return nil, prev, err
	}
	next.Checked, next.Next = now.UTC(), now.UTC().Add(24*time.Hour)
	if body == nil {
		return nil, next, nil
	}
	md, err := ParseIdPMetadataWith(body, IdPMetadataOptions{EntityID: c.IdP.EntityID, TrustedCertificates: r.TrustedCertificates, CurrentTime: now})
	if err != nil {
		return nil, prev, err
	}
	if md.IdP.EntityID != c.IdP.EntityID {
		// Another IdP at the old address is no change of this one.
		return nil, prev, &FieldError{Field: "IdP.MetadataURL", Problem: "leads to the metadata of " + quote(md.IdP.EntityID), Hint: "paste the address that belongs to " + quote(c.IdP.EntityID)}
	}
	if d := md.CacheDuration; d > 0 {
		next.Next = now.UTC().Add(min(max(d, time.Hour), 7*24*time.Hour))
	}
	change := compareMetadata(c.IdP, md)
	if change.Empty() {
		return nil, next, nil
	}
	return change, next, nil
}

func compareMetadata(have IdentityProvider, md *IdPMetadata) *MetadataChange {
	m := &MetadataChange{Signed: md.Signed, Warnings: md.Warnings, idp: md.IdP}
	lacks := func(in Certificates, fp string) bool {
		return !slices.ContainsFunc(certificateDigests(in), func(s string) bool { return s == fp })
	}
	for _, cert := range md.IdP.Certificates {
		if lacks(have.Certificates, Fingerprint(cert)) {
			m.Added = append(m.Added, cert)
		}
	}
	for _, cert := range have.Certificates {
		if lacks(md.IdP.Certificates, Fingerprint(cert)) {
			m.Removed = append(m.Removed, cert)
		}
	}
	for _, e := range []Change{
		{"IdP.SSOURL", have.SSOURL, md.IdP.SSOURL}, {"IdP.SSOPostURL", have.SSOPostURL, md.IdP.SSOPostURL},
		{"IdP.SLOURL", have.SLOURL, md.IdP.SLOURL}, {"IdP.ArtifactURL", have.ArtifactURL, md.IdP.ArtifactURL},
	} {
		if e.From != e.To {
			m.Endpoints = append(m.Endpoints, e)
		}
	}
	return m
}

// fetch gets the document; nil if it is unchanged.
func (r *Refresher) fetch(ctx context.Context, address string, prev RefreshState) ([]byte, RefreshState, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, prev, metadataURLError("is no address", "paste the metadata address again")
	}
	req.Header.Set("Accept", "application/samlmetadata+xml, application/xml, text/xml")
	if prev.ETag != "" {
		req.Header.Set("If-None-Match", prev.ETag)
	}
	if prev.LastModified != "" {
		req.Header.Set("If-Modified-Since", prev.LastModified)
	}
	resp, err := r.client().Do(req)
	if err != nil {
		var fe *FieldError
		if errors.As(err, &fe) {
			return nil, prev, fe
		}
		return nil, prev, &FieldError{Field: "IdP.MetadataURL", Problem: "cannot be reached: " + reachError(err), Hint: "check the address, or upload the metadata as a file"}
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotModified && (prev.ETag != "" || prev.LastModified != ""):
		return nil, prev, nil
	case resp.StatusCode != http.StatusOK:
		return nil, prev, metadataURLError("answered "+resp.Status, "check the address, or upload the metadata as a file")
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxMetadata+1))
	switch {
	case err != nil:
		return nil, prev, metadataURLError("broke off: "+reachError(err), "try again")
	case len(body) > maxMetadata:
		return nil, prev, metadataURLError(fmt.Sprintf("has more than %d bytes", maxMetadata), "use metadata that describes the identity provider alone")
	}
	return body, RefreshState{ETag: shortHeader(resp.Header.Get("ETag")), LastModified: shortHeader(resp.Header.Get("Last-Modified"))}, nil
}

// shortHeader keeps a validator that is worth keeping.
func shortHeader(s string) string {
	if len(s) > 256 {
		return ""
	}
	return s
}

func metadataURLError(problem, hint string) *FieldError {
	return &FieldError{Field: "IdP.MetadataURL", Problem: problem, Hint: hint}
}

// reachError leaves the address out, which url.Error repeats.
func reachError(err error) string {
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	return err.Error()
}

// allowed judges an address before it is asked.
func (r *Refresher) allowed(address string) error {
	u, err := url.Parse(address)
	switch {
	case address == "":
		return metadataURLError("is empty", "paste the metadata address of the identity provider")
	case err != nil || u.Host == "" || u.User != nil:
		return metadataURLError("is no address", "paste the metadata address again")
	case u.Scheme != "https" && !(r.AllowPrivate && u.Scheme == "http"):
		return metadataURLError("has the scheme "+quote(u.Scheme), "use the https address")
	}
	return nil
}

// client makes a client that looks at every address that it really connects to:
// a name can resolve to our own network, differently the second time, and so
// can a redirect.
func (r *Refresher) client() *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil || !r.AllowPrivate && !public(ap.Addr()) {
			return metadataURLError("leads to an address that is not public", "use an address on the Internet, or upload the metadata as a file")
		}
		return nil
	}}
	return &http.Client{
		// No proxy: it would connect in our place, past the check above.
		Transport: &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			if len(via) >= 5 {
				return metadataURLError("redirects without end", "paste the address that it ends at")
			}
			return r.allowed(req.URL.String())
		},
	}
}

// public says whether an address is on the Internet: neither our own machine or
// network nor one of the ranges with which those can be spelt in another way.
func public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.Zone() != "" {
		return false
	}
	return !slices.ContainsFunc(notPublic, func(p netip.Prefix) bool { return p.Contains(a) })
}

// notPublic are ranges of the IANA special-purpose registries that netip does
// not know: shared, protocol, documentation, benchmark and reserved ones, and
// those that carry an IPv4 address inside.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("fec0::/10"),
}
