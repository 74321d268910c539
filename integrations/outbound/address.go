package outbound

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// metadata are the addresses at which clouds tell a machine its secrets and which are
// not link-local.
var metadata = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"),   // AWS, over IPv6
	netip.MustParseAddr("fd20:ce::254"),    // Google, over IPv6
	netip.MustParseAddr("100.100.100.200"), // Alibaba
	netip.MustParseAddr("168.63.129.16"),   // Azure
	netip.MustParseAddr("192.0.0.192"),     // Oracle
}

// embedding are the networks whose addresses end in the IPv4 address that is meant.
var embedding = []netip.Prefix{
	netip.MustParsePrefix("64:ff9b::/96"),   // NAT64
	netip.MustParsePrefix("64:ff9b:1::/48"), // NAT64 within a network; most use the last 32 bits
	netip.MustParsePrefix("::/96"),          // IPv4-compatible, long out of use
}

// sixToFour is the network whose addresses hold an IPv4 address after the first 16 bits.
var sixToFour = netip.MustParsePrefix("2002::/16")

// errForbiddenAddress is wrapped by the error of a call that would have gone to a
// link-local or metadata address.
var errForbiddenAddress = errors.New("link-local and metadata addresses are refused (allow_link_local = true allows them)")

// checkAddress refuses the addresses that only a trick would send a call to.
func checkAddress(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return err
	}
	addr = addr.Unmap().WithZone("")
	if forbidden(addr) || forbidden(embedded(addr)) {
		return fmt.Errorf("%s: %w", addr, errForbiddenAddress)
	}
	return nil
}

func forbidden(addr netip.Addr) bool {
	return addr.IsLinkLocalUnicast() || addr.IsMulticast() || slices.Contains(metadata, addr)
}

// embedded returns the IPv4 address that a gateway would send this one on to, else
// the address itself.
func embedded(addr netip.Addr) netip.Addr {
	if !addr.Is6() {
		return addr
	}
	bytes := addr.As16()
	if sixToFour.Contains(addr) {
		return netip.AddrFrom4([4]byte(bytes[2:6]))
	}
	if slices.ContainsFunc(embedding, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return netip.AddrFrom4([4]byte(bytes[12:16]))
	}
	return addr
}
