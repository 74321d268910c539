package outbound

import (
	"crypto/tls"
	"testing"
)

func TestTheLowestTLSIsSaidAndNotLeftToADefault(t *testing.T) {
	for name, options := range map[string]*TLS{"without a table": nil, "with one": {ServerName: "example.com"}} {
		loaded, err := options.Config()
		if err != nil || loaded.MinVersion != tls.VersionTLS12 {
			t.Errorf("%s: %+v, %v", name, loaded, err)
		}
	}
}
