package outbound

import "testing"

// Networks that only look like those that are refused.
func TestOtherAddressesAreReached(t *testing.T) {
	for _, address := range []string{
		"127.0.0.1:80", "[::1]:80", "10.0.0.1:80", "100.100.100.201:80", "192.0.0.193:80", "[fd00:ec2::253]:80",
		"[64:ff9b::a00:1]:80", "[2002:a00:1::a9fe:a9fe]:80", "[2001:db8::a9fe:a9fe]:80",
	} {
		if err := checkAddress(address); err != nil {
			t.Error(err)
		}
	}
}
