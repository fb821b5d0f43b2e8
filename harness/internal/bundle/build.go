// Package bundle writes the policy as an OPA bundle and reads policies from OPA
// bundles, signed or not, by OPA's own code.
package bundle

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	opa "github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/util"

	"github.com/proompteng/nevermigrate/policy"
)

// Signing says how a bundle is signed, in the words of `opa build`.
type Signing struct {
	// KeyFile is the file with the private key in PEM or, for the HS algorithms,
	// with the secret. Empty: the bundle is not signed.
	KeyFile string
	// Algorithm is the signature algorithm. Empty: DefaultAlgorithm.
	Algorithm string
	// KeyID is the name by which the signature calls the key. Empty: DefaultKeyID.
	KeyID string
	// ClaimsFile is a JSON file with more claims, such as scope. Empty: none.
	ClaimsFile string
}

// Write writes the policy in this binary as a bundle, a gzipped tar archive.
// Equal policies give equal bytes, on any day and machine; so do signatures,
// unless their algorithm draws random numbers (ES and PS). It is an error when
// the key or the claims cannot be used, and nothing is written then.
func Write(w io.Writer, signing Signing) error { return write(w, policy.FS, signing) }

func write(w io.Writer, rules fs.FS, signing Signing) error {
	b, err := contents(rules)
	if err != nil {
		return fmt.Errorf("build bundle: %w", err)
	}
	if signing.KeyFile != "" {
		if err := sign(b, signing); err != nil {
			return fmt.Errorf("sign bundle: %w", err)
		}
	}
	var archive bytes.Buffer
	if err := opa.NewWriter(&archive).DisableFormat(true).Write(*b); err != nil {
		return fmt.Errorf("build bundle: %w", err)
	}
	if _, err := w.Write(archive.Bytes()); err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	return nil
}

// contents is the bundle of rules, not signed. Its roots are those of their
// packages and no more: a constraint can be loaded beside it.
func contents(rules fs.FS) (*opa.Bundle, error) {
	b := &opa.Bundle{Data: map[string]any{}}
	roots := []string{}
	digest := sha256.New()
	err := fs.WalkDir(rules, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(rules, name)
		if err != nil {
			return err
		}
		module, err := ast.ParseModuleWithOpts(name, string(text), ast.ParserOptions{RegoVersion: ast.RegoV1})
		if err != nil {
			return err
		}
		root := string(module.Package.Path[1].Value.(ast.String))
		if !slices.Contains(roots, root) {
			roots = append(roots, root)
		}
		// The lengths keep what moves from one file to the next from going unseen.
		fmt.Fprintf(digest, "%d %s %d %s", len(name), name, len(text), text)
		b.Modules = append(b.Modules, opa.ModuleFile{URL: path.Join("/", name), Path: path.Join("/", name), Raw: text, Parsed: module})
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(roots)
	// The version of the rules for people, and a digest that differs when any file
	// does. The version of this program is not part of it, for programs with the
	// same rules make the same bundle.
	revision := policy.Version + "+" + hex.EncodeToString(digest.Sum(nil))[:12]
	b.Manifest = opa.Manifest{Revision: revision, Roots: &roots}
	b.SetRegoVersion(ast.RegoV1)
	return b, nil
}

func sign(b *opa.Bundle, signing Signing) error {
	algorithm, err := checkAlgorithm(signing.Algorithm)
	if err != nil {
		return err
	}
	if _, err := readKey("signing", signing.KeyFile, algorithm); err != nil {
		return err
	}
	if err := checkClaims(signing.ClaimsFile); err != nil {
		return err
	}
	config := opa.NewSigningConfig(signing.KeyFile, algorithm, signing.ClaimsFile)
	if err := b.GenerateSignature(config, cmp.Or(signing.KeyID, DefaultKeyID), false); err != nil {
		return fmt.Errorf("with the %s key %s: %w", algorithm, signing.KeyFile, err)
	}
	return nil
}

// checkClaims refuses claims that would take the place of what is signed.
func checkClaims(file string) error {
	if file == "" {
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read claims: %w", err)
	}
	var claims map[string]json.RawMessage
	if err := util.UnmarshalJSON(text, &claims); err != nil {
		return fmt.Errorf("read claims %s: it is no JSON object: %w", file, err)
	}
	if _, ok := claims["files"]; ok {
		return fmt.Errorf("read claims %s: files is what the signature itself lists: leave it out", file)
	}
	return nil
}
