package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/kio"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	goyaml "sigs.k8s.io/yaml/goyaml.v2"
)

// guardedFiles is the file system that kustomize reads through. It refuses,
// before kustomize acts on them, a reference to something remote (kustomize
// would run git or use the network), a path that leads out of the bounds, and
// what is no file or too large.
type guardedFiles struct {
	filesys.FileSystem
	run *run
}

// CleanedAbs implements filesys.FileSystem. Kustomize calls it for every file
// and every folder that it is about to use.
func (f guardedFiles) CleanedAbs(path string) (filesys.ConfirmedDir, string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", "", err
	}
	if err := f.run.bounds.check(absolute); err != nil {
		return "", "", f.run.fail(err)
	}
	return f.FileSystem.CleanedAbs(path)
}

// ReadFile implements filesys.FileSystem.
func (f guardedFiles) ReadFile(path string) ([]byte, error) {
	if err := f.run.checkFile(path); err != nil {
		return nil, f.run.fail(err)
	}
	data, err := f.FileSystem.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if content, ok := f.run.overlay.content(f.run.reads, path); ok {
		data = content
	}
	if err := refuseAliasBomb(data); err != nil {
		return nil, f.run.fail(fmt.Errorf("%s: %w", path, err))
	}
	references, err := f.references(path, data)
	if err != nil {
		return nil, f.run.fail(err)
	}
	if i := slices.IndexFunc(references, isRemote); i >= 0 {
		return nil, f.run.fail(fmt.Errorf("%s: remote reference %s: rendering does not use the network; commit a copy and refer to that", path, references[i]))
	}
	return data, nil
}

// checkFile refuses a file that cannot be read. Without kustomize's own load
// restriction, CleanedAbs is not asked first.
func (r *run) checkFile(path string) error {
	if r.anywhere {
		absolute, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		if err := r.bounds.check(absolute); err != nil {
			return err
		}
	}
	return r.bounds.checkFile(path)
}

// refuseAliasBomb refuses a text whose aliases repeat so much that it would fill
// the memory. Kustomize follows aliases without a bound; the reader that
// refuses them is the one by which Helm and kubectl read YAML.
func refuseAliasBomb(data []byte) error {
	if !bytes.Contains(data, []byte("*")) || !bytes.Contains(data, []byte("&")) {
		return nil
	}
	decoder := goyaml.NewDecoder(bytes.NewReader(data))
	for {
		var content any
		err := decoder.Decode(&content)
		if err == nil {
			continue
		}
		if strings.Contains(err.Error(), "excessive aliasing") {
			return errors.New("document contains excessive aliasing: write out what the aliases repeat, or remove it")
		}
		return nil // the end, or as kustomize will say
	}
}

// references lists whatever kustomize will take for a file, a folder or a git
// repository in a file. It refuses a kustomization that must be rendered alone
// or that refers to what is not there.
func (f guardedFiles) references(path string, data []byte) ([]string, error) {
	if !IsKustomization(path) {
		return pluginReferences(data), nil
	}
	var k types.Kustomization
	if k.Unmarshal(data) != nil {
		return nil, nil // kustomize, which reads it in the same way, says so
	}
	if len(k.OpenAPI) > 0 && !f.run.alone {
		return nil, errOwnSchema
	}
	if missing := f.missingFile(filepath.Dir(path), &k); missing != "" {
		return nil, fmt.Errorf("%s: %s: no such file or folder", path, missing)
	}
	return kustomizationReferences(&k)
}

// missingFile returns a resource, component or patch of a kustomization that
// is neither there nor remote. Kustomize tries it as a file, as a folder and as
// a git repository, and reports all of these failures at once.
func (f guardedFiles) missingFile(dir string, k *types.Kustomization) string {
	references := slices.Concat(k.Resources, k.Components)
	for _, patch := range k.Patches {
		references = append(references, patch.Path)
	}
	for _, reference := range references {
		if _, err := f.run.reads.Stat(filepath.Join(dir, reference)); errors.Is(err, fs.ErrNotExist) && !isRemote(reference) {
			return reference
		}
	}
	return ""
}

