package signing

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
)

// The headers of a signature.
const (
	HeaderKey       = "Bakewatch-Key"       // the public nkey, U…
	HeaderTime      = "Bakewatch-Time"      // when it was signed, RFC 3339
	HeaderID        = "Bakewatch-Id"        // never twice by one key
	HeaderSignature = "Bakewatch-Signature" // 64 bytes in base64
)

// Headers lists the headers of a signature.
func Headers() []string { return []string{HeaderKey, HeaderTime, HeaderID, HeaderSignature} }

// version begins what is signed, so that a signature is good for nothing else.
const version = "bakewatch-signature-v1"

// Message is what a signature covers.
type Message struct {
	// Cluster is whom a request is for; empty for events, which whoever reads them believes.
	Cluster string
	Subject string
	// Headers are those of the message's own that carry meaning, by lower-case name.
	Headers map[string]string
	Body    []byte
}

// Text returns the bytes that are signed: each part as a netstring (its length in
// bytes as a decimal number, a colon, the part, a comma), so that no two messages
// have the same text. The at is when it was signed, as it stands in the header.
func (m Message) Text(id, at string) []byte {
	var own, text bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(m.Headers)) {
		netstring(&own, []byte(name))
		netstring(&own, []byte(m.Headers[name]))
	}
	for _, part := range [][]byte{[]byte(version), []byte(m.Cluster), []byte(m.Subject), []byte(id), []byte(at), own.Bytes(), m.Body} {
		netstring(&text, part)
	}
	return text.Bytes()
}

func netstring(to *bytes.Buffer, part []byte) {
	to.WriteString(strconv.Itoa(len(part)))
	to.WriteByte(':')
	to.Write(part)
	to.WriteByte(',')
}
