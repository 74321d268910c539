package outbound_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
)

func TestCertificatesOfTheOptionsAreUsed(t *testing.T) {
	cert, key, pool := selfSigned(t)
	var calls int
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls++ }))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS13}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	authority := write(t, "ca.pem", &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})

	t.Run("with them the call arrives", func(t *testing.T) {
		cfg := outbound.Config{TLS: &outbound.TLS{CAFile: authority, CertFile: cert, KeyFile: key}}
		if _, err := post(t.Context(), t, cfg, server.URL, actions.ClassUnknown); err != nil {
			t.Error(err)
		}
	})
	t.Run("without a client certificate nothing was read, though it was sent", func(t *testing.T) {
		_, err := post(t.Context(), t, outbound.Config{TLS: &outbound.TLS{CAFile: authority}}, server.URL, actions.ClassUnknown)
		// The alert may be overtaken by the closing of the connection: then it is unclear.
		if class := actions.Classify(err); err == nil || class == actions.ClassPermanent {
			t.Errorf("class %d: %v", class, err)
		}
	})
	t.Run("a missing file is an error at once", func(t *testing.T) {
		if _, err := outbound.New(outbound.Config{TLS: &outbound.TLS{CAFile: "/no/such/ca.pem"}}); err == nil {
			t.Error("no error")
		}
	})
	t.Run("a certificate without its key is refused at load", func(t *testing.T) {
		if (&outbound.TLS{CertFile: cert}).Check() == nil {
			t.Error("no error")
		}
	})
	if calls != 1 {
		t.Errorf("%d calls", calls)
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11} //nolint:gosec // that is the point
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	authority := write(t, "ca.pem", &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	_, err := post(t.Context(), t, outbound.Config{TLS: &outbound.TLS{CAFile: authority}}, server.URL, actions.ClassUnknown)
	if err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Error(err)
	}
}

func selfSigned(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bakewatch"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(parsed)
	return write(t, "cert.pem", &pem.Block{Type: "CERTIFICATE", Bytes: der}), write(t, "key.pem", &pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}), pool
}

func write(t *testing.T, name string, block *pem.Block) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
