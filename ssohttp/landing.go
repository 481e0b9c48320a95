package ssohttp

// Landing says where a browser may be sent after a sign-in.
type Landing struct {
	// Default is where it goes if nothing else is asked for, or what is asked
	// for is not allowed, or the sign-in began at the IdP. A local path, or an
	// address of an allowed origin. Zero: "/".
	Default string
	// Origins are allowed beside our own: "https://app.example.com".
	Origins []string
}
