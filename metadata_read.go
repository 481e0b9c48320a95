package sso

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/ssoconn/sso/internal/samlxml"
)

// describedEntity is one entity of metadata that is an IdP.
type describedEntity struct {
	element *etree.Element // EntityDescriptor
	role    *etree.Element // IDPSSODescriptor
	id      string
	period
}

// period is how long metadata is good for: what it says itself, and what is
// said around it.
type period struct {
	until   time.Time     // zero: no end
	cache   time.Duration // zero: not said
	badTime bool          // some validUntil is no time
}

// within narrows the period to what e says.
func (p period) within(e *etree.Element) period {
	if s, ok := samlxml.Attr(e, "validUntil"); ok {
		until, err := samlxml.Time(strings.TrimSpace(s))
		switch {
		case err != nil:
			p.badTime = true
		case p.until.IsZero() || until.Before(p.until):
			p.until = until
		}
	}
	if s, ok := samlxml.Attr(e, "cacheDuration"); ok {
		if d := duration(strings.TrimSpace(s)); d > 0 && (p.cache == 0 || d < p.cache) {
			p.cache = d
		}
	}
	return p
}

// entities is what a document describes.
type entities struct {
	idps     []*describedEntity
	services int  // entities that are service providers only
	old      bool // an IdP without SAML 2.0
	others   int
}

func (f *entities) gather(e *etree.Element, around period) {
	around = around.within(e)
	if e.Tag == "EntitiesDescriptor" {
		for _, c := range e.ChildElements() {
			if samlxml.Is(c, samlxml.Metadata, "EntityDescriptor") || samlxml.Is(c, samlxml.Metadata, "EntitiesDescriptor") {
				f.gather(c, around)
			}
		}
		return
	}
	roles := samlxml.Children(e, samlxml.Metadata, "IDPSSODescriptor")
	for _, role := range roles {
		protocols, ok := samlxml.Attr(role, "protocolSupportEnumeration")
		if ok && !slices.Contains(strings.Fields(protocols), samlxml.Protocol) {
			f.old = true
			continue
		}
		id, _ := samlxml.Attr(e, "entityID")
		f.idps = append(f.idps, &describedEntity{element: e, role: role, id: strings.Clone(trimmed(id)), period: around.within(role)})
		return
	}
	if _, n := samlxml.Child(e, samlxml.Metadata, "SPSSODescriptor"); n > 0 && len(roles) == 0 {
		f.services++
	} else {
		f.others++
	}
}

// choose returns the one IdP that is meant.
func (m *metadataReader) choose(root *etree.Element) (*describedEntity, error) {
	var f entities
	f.gather(root, period{})
	idps := f.idps
	if m.o.EntityID != "" {
		idps = nil
		for _, e := range f.idps {
			if e.id == m.o.EntityID {
				idps = append(idps, e)
			}
		}
	}
	switch {
	case len(idps) == 1:
		return idps[0], nil
	case len(idps) > 1 && m.o.EntityID != "":
		return nil, metadataError("describes the identity provider "+quote(m.o.EntityID)+" more than once", "have it corrected")
	case len(idps) > 1:
		return nil, metadataError(fmt.Sprintf("describes %d identity providers: %s", len(idps), names(idps)), "say which one by its entity ID, or use metadata that describes it alone")
	case len(f.idps) > 0:
		return nil, metadataError("does not describe "+quote(m.o.EntityID)+" but "+names(f.idps), "check the entity ID, which is compared exactly")
	case f.old:
		return nil, metadataError("describes an identity provider without SAML 2.0", "switch SAML 2.0 on at the identity provider")
	case f.services > 0:
		return nil, metadataError("describes a service provider, such as this application", "ask for the metadata of the identity provider; ours goes into its settings")
	case f.others > 0:
		return nil, metadataError("describes something that is no identity provider", "ask for the metadata of the identity provider")
	}
	return nil, metadataError("describes nothing", "ask for the metadata of the identity provider")
}

// names lists the first few entity IDs.
func names(idps []*describedEntity) string {
	var b strings.Builder
	for i, e := range idps {
		if i == 5 {
			b.WriteString(", …")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote(e.id))
	}
	return b.String()
}

var durationForm = regexp.MustCompile(`^P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})(?:\.\d{1,20})?S)?)?$`)

// duration reads an xs:duration, a month as 30 days and a year as 365. What
// cannot be read, or is longer than ten years, is 0: not said.
func duration(s string) time.Duration {
	const day = 24 * time.Hour
	m := durationForm.FindStringSubmatch(s)
	if m == nil {
		return 0
	}
	var sum time.Duration
	for i, unit := range []time.Duration{365 * day, 30 * day, day, time.Hour, time.Minute, time.Second} {
		n, _ := strconv.Atoi(m[i+1])
		if n > int(10*365*day/unit) {
			return 0
		}
		sum += time.Duration(n) * unit
	}
	return sum
}
