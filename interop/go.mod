module github.com/ssoconn/sso/interop

go 1.25.0

require (
	github.com/crewjam/saml v0.5.1
	github.com/google/go-cmp v0.7.0
	github.com/russellhaering/goxmldsig v1.6.1
	github.com/ssoconn/sso v0.0.0
)

require (
	github.com/beevik/etree v1.8.1 // indirect
	github.com/jonboulle/clockwork v0.5.0 // indirect
	github.com/mattermost/xml-roundtrip-validator v0.1.0 // indirect
	golang.org/x/crypto v0.33.0 // indirect
)

replace github.com/ssoconn/sso => ../
