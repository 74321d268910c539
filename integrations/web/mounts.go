package web

import (
	"net"
	"net/http"
	"sync"
)

// Mounts are the handlers of a server besides its own, by their patterns, such as
// "/prometheus/".
type Mounts struct {
	// Guarded are served behind the password of the web config file, if it has users.
	Guarded map[string]http.Handler
	// Open are served without it: each sees for itself whom it serves, by a signature, a
	// link or a login, and a password could not be given there.
	Open map[string]http.Handler
	// Logins serves the API to whoever shows another login than a password, and leaves
	// others to the password; nil: there is no other.
	Logins func(inside, password http.Handler) http.Handler
}

// before returns a handler that asks for no password where none is due. What it serves so
// is what the mux itself finds for the request: no odd path can lead anywhere else.
func (m Mounts) before(mux *http.ServeMux, guarded http.Handler) http.Handler {
	api := guarded
	if m.Logins != nil {
		api = m.Logins(mux, guarded)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := mux.Handler(r)
		_, open := m.Open[pattern]
		switch {
		case open:
			mux.ServeHTTP(w, r)
		case pattern == APIPath:
			api.ServeHTTP(w, r)
		default:
			guarded.ServeHTTP(w, r)
		}
	})
}

// gate is a listener that is opened when it is first listened to. exporter-toolkit wraps
// the server's handler just before that, and has no other place at which a handler can be
// put before its password.
type gate struct {
	net.Listener
	once sync.Once
	open func()
}

// Accept implements net.Listener.
func (g *gate) Accept() (net.Conn, error) {
	g.once.Do(g.open)
	return g.Listener.Accept()
}
