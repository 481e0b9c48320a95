module github.com/ssoconn/sso

go 1.25.0

require (
	github.com/beevik/etree v1.8.1
	github.com/russellhaering/goxmldsig v1.6.1
)

// Tests only.
require github.com/google/go-cmp v0.7.0

require github.com/jonboulle/clockwork v0.5.0 // indirect
