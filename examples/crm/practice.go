package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"math/big"
	"time"

	"github.com/ssoconn/sso"
	"github.com/ssoconn/sso/ssotest"
)

// practice is an identity provider to practise with, in memory: on loopback,
// for whoever reaches it can be anybody.
type practice struct {
	idp *ssotest.IdP
	url string
}

var practicePeople = []ssotest.Person{
	{FirstName: "Olga", LastName: "Orlova", Email: "olga@example.com", Groups: []string{"Staff"}},
	{FirstName: "Ann", LastName: "Lee", Email: "ann@example.com", Groups: []string{"Staff"}},
	{FirstName: "Борис", LastName: "Петров", Email: "boris@example.com", Groups: []string{"Staff"}},
	{FirstName: "Chloé", LastName: "O'Neill", Email: "chloe@example.com", Groups: []string{"Contractors"}},
}

// newPractice makes the IdP. Its key is kept, and what it has to know of the
// connections that were made with it before, so that they work after a restart.
func newPractice(ctx context.Context, a *app, url string) (*practice, error) {
	key, err := practiceKey(ctx, a.db)
	if err != nil {
		return nil, err
	}
	p := &practice{url: url, idp: ssotest.NewIdP(ssotest.Config{BaseURL: url, Key: key, Admin: true, People: practicePeople})}
	all, err := a.db.sso.Connections(ctx)
	if err != nil {
		return nil, err
	}
	var apps []ssotest.Application
	for _, c := range all {
		if c.IdP.EntityID == p.idp.EntityID() {
			apps = append(apps, ssotest.Application{Name: c.Name, EntityID: c.SP.EntityID, ACSURL: c.SP.ACSURL})
		}
	}
	p.idp.SetApplications(apps...)
	return p, nil
}

// practiceKey is the IdP's key pair, made at the first start.
func practiceKey(ctx context.Context, db *database) (*sso.KeyPair, error) {
	const name = "practice key"
	kept, err := setting(ctx, db, name)
	if err != nil {
		return nil, err
	}
	if kept == "" {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return nil, err
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return nil, err
		}
		kept = base64.StdEncoding.EncodeToString(der)
		if err := putSetting(ctx, db, name, kept); err != nil {
			return nil, err
		}
	}
	der, err := base64.StdEncoding.DecodeString(kept)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("the practice IdP's key is not RSA")
	}
	// All of it follows from the key, so that it is the same certificate each
	// time.
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Practice IdP", Organization: []string{"Practice"}},
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2046, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	cert, err := x509.CreateCertificate(nil, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	made, err := x509.ParseCertificate(cert)
	return &sso.KeyPair{Private: key, Certificate: made}, err
}
