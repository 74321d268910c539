package outbound

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/bakewatch/bakewatch/actions"
)

// The alert comes over a pipe, where it cannot be overtaken by the end of the connection.
func TestAServerThatWantsAnotherCertificateHasReadNothing(t *testing.T) {
	lender := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate
	defer lender.Close()
	for name, version := range map[string]uint16{"TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13} {
		ours, theirs := net.Pipe()
		server := tls.Server(theirs, &tls.Config{
			Certificates: lender.TLS.Certificates, ClientAuth: tls.RequireAnyClientCert, MinVersion: version, MaxVersion: version,
		})
		ended := make(chan error, 1)
		go func() { ended <- server.Handshake() }()                                                     //nolint:noctx // ends with the pipe
		client := tls.Client(ours, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}) //nolint:gosec // a test
		_, err := client.Read(make([]byte, 1))
		_ = ours.Close()
		if <-ended == nil {
			t.Errorf("%s: the server was content", name)
		}
		// With TLS 1.2 it is a plain failure of the handshake: there is no connection yet.
		connected := version == tls.VersionTLS13
		if got := classOfTransport(err, connected, actions.ClassUnknown); got != actions.ClassRetryable {
			t.Errorf("%s: class %d: %v", name, got, err)
		}
	}
	if refusedCertificate(errors.New("remote error: tls: bad certificate")) {
		t.Error("anything that reads alike is taken for an alert")
	}
}