// kustomizationFields are those of a kustomization with references. Patches and
// plugins may stand inline.
var kustomizationFields = []string{
	"resources", "components", "bases", "crds", "configurations", "generators", "transformers", "validators",
	"openapi", "patches", "patchesJson6902", "patchesStrategicMerge", "replacements",
	"configMapGenerator", "secretGenerator", "helmCharts", "helmChartInflationGenerator",
}

// referenceKeys are the keys below them, and those of the builtin plugins'
// configurations, with a path or a list of paths.
var referenceKeys = []string{"path", "paths", "files", "env", "envs", "values", "valuesFile", "additionalValuesFiles", "chartHome"}

// kustomizationReferences lists them for a kustomization.
func kustomizationReferences(k *types.Kustomization) ([]string, error) {
	text, err := json.Marshal(k)
	if err != nil {
		return nil, fmt.Errorf("read kustomization: %w", err)
	}
	var tree map[string]any
	if err := json.Unmarshal(text, &tree); err != nil {
		return nil, fmt.Errorf("read kustomization: %w", err)
	}
	maps.DeleteFunc(tree, func(field string, _ any) bool { return !slices.Contains(kustomizationFields, field) })
	references := referencesIn(tree, slices.Concat(kustomizationFields, referenceKeys))
	for _, reference := range references {
		references = append(references, pluginReferences([]byte(reference))...)
	}
	return references, nil
}

// referencesIn lists, sorted, the strings under some keys, and what follows the
// name of one that is named: file=path.
func referencesIn(tree any, keys []string) []string {
	var references []string
	visitStrings(tree, func(key, value string) {
		if slices.Contains(keys, key) {
			_, path, _ := strings.Cut(value, "=")
			references = append(references, value, path)
		}
	})
	slices.Sort(references)
	return references
}

// pluginReferences lists them for a file that configures builtin plugins;
// other files have none. Manifests may say "path" and "files" as they like.
func pluginReferences(data []byte) []string {
	if !bytes.Contains(data, []byte(konfig.BuiltinPluginApiVersion)) {
		return nil
	}
	documents, err := kio.FromBytes(data)
	if err != nil {
		return nil // as kustomize will say
	}
	var references []string
	for _, document := range documents {
		tree, err := document.Map()
		if err != nil {
			continue
		}
		configuresPlugin := false
		visitStrings(tree, func(key, value string) {
			configuresPlugin = configuresPlugin || key == kyaml.APIVersionField && value == konfig.BuiltinPluginApiVersion
		})
		if configuresPlugin {
			references = append(references, referencesIn(tree, referenceKeys)...)
		}
	}
	return references
}

var remotePattern = regexp.MustCompile(`(?i)^(git::)?([a-z][a-z0-9+.-]*://|[a-z][a-z0-9-]*@|github\.com[/:])`)

// isRemote reports whether kustomize could take a path for a URL or a git
// repository. It follows NewRepoSpecFromURL and IsRemoteFile of kustomize, and
// errs on the side of refusing.
func isRemote(path string) bool {
	return remotePattern.MatchString(strings.TrimSpace(path))
}

// visitStrings calls visit for each key of a map that has a string, or a list
// with strings, as its value, at any depth. What an app says as it likes is left
// out: values of charts, and options with labels and annotations.
func visitStrings(node any, visit func(key, value string)) {
	switch node := node.(type) {
	case map[string]any:
		for key, value := range node {
			if slices.Contains([]string{"valuesInline", "valuesLocal", "options"}, key) {
				continue
			}
			items, isList := value.([]any)
			if !isList {
				items = []any{value}
			}
			for _, item := range items {
				if text, ok := item.(string); ok {
					visit(key, text)
				}
			}
			visitStrings(value, visit)
		}
	case []any:
		for _, value := range node {
			visitStrings(value, visit)
		}
	}
}
