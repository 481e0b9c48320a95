// Package browsertest runs ssohttp in a real Chromium, across two sites on
// loopback with TLS: what cookies do there is what no model is to be trusted on.
package browsertest
