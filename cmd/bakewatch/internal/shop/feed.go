package shop

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// feed is the listener of one process: it accepts what the door hands it. It knows
// which connections are fresh, that is, still without a request: a server that is
// shut down drops them, and so a process that is replaced serves them first.
type feed struct {
	address net.Addr
	conns   chan net.Conn
	closed  chan struct{}
	once    sync.Once

	mu    sync.Mutex
	left  bool // nothing more is taken
	fresh map[net.Conn]struct{}
	quiet chan struct{} // closed when left, and nothing is fresh
}

func newFeed(address net.Addr) *feed {
	return &feed{
		address: address, conns: make(chan net.Conn), closed: make(chan struct{}),
		fresh: map[net.Conn]struct{}{}, quiet: make(chan struct{}),
	}
}

// offer hands a connection over; false: the process is gone, or about to go.
func (f *feed) offer(conn net.Conn) bool {
	f.mu.Lock()
	if f.left {
		f.mu.Unlock()
		return false
	}
	f.fresh[conn] = struct{}{}
	f.mu.Unlock()
	select {
	case f.conns <- conn:
		return true
	case <-f.closed:
		f.used(conn)
		return false
	}
}

// leave takes no more connections, and waits until none is fresh or the context ends.
func (f *feed) leave(ctx context.Context) {
	f.mu.Lock()
	f.left = true
	f.settle()
	f.mu.Unlock()
	select {
	case <-f.quiet:
	case <-f.closed:
	case <-ctx.Done():
	}
}

// used notes that the connection has a request, or is gone.
func (f *feed) used(conn net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, fresh := f.fresh[conn]; fresh {
		delete(f.fresh, conn)
		f.settle()
	}
}

// settle tells who waits in leave. The lock is held.
func (f *feed) settle() {
	if f.left && len(f.fresh) == 0 {
		close(f.quiet)
	}
}

// watch makes the server tell the feed which connections are used.
func (f *feed) watch(server *http.Server) {
	type key struct{}
	server.ConnContext = func(ctx context.Context, conn net.Conn) context.Context { return context.WithValue(ctx, key{}, conn) }
	server.ConnState = func(conn net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			f.used(conn)
		}
	}
	next := server.Handler
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if conn, ok := r.Context().Value(key{}).(net.Conn); ok {
			f.used(conn)
		}
		next.ServeHTTP(w, r)
	})
}

func (f *feed) Accept() (net.Conn, error) {
	select {
	case conn := <-f.conns:
		return conn, nil
	case <-f.closed:
		return nil, net.ErrClosed
	}
}

func (f *feed) Close() error {
	f.once.Do(func() { close(f.closed) })
	return nil
}

func (f *feed) Addr() net.Addr { return f.address }
