package shop

import (
	"errors"
	"net"
	"sync/atomic"
)

// door is the address of an instance. It stays open while processes behind it come
// and go, as a load balancer's does, so that nobody else can take the port in
// between. Whoever knocks while no process is there is reset, as by a dead one.
type door struct {
	net.Listener
	behind atomic.Pointer[feed]
}

// serve hands connections to the process behind the door until the door is closed.
func (d *door) serve() {
	for {
		conn, err := d.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil && !d.hand(conn) {
			reset(conn)
		}
	}
}

// hand gives the connection to the process behind the door, or to its successor if
// it leaves just then.
func (d *door) hand(conn net.Conn) bool {
	for tried := (*feed)(nil); ; {
		f := d.behind.Load()
		if f == nil || f == tried {
			return false
		}
		if f.offer(conn) {
			return true
		}
		tried = f
	}
}

func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a reset, not an end; if it fails, an end does as well
	}
	_ = conn.Close()
}
