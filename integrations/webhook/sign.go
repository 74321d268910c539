package webhook

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/bakewatch/bakewatch/integrations/outbound"
)

// secretPrefix begins a secret of Standard Webhooks, whsec_ and then base64.
const secretPrefix = "whsec_"

// errSecret says what a secret looks like, and nothing of the one that was given.
var errSecret = errors.New(`secret: must be "whsec_" and then 24 to 64 random bytes in base64 (openssl rand -base64 32)`)

// CheckSecret says whether a secret is one of Standard Webhooks.
func CheckSecret(secret outbound.Secret) error {
	encoded, found := strings.CutPrefix(secret.Reveal(), secretPrefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !found || err != nil || len(key) < 24 || len(key) > 64 {
		return errSecret
	}
	return nil
}

// Sign returns the three headers that prove who sent the body: webhook-id,
// webhook-timestamp and webhook-signature. The id must not hold a dot.
func Sign(secret outbound.Secret, id string, at time.Time, body []byte) (http.Header, error) {
	if err := CheckSecret(secret); err != nil {
		return nil, err
	}
	signer, err := standardwebhooks.NewWebhook(secret.Reveal())
	if err != nil {
		return nil, errSecret
	}
	signature, err := signer.Sign(id, at, body)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	header := http.Header{}
	header.Set(standardwebhooks.HeaderWebhookID, id)
	header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	return header, nil
}

// Verify tells a receiver whether the body is ours and not older than 5 minutes.
// A repeat has the same webhook-id, which is for the receiver to remember.
func Verify(secret outbound.Secret, header http.Header, body []byte) error {
	if err := CheckSecret(secret); err != nil {
		return err
	}
	verifier, err := standardwebhooks.NewWebhook(secret.Reveal())
	if err != nil {
		return errSecret
	}
	return verifier.Verify(body, header)
}

// secretForms are the texts by which a secret would show itself.
func secretForms(secret outbound.Secret) []outbound.Secret {
	return []outbound.Secret{secret, outbound.NewSecret(strings.TrimPrefix(secret.Reveal(), secretPrefix))}
}
