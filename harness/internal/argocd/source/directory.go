package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kyaml "k8s.io/apimachinery/pkg/util/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

var manifestPattern = regexp.MustCompile(`^.*\.(yaml|yml|json|jsonnet)$`)

// skipMarker in a file says that it is no manifest.
const skipMarker = "+argocd:skip-file-rendering"

// maxFiles bounds how many files a directory is searched for.
const maxFiles = 200_000

// directory reads the manifests of a folder: findManifests of
// reposerver/repository/repository.go.
func (o *one) directory() ([]*unstructured.Unstructured, error) {
	field, options := o.field+".directory", api.ApplicationSourceDirectory{}
	if o.source.Directory != nil {
		options = *o.source.Directory
	}
	var objects []*unstructured.Unstructured
	seen, size := 0, int64(0)
	err := o.options.Reads.Walk(o.folder, func(path string, info fs.FileInfo, err error) error {
		if err != nil {
			return err
		}
		if err := o.ctx.Err(); err != nil {
			return err
		}
		if seen++; seen > maxFiles {
			return errTooMany
		}
		if info.IsDir() {
			if path != o.folder && !options.Recurse {
				return filepath.SkipDir
			}
			return nil
		}
		text, err := o.manifest(field, path, info, options)
		if err != nil || text == nil {
			return err
		}
		if size += int64(len(text)); size > o.limit() {
			return fmt.Errorf("its files have more than the limit of %d bytes", o.limit())
		}
		o.said.Files = append(o.said.Files, path)
		read, err := readManifest(filepath.Base(path), text)
		objects = append(objects, read...)
		return err
	})
	var problem *Problem
	switch {
	case err == nil:
		return objects, nil
	case errors.As(err, &problem) || o.ctx.Err() != nil:
		return nil, err
	case errors.Is(err, errTooMany):
		return nil, refused(field, err.Error(), "move the manifests into a folder of their own")
	default:
		return nil, broken(field, err.Error(), "correct it")
	}
}

func (o *one) limit() int64 {
	if o.options.MaxBytes > 0 {
		return o.options.MaxBytes
	}
	return render.DefaultMaxBytes
}

// manifest is the text of a file that may be a manifest, or nil:
// getPotentiallyValidManifestFile of reposerver/repository/repository.go.
func (o *one) manifest(field, path string, info fs.FileInfo, options api.ApplicationSourceDirectory) ([]byte, error) {
	relative, err := filepath.Rel(o.folder, path)
	if err != nil {
		return nil, err
	}
	if !options.DisableExtensionFilter && !manifestPattern.MatchString(info.Name()) {
		return nil, nil
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		if err := o.inside(field, path); err != nil {
			return nil, err
		}
		if info, err = o.options.Reads.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
	}
	if !info.Mode().IsRegular() ||
		options.Exclude != "" && matchesGlob(options.Exclude, relative) ||
		options.Include != "" && !matchesGlob(options.Include, relative) {
		return nil, nil
	}
	text, err := o.content(path)
	if err != nil {
		return nil, err
	}
	if text, err = asUTF8(text); err != nil {
		return nil, err
	}
	switch {
	case bytes.Contains(text, []byte(skipMarker)):
		return nil, nil
	case !strings.HasSuffix(path, ".jsonnet"):
		if text == nil {
			text = []byte{}
		}
		return text, nil
	case o.view.Settings.WithoutJsonnet:
		return nil, nil
	default:
		return nil, refused(field, fmt.Sprintf("%s is Jsonnet, which is not run", relative), "exclude it, or exclude the Application")
	}
}

// asUTF8 is a text as github.com/TomOnTime/utfutil reads it: by its byte order mark,
// without one as UTF-8.
func asUTF8(text []byte) ([]byte, error) {
	decoded, _, err := transform.Bytes(unicode.BOMOverride(unicode.UTF8.NewDecoder()), text)
	return decoded, err
}

// readManifest is getObjsFromYAMLOrJSON of reposerver/repository/repository.go. A
// file of YAML that holds no object and does not look like one is nothing.
func readManifest(name string, text []byte) ([]*unstructured.Unstructured, error) {
	if strings.HasSuffix(name, ".json") {
		var object unstructured.Unstructured
		decoder := json.NewDecoder(bytes.NewReader(text))
		if err := decoder.Decode(&object); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if decoder.More() {
			return nil, fmt.Errorf("read %s: a JSON file may hold one object only", name)
		}
		return []*unstructured.Unstructured{&object}, nil
	}
	var objects []*unstructured.Unstructured
	decoder := kyaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object)
		switch {
		case errors.Is(err, io.EOF):
			return objects, nil
		case err != nil && (len(objects) > 0 || looksLikeObject(text)):
			return nil, fmt.Errorf("read %s: %w", name, err)
		case err != nil:
			return nil, nil
		case object != nil:
			objects = append(objects, object)
		}
	}
}

func looksLikeObject(text []byte) bool {
	for _, key := range []string{"apiVersion:", "kind:", "metadata:"} {
		if !bytes.Contains(text, []byte(key)) {
			return false
		}
	}
	return true
}
