package render

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// guardedFiles is the file system that kustomize reads through. It refuses,
// before kustomize acts on them, a reference to something remote (kustomize
// would run git or use the network) and a file that is too large.
type guardedFiles struct {
	filesys.FileSystem
	run *run
}

// ReadFile implements filesys.FileSystem.
func (f guardedFiles) ReadFile(path string) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > f.run.maxBytes {
		return nil, f.run.fail(fmt.Errorf("%s: file has %d bytes, more than the limit of %d", path, info.Size(), f.run.maxBytes))
	}
	data, err := f.FileSystem.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if slices.Contains(konfig.RecognizedKustomizationFileNames(), filepath.Base(path)) {
		err = refuseRemote(data, isKustomization)
	} else if bytes.Contains(data, []byte(konfig.BuiltinPluginApiVersion)) {
		err = refuseRemote(data, isBuiltinPlugin)
	}
	if err != nil {
		return nil, f.run.fail(fmt.Errorf("%s: %w", path, err))
	}
	return data, nil
}

// pathKeys are the keys below which kustomize and its builtin plugins look for
// a file, a folder or a git repository.
var pathKeys = []string{
	"bases", "components", "configurations", "crds", "env", "envs", "files",
	"generators", "path", "paths", "patches", "patchesJson6902",
	"patchesStrategicMerge", "resources", "transformers", "validators",
	"valuesFile", "additionalValuesFiles", "values", "chartHome",
}

func isKustomization(*kyaml.RNode) bool { return true }

// isBuiltinPlugin reports whether a document configures a kustomize plugin; the
// many other manifests of an app may say "path" and "files" as they like.
func isBuiltinPlugin(document *kyaml.RNode) bool {
	return document.GetApiVersion() == konfig.BuiltinPluginApiVersion
}

// refuseRemote refuses a stream of YAML documents in which one that applies
// has something remote where kustomize expects a path. What is no YAML is left
// to kustomize, which says so.
func refuseRemote(data []byte, applies func(*kyaml.RNode) bool) error {
	decoder := kyaml.NewDecoder(bytes.NewReader(data))
	for {
		var node kyaml.Node
		if err := decoder.Decode(&node); err != nil {
			if !errors.Is(err, io.EOF) {
				return nil
			}
			return nil
		}
		document := kyaml.NewRNode(&node)
		if !applies(document) {
			continue
		}
		var tree any
		if err := node.Decode(&tree); err != nil {
			return nil
		}
		var remote []string
		visitStrings(tree, func(key, value string) {
			if slices.Contains(pathKeys, key) && isRemote(value) {
				remote = append(remote, value)
			}
			// Generators, transformers and validators may stand inline.
			if inline := []byte(value); bytes.Contains(inline, []byte(konfig.BuiltinPluginApiVersion)) && strings.Contains(value, "\n") {
				if err := refuseRemote(inline, isBuiltinPlugin); err != nil {
					remote = append(remote, strings.TrimSuffix(strings.TrimPrefix(err.Error(), remotePrefix), remoteSuffix))
				}
			}
		})
		if len(remote) > 0 {
			slices.Sort(remote)
			return fmt.Errorf("%s%s%s", remotePrefix, remote[0], remoteSuffix)
		}
	}
}

const (
	remotePrefix = "remote reference "
	remoteSuffix = ": rendering does not use the network; commit a copy and refer to that"
)

var remotePattern = regexp.MustCompile(`(?i)^(git::)?([a-z][a-z0-9+.-]*://|[a-z][a-z0-9-]*@|github\.com[/:])`)

// isRemote reports whether kustomize could take a path for a URL or a git
// repository. It follows NewRepoSpecFromURL and IsRemoteFile of kustomize, and
// errs on the side of refusing.
func isRemote(path string) bool {
	return remotePattern.MatchString(strings.TrimSpace(path))
}
