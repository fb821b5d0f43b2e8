package bundle

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"testing/fstest"

	opa "github.com/open-policy-agent/opa/v1/bundle"
)

// The files of a bundle that are about the others.
const (
	signaturesFile = ".signatures.json"
	manifestFile   = ".manifest"
)

// IsSigned reports whether a folder holds the signatures of a bundle that was
// unpacked there. Its error is that it cannot be told.
func IsSigned(folder fs.FS) (bool, error) {
	_, err := fs.Stat(folder, signaturesFile)
	if err == nil {
		return true, nil
	}
	if os.IsNotExist(err) {
		return false, nil
	}
	return false, err
}

// LoadFolder reads a signed bundle from a folder in which it was unpacked, or into
// which `conftest pull` put what `conftest push` took from such a folder. It is an
// error when Load would not take it as a file, or when verification names no key.
//
// Conftest pushes policies and data, and leaves the manifest behind, which is signed
// too. So where it is missing it is written again from the rules: it names their
// digest, and the signature holds only for the one that was signed.
func LoadFolder(folder string, verification Verification) (*Contents, error) {
	config, err := verification.config()
	if err != nil {
		return nil, err
	}
	contents, err := verification.folder(os.DirFS(folder), config)
	if err != nil {
		return nil, fmt.Errorf("load policy %s: %w", folder, err)
	}
	return contents, nil
}

func (v Verification) folder(folder fs.FS, config *opa.VerificationConfig) (*Contents, error) {
	files, err := readFolder(folder)
	if err != nil {
		return nil, err
	}
	signed, err := v.check(files[signaturesFile], config)
	if err != nil {
		return nil, err
	}
	for name := range signed {
		if _, there := files[manifestFile]; entryName(name) == manifestFile && !there {
			if files[manifestFile], err = manifestOf(files); err != nil {
				return nil, err
			}
		}
	}
	archive, err := pack(files)
	if err != nil {
		return nil, err
	}
	return v.contents(archive, config)
}

// readFolder reads all files of a folder, within the limits of a bundle.
func readFolder(folder fs.FS) (map[string][]byte, error) {
	files := map[string][]byte{}
	left := int64(MaxBytes)
	err := fs.WalkDir(folder, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil || entry.IsDir():
			return err
		case !entry.Type().IsRegular():
			return fmt.Errorf("%s is no file, and only files are read from a signed folder: put the file itself there", name)
		case len(files) == MaxFiles:
			return fmt.Errorf("it holds more than %d files", MaxFiles)
		}
		file, err := folder.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		text, err := io.ReadAll(io.LimitReader(file, left+1))
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		if left -= int64(len(text)); left < 0 {
			return errTooLarge
		}
		files[name] = text
		return nil
	})
	return files, err
}

// manifestOf writes the manifest that Write gives to rules.
func manifestOf(files map[string][]byte) ([]byte, error) {
	rules := fstest.MapFS{}
	for name, text := range files {
		if path.Ext(name) == ".rego" {
			rules[name] = &fstest.MapFile{Data: text}
		}
	}
	b, err := contents(rules)
	if err != nil {
		return nil, fmt.Errorf("write the manifest again, which is signed and not there: %w", err)
	}
	return json.Marshal(b.Manifest)
}

// position is where a file stands among the others of an archive.
func position(name string) int {
	if name == manifestFile {
		return 1
	}
	return 0
}

// pack makes files the archive that OPA reads. The manifest comes last: of a changed
// rule it would be the first that differs, and the error is to name the rule.
func pack(files map[string][]byte) ([]byte, error) {
	var archive bytes.Buffer
	zipped := gzip.NewWriter(&archive)
	writer := tar.NewWriter(zipped)
	names := slices.SortedFunc(maps.Keys(files), func(a, b string) int {
		return cmp.Or(cmp.Compare(position(a), position(b)), cmp.Compare(a, b))
	})
	for _, name := range names {
		if err := writer.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: int64(len(files[name])), Mode: 0o600}); err != nil {
			return nil, err
		}
		if _, err := writer.Write(files[name]); err != nil {
			return nil, err
		}
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	if err := zipped.Close(); err != nil {
		return nil, err
	}
	return archive.Bytes(), nil
}
