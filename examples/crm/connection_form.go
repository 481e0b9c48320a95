package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/ssoconn/sso"
)

// connectionForm is the data for this app as an administrator typed it.
type connectionForm struct {
	Version                                 string
	Name, SSOURL, Issuer, Certificate, Role string
	MetadataAddress                         string // fetched once, when saved
	Groups                                  []string
	Enabled                                 bool
}

// formOf shows a stored connection in the form.
func formOf(c *sso.Connection) connectionForm {
	pem, err := c.IdP.Certificates.MarshalText()
	if err != nil {
		pem = nil // a nil certificate, which the form cannot make
	}
	return connectionForm{Version: versionOf(c), Name: c.Name, SSOURL: c.IdP.SSOURL, Issuer: c.IdP.EntityID,
		Certificate: string(pem), Role: c.DefaultRole, Groups: c.AllowedGroups, Enabled: c.Enabled}
}

// versionOf names the settings that the form was made from. It is not the
// store's version, for that moves on when a test is recorded as well.
func versionOf(c *sso.Connection) string {
	settings := *c
	settings.LastTest = nil
	text, err := json.Marshal(settings)
	if err != nil {
		text = []byte(err.Error())
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

func readConnectionForm(form url.Values, groups []string) connectionForm {
	return connectionForm{
		Version: form.Get("version"), Name: form.Get("name"), SSOURL: form.Get("sso_url"), Issuer: form.Get("issuer"),
		Certificate: form.Get("certificate"), Role: form.Get("role"), MetadataAddress: strings.TrimSpace(form.Get("metadata_address")),
		Groups: chosen(form["groups"], groups), Enabled: form.Has("enabled"),
	}
}

// apply puts what was typed into a connection and says what is wrong with it.
// metadata is an uploaded file, or empty; fetch reads it from an address.
func (f *connectionForm) apply(c *sso.Connection, metadata, lang string, fetch func(address string) (*sso.IdPMetadata, error)) errorsAt {
	wrong := errorsAt{}
	if metadata != "" || f.MetadataAddress != "" {
		if idp, ok := f.metadata(metadata, lang, fetch, wrong); ok {
			c.IdP = idp
		} else {
			return wrong
		}
		// The metadata says it all: what was typed before gives way.
		now := formOf(c)
		f.SSOURL, f.Issuer, f.Certificate = now.SSOURL, now.Issuer, now.Certificate
	} else {
		if strings.TrimSpace(f.SSOURL) != c.IdP.SSOURL {
			c.IdP.SSOPostURL = "" // it came with the other address
		}
		c.IdP.SSOURL, c.IdP.EntityID = f.SSOURL, f.Issuer
		certs, err := sso.ParseCertificates(f.Certificate)
		if err != nil {
			addErrors(wrong, err, lang, "")
		}
		c.IdP.Certificates = certs
	}
	c.Name, c.DefaultRole, c.AllowedGroups = f.Name, f.Role, f.Groups
	c.Normalize()
	if problem := nameProblem(c.Name); problem != "" {
		wrong.add("name", texts[lang][problem])
	}
	if !slices.Contains(roles, f.Role) {
		wrong.add("role", texts[lang]["wrong_role"])
	}
	certificate := wrong["certificate"]
	addErrors(wrong, c.Validate(), lang, "")
	if certificate != nil {
		wrong["certificate"] = certificate // why there is none says more than that there is none
	}
	return wrong
}

// metadata reads the IdP's metadata from the file, or from the address.
func (f *connectionForm) metadata(file, lang string, fetch func(string) (*sso.IdPMetadata, error), wrong errorsAt) (sso.IdentityProvider, bool) {
	if file != "" {
		idp, err := sso.ParseIdPMetadata([]byte(file))
		addErrors(wrong, err, lang, "metadata")
		return idp, err == nil
	}
	md, err := fetch(f.MetadataAddress)
	if err != nil {
		addErrors(wrong, err, lang, "metadata_address")
		return sso.IdentityProvider{}, false
	}
	f.MetadataAddress = ""
	return md.IdP, true
}

// formFields are the form's fields for those of a connection. What the form
// does not show is told at its top.
var formFields = map[string]string{
	"Name": "name", "IdP.SSOURL": "sso_url", "IdP.SSOPostURL": "sso_url", "IdP.EntityID": "issuer",
	"IdP.Certificates": "certificate", "DefaultRole": "role", "AllowedGroups": "groups", "LastTest": "enabled",
}

// addErrors puts every *sso.FieldError at its field, or all at the one given.
func addErrors(wrong errorsAt, err error, lang, at string) {
	if err == nil {
		return
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			addErrors(wrong, e, lang, at)
		}
		return
	}
	var fe *sso.FieldError
	if !errors.As(err, &fe) {
		wrong.add(at, err.Error())
		return
	}
	if at == "" {
		field, _, _ := strings.Cut(fe.Field, "[")
		at = formFields[field]
	}
	wrong.add(at, fieldText(lang, fe))
}

// difference is a field that somebody else changed meanwhile.
type difference struct{ Field, Now string } // Field is a text's name

// differences are what the stored connection has otherwise than the form.
func differences(c *sso.Connection, f connectionForm, lang string) []difference {
	now := formOf(c)
	var out []difference
	add := func(field, theirs, mine string) {
		if strings.TrimSpace(theirs) != strings.TrimSpace(mine) {
			out = append(out, difference{field, theirs})
		}
	}
	add("name", now.Name, f.Name)
	add("sso_url", now.SSOURL, f.SSOURL)
	add("issuer", now.Issuer, f.Issuer)
	typed, _ := sso.ParseCertificates(f.Certificate)
	add("certificate", c.IdP.Certificates.String(), typed.String())
	add("default_role", texts[lang]["role_"+now.Role], texts[lang]["role_"+f.Role])
	add("user_groups", strings.Join(now.Groups, ", "), strings.Join(f.Groups, ", "))
	onOff := map[bool]string{true: texts[lang]["state_on"], false: texts[lang]["state_off"]}
	add("use_connection", onOff[now.Enabled], onOff[f.Enabled])
	return out
}
