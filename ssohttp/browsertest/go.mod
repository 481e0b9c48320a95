module github.com/ssoconn/sso/ssohttp/browsertest

go 1.25.0

require (
	github.com/chromedp/cdproto v0.159.0
	github.com/chromedp/chromedp v0.23.0
	github.com/ssoconn/sso v0.0.0
)

require (
	github.com/beevik/etree v1.8.1 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/jonboulle/clockwork v0.5.0 // indirect
	github.com/russellhaering/goxmldsig v1.6.1 // indirect
)

replace github.com/ssoconn/sso => ../..
