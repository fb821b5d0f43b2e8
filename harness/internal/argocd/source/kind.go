package source

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// override lays .argocd-source.yaml and .argocd-source-NAME.yaml of the folder over
// the source: mergeSourceParameters of reposerver/repository/repository.go.
//
// As there, the merged text is decoded into the source as it is. So a null removes
// nothing, and what an item of a list does not say stays as it was.
func (o *one) override() error {
	merged := o.source
	if text, err := json.Marshal(o.source); err != nil || json.Unmarshal(text, &merged) != nil {
		return broken(o.field, "it cannot be written as JSON", "correct it")
	}
	for _, name := range []string{".argocd-source.yaml", fmt.Sprintf(".argocd-source-%s.yaml", o.appName())} {
		file := filepath.Join(o.folder, name)
		if info, err := o.options.Reads.Stat(file); err != nil || info.IsDir() {
			continue
		}
		text, err := o.read(o.root, o.field, file)
		if err != nil {
			return err
		}
		patch, err := yaml.YAMLToJSON(text)
		if err != nil {
			return broken(o.field, fmt.Sprintf("%s cannot be read: %v", name, err), "correct it")
		}
		before, err := json.Marshal(merged)
		if err != nil {
			return broken(o.field, fmt.Sprintf("%s cannot be merged: %v", name, err), "correct it")
		}
		after, err := jsonpatch.MergePatch(before, patch)
		if err != nil {
			return broken(o.field, fmt.Sprintf("%s cannot be merged: %v", name, err), "correct it")
		}
		if err := json.Unmarshal(after, &merged); err != nil {
			return broken(o.field, fmt.Sprintf("%s is no source: %v", name, err), "correct it")
		}
	}
	merged.Chart, merged.Path = o.source.Chart, o.source.Path
	merged.RepoURL, merged.TargetRevision = o.source.RepoURL, o.source.TargetRevision
	o.source = merged
	return nil
}

// kind is the type of the source: GetAppSourceType of
// reposerver/repository/repository.go.
func (o *one) kind() (string, error) {
	var explicit []string
	for _, one := range []struct {
		kind  string
		given bool
	}{
		{Kustomize, o.source.Kustomize != nil}, {Helm, o.source.Helm != nil},
		{Directory, o.source.Directory != nil}, {Plugin, o.source.Plugin != nil},
	} {
		if one.given {
			explicit = append(explicit, one.kind)
		}
	}
	switch len(explicit) {
	case 0:
		if o.view.Settings.Discovery {
			return "", refused(o.field, "it names no type, and Argo CD has plugins that take sources by what is in them", "name the type, such as helm: {} or kustomize: {}")
		}
		return o.discover()
	case 1:
		if o.enabled(explicit[0]) {
			return explicit[0], nil
		}
		return Directory, nil
	default:
		return "", broken(o.field, "it has several types: "+strings.Join(explicit, ", "), "leave one of them")
	}
}

// enabled is IsManifestGenerationEnabled of util/app/discovery. For a directory it is
// about Jsonnet, and a directory it stays.
func (o *one) enabled(kind string) bool {
	switch kind {
	case Helm:
		return !o.view.Settings.WithoutHelm
	case Kustomize:
		return !o.view.Settings.WithoutKustomize
	default:
		return true
	}
}

// discover is AppType of util/app/discovery: of what is at the top of the folder the
// last file in lexical order wins. A symbolic link is not walked into.
func (o *one) discover() (string, error) {
	if info, err := o.options.Reads.Lstat(o.folder); err != nil || !info.IsDir() {
		return Directory, nil
	}
	entries, err := o.options.Reads.ReadDir(o.folder)
	if err != nil {
		return "", broken(o.field+".path", err.Error(), "correct it")
	}
	kind := Directory
	for _, entry := range entries {
		switch {
		case entry.IsDir():
		case render.IsKustomization(entry.Name()) && o.enabled(Kustomize):
			kind = Kustomize
		case strings.HasSuffix(entry.Name(), "Chart.yaml") && o.enabled(Helm):
			kind = Helm
		}
	}
	return kind, nil
}
