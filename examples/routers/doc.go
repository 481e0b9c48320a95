// Package routers mounts the handlers of ssohttp in three ways. docs/http.md
// shows these files; a test holds the two to each other.
package routers
