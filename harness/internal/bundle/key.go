package bundle

import (
	"bytes"
	"cmp"
	"encoding/pem"
	"fmt"
	"os"
	"strings"

	opa "github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/keys"
)

// What `opa build` and `opa run` take when nothing else is said.
const (
	DefaultAlgorithm = "RS256"
	DefaultKeyID     = "default"
)

// Verification says by which key a bundle must be signed, in the words of
// `opa run`.
type Verification struct {
	// KeyFile is the file with the public key or the certificate in PEM or, for
	// the HS algorithms, with the secret. Empty: signatures are not verified, and
	// a bundle that has one is refused.
	KeyFile string
	// Algorithm is the signature algorithm. Empty: DefaultAlgorithm.
	Algorithm string
	// KeyID is the name by which the signature must call the key. Empty: any.
	KeyID string
	// Scope is the scope that the signature must claim. Empty: none.
	Scope string
}

// config is the verification in OPA's form; nil when there is none.
func (v Verification) config() (*opa.VerificationConfig, error) {
	if v.KeyFile == "" {
		return nil, nil
	}
	algorithm, err := checkAlgorithm(v.Algorithm)
	if err != nil {
		return nil, err
	}
	key, err := readKey("verification", v.KeyFile, algorithm)
	if err != nil {
		return nil, err
	}
	// OPA takes the ID in a config for the key's and does not look at the
	// signature's; without one it looks up the signature's.
	id, lookUp := v.KeyID, ""
	if id == "" {
		id, lookUp = DefaultKeyID, DefaultKeyID
	}
	known := map[string]*opa.KeyConfig{id: {Key: key, Algorithm: algorithm, Scope: v.Scope}}
	return opa.NewVerificationConfig(known, lookUp, v.Scope, nil), nil
}

// checkAlgorithm returns the algorithm to use. OPA's list is shorter than that
// of its library, which has one called none.
func checkAlgorithm(name string) (string, error) {
	name = cmp.Or(name, DefaultAlgorithm)
	if !keys.IsSupportedAlgorithm(name) {
		return "", fmt.Errorf("unknown signing algorithm %q: use RS, PS, ES or HS with 256, 384 or 512, as in %s", name, DefaultAlgorithm)
	}
	return name, nil
}

// readKey reads a key of a use, signing or verification. OPA also takes a secret
// in place of a file: then a file that does not exist would be a secret that
// anybody can read, so only files will do here.
func readKey(use, file, algorithm string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read %s key: %w", use, err)
	}
	block, _ := pem.Decode(text)
	secret := strings.HasPrefix(algorithm, "HS")
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return "", fmt.Errorf("read %s key %s: it is empty", use, file)
	case secret && block != nil:
		return "", fmt.Errorf("read %s key %s: it is a %s, and %s takes a secret: name the key's own algorithm, such as RS256 or ES256",
			use, file, strings.ToLower(block.Type), algorithm)
	case !secret && block == nil:
		return "", fmt.Errorf("read %s key %s: it holds no key in PEM, as %s takes it: for a secret, name an algorithm such as HS256",
			use, file, algorithm)
	}
	return string(text), nil
}
