package web

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"fmt"
)

// maxSealed bounds what is read of a cookie.
const maxSealed = 4096

// sealer keeps what a browser carries for us: encrypted, and taken back only for the use
// for which it was made.
type sealer struct{ aead cipher.AEAD }

func newSealer(key []byte) (*sealer, error) {
	if len(key) != KeyBytes {
		return nil, fmt.Errorf("the key of the logins has %d bytes, not %d", len(key), KeyBytes)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &sealer{aead}, nil
}

func (s *sealer) seal(use string, what any) (string, error) {
	text, err := json.Marshal(what)
	if err != nil {
		return "", err
	}
	return encode(s.aead.Seal(nil, nil, text, []byte(use))), nil
}

// unseal says whether the text is one that was sealed for this use, and fills what.
func (s *sealer) unseal(use, text string, what any) bool {
	if len(text) > maxSealed {
		return false
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return false
	}
	plain, err := s.aead.Open(nil, nil, sealed, []byte(use))
	return err == nil && json.Unmarshal(plain, what) == nil
}
