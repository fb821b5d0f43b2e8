package bundle

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	opa "github.com/open-policy-agent/opa/v1/bundle"

	"github.com/proompteng/nevermigrate/harness/report"
)

// What a bundle may hold. OPA's own limit is for each file, so many files, or
// sparse ones, could still fill the memory.
const (
	// MaxBytes bounds the archive and, by itself, all that is in it.
	MaxBytes = 16 << 20
	// MaxFiles bounds the number of entries.
	MaxFiles = 10_000
)

// Contents is what is taken from a bundle.
type Contents struct {
	// Modules are the Rego files by their paths in the bundle, without a slash
	// in front.
	Modules map[string][]byte
	// Data is the data. It is never nil.
	Data map[string]any
	// SHA256 is the digest of the file.
	SHA256 string
}

// Load reads a bundle from a file. It is an error when the file is no bundle or
// is larger than the limits; when it holds no Rego v1, or anything that would be
// lost (WebAssembly, plans, links, a delta); when verification names a key and
// not each file is signed by it; and when it names none and the bundle is signed.
func Load(file string, verification Verification) (*Contents, error) {
	// First, for a mistake in the key is no fault of the bundle.
	config, err := verification.config()
	if err != nil {
		return nil, err
	}
	archive, err := read(file)
	if err != nil {
		return nil, err
	}
	contents, err := verification.contents(archive, config)
	if err != nil {
		return nil, fmt.Errorf("load bundle %s: %w", file, err)
	}
	contents.SHA256 = report.Digest(archive)
	return contents, nil
}

// contents reads an archive.
func (v Verification) contents(archive []byte, config *opa.VerificationConfig) (*Contents, error) {
	signatures, err := scan(archive)
	if err != nil {
		return nil, err
	}
	if _, err := v.check(signatures, config); err != nil {
		return nil, err
	}
	b, err := opa.NewCustomReader(opa.NewTarballLoaderWithBaseURL(bytes.NewReader(archive), "").WithSizeLimitBytes(MaxBytes)).
		WithSizeLimitBytes(MaxBytes).
		WithLazyLoadingMode(false).
		WithRegoVersion(ast.RegoV1).
		WithBundleVerificationConfig(config).
		Read()
	if err != nil {
		return nil, err
	}
	return take(&b)
}

func read(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("load bundle: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("load bundle %s: it is no file", name)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("load bundle: %w", err)
	}
	defer file.Close()
	archive, err := io.ReadAll(io.LimitReader(file, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("load bundle %s: %w", name, err)
	}
	if len(archive) > MaxBytes {
		return nil, fmt.Errorf("load bundle %s: it is larger than the limit of %d bytes", name, MaxBytes)
	}
	return archive, nil
}

// scan goes through an archive before OPA reads it: OPA passes over what is no
// file, takes the last of files with the same name, and knows no limit for the
// whole. It returns the file with the signatures, or nil.
func scan(archive []byte) ([]byte, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, fmt.Errorf("it is no OPA bundle, which is a gzipped tar archive: %w", err)
	}
	// Padding and headers count too.
	stream := &io.LimitedReader{R: unzipped, N: MaxBytes + 1}
	reader := tar.NewReader(stream)
	seen := map[string]bool{}
	var signatures []byte
	left := int64(MaxBytes)
	for {
		header, err := reader.Next()
		switch {
		case stream.N <= 0:
			return nil, errTooLarge
		case err == io.EOF:
			return signatures, nil
		case err != nil:
			return nil, fmt.Errorf("it is no OPA bundle, which is a gzipped tar archive: %w", err)
		}
		if header.Typeflag == tar.TypeDir || header.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		name := entryName(header.Name)
		left -= header.Size
		switch {
		case header.Typeflag != tar.TypeReg:
			return nil, fmt.Errorf("%s is no file, and only files are read from a bundle: put the file itself there", header.Name)
		case !filepath.IsLocal(filepath.FromSlash(name)):
			return nil, fmt.Errorf("%s leads out of the bundle", header.Name)
		case seen[name]:
			return nil, fmt.Errorf("%s is there twice", header.Name)
		case left < 0:
			return nil, errTooLarge
		case len(seen) == MaxFiles:
			return nil, fmt.Errorf("it holds more than %d files", MaxFiles)
		}
		seen[name] = true
		if opa.IsSignaturesFile(name) {
			if signatures, err = io.ReadAll(reader); err != nil {
				return nil, fmt.Errorf("read %s: %w", header.Name, err)
			}
		}
	}
}

var errTooLarge = fmt.Errorf("what it holds is larger than the limit of %d bytes", MaxBytes)

// entryName is the name of an entry without what does not distinguish it.
func entryName(name string) string {
	return strings.TrimPrefix(path.Clean(filepath.ToSlash(name)), "/")
}

// check says in plain words what OPA's reader would refuse in its own, and returns
// what is signed, by name. The reader has the last word: it verifies the signature
// again, and each file by it.
func (v Verification) check(signatures []byte, config *opa.VerificationConfig) (map[string]opa.FileInfo, error) {
	switch {
	case signatures == nil && config == nil:
		return nil, nil
	case signatures == nil:
		return nil, errors.New("it is not signed: take one that is signed, or leave out --verification-key")
	case config == nil:
		// As OPA does: who signs expects that it is verified.
		return nil, errors.New("it is signed: give the key that verifies it with --verification-key")
	}
	var parsed opa.SignaturesConfig
	if err := json.Unmarshal(signatures, &parsed); err != nil {
		return nil, fmt.Errorf("read .signatures.json: %w", err)
	}
	signed, err := opa.VerifyBundleSignature(parsed, config)
	if err != nil {
		return nil, fmt.Errorf("its signature does not hold by %s: %w: "+
			"take the bundle from where it was signed, and give the key, algorithm, key ID and scope with which it was signed", v.describe(), err)
	}
	return signed, nil
}

func (v Verification) describe() string {
	text := fmt.Sprintf("the %s key %s", cmp.Or(v.Algorithm, DefaultAlgorithm), v.KeyFile)
	if v.KeyID != "" {
		text += fmt.Sprintf(" with the ID %q", v.KeyID)
	}
	if v.Scope != "" {
		text += fmt.Sprintf(" and the scope %q", v.Scope)
	}
	return text
}

// take takes from a bundle what is judged by, and refuses what would be lost.
func take(b *opa.Bundle) (*Contents, error) {
	if b.Type() != opa.SnapshotBundleType {
		return nil, fmt.Errorf("it is a %s bundle, which only changes another one: build a whole bundle", b.Type())
	}
	if len(b.WasmModules) > 0 {
		return nil, fmt.Errorf("%s is WebAssembly, which is not run here: build the bundle with --target rego", b.WasmModules[0].Path)
	}
	if len(b.PlanModules) > 0 {
		return nil, fmt.Errorf("%s is a plan, which is not run here: build the bundle with --target rego", b.PlanModules[0].Path)
	}
	if len(b.Modules) == 0 {
		return nil, errors.New("it has no policy: no file in it ends in .rego")
	}
	contents := &Contents{Modules: map[string][]byte{}, Data: b.Data}
	for _, module := range b.Modules {
		version, err := b.RegoVersionForFile(module.RelativePath, ast.RegoV1)
		if err != nil {
			return nil, err
		}
		if version != ast.RegoV1 {
			return nil, fmt.Errorf("%s is Rego %s by the manifest, and only v1 is read here: build the bundle with --v1-compatible", module.Path, version)
		}
		contents.Modules[entryName(module.Path)] = module.Raw
	}
	return contents, nil
}
