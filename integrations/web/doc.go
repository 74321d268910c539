// Package web is the daemon's HTTP server: its own metrics, whether it is healthy
// and ready, and the order to reload, at the paths that Prometheus made usual; and
// the Desk as an HTTP API (API, api.go) with links by which one person answers one
// question (Links, link.go; page.go) and logins at an OpenID provider (Login, login.go;
// loginpage.go, questionpage.go).
//
// It never judges and never decides; what it serves is handed to it. It alone says what
// a request has shown of who sends it (proof.go). TLS and basic
// auth are exporter-toolkit's; what is served without its password stands in mounts.go.
//
// Start reading at New (web.go).
package web
