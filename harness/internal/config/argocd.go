package config

import (
	"fmt"
	"slices"
	"strings"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/committed"
)

// ArgoCD is what Argo CD knows and the repository does not say.
type ArgoCD struct {
	// Repositories are checked out here; their paths are relative to the folder of
	// the configuration.
	Repositories []Repository
	// Revisions are names of the revision that is judged.
	Revisions []Text
	// Plugins are config management plugins, and what each does.
	Plugins []Plugin
	// Settings is the file with the ConfigMap argocd-cm.
	Settings Text
	// Clusters are files with the Secrets of clusters.
	Clusters     []Text
	Destinations []Destination
}

// Repository is a repository and where it is.
type Repository struct {
	URL, Path string
	Line      int
}

// Plugin is a plugin and what it does.
type Plugin struct {
	Name, Does string
	Line       int
}

// Destination is a cluster and what charts see of it.
type Destination struct {
	Cluster, KubeVersion string
	APIVersions          []string
	Line                 int
}

// Said are the entries, each as a line of text with its line in the file.
func (a *ArgoCD) Said() []Text {
	var said []Text
	add := func(line int, format string, args ...any) {
		said = append(said, Text{fmt.Sprintf(format, args...), line})
	}
	if a == nil {
		return nil
	}
	for _, r := range a.Repositories {
		add(r.Line, "repository %s in %s", r.URL, r.Path)
	}
	for _, r := range a.Revisions {
		add(r.Line, "revision %s", r.Value)
	}
	for _, p := range a.Plugins {
		add(p.Line, "plugin %s: %s", p.Name, p.Does)
	}
	if a.Settings.Value != "" {
		add(a.Settings.Line, "settings %s", a.Settings.Value)
	}
	for _, c := range a.Clusters {
		add(c.Line, "clusters %s", c.Value)
	}
	for _, d := range a.Destinations {
		versions := ""
		if len(d.APIVersions) > 0 {
			versions = " with " + strings.Join(d.APIVersions, ", ")
		}
		add(d.Line, "cluster %s has Kubernetes %s%s", d.Cluster, d.KubeVersion, versions)
	}
	return said
}

// changed hands over the lines and paths of the entries that say something else than
// those of another configuration: what Argo CD deploys may look different then. One
// more entry only makes more to be judged.
func (a *ArgoCD) changed(from *ArgoCD, add func(line int, path string)) {
	if a == nil || from == nil {
		return
	}
	for i, r := range a.Repositories {
		if slices.ContainsFunc(from.Repositories, func(o Repository) bool { return o.URL == r.URL && o.Path != r.Path }) {
			add(r.Line, fmt.Sprintf("argocd.repositories[%d]", i))
		}
	}
	if from.Settings.Value != "" && a.Settings.Value != from.Settings.Value && a.Settings.Value != "" {
		add(a.Settings.Line, "argocd.settings")
	}
	for i, d := range a.Destinations {
		isOther := func(o Destination) bool {
			return o.Cluster == d.Cluster && (o.KubeVersion != d.KubeVersion || !slices.Equal(o.APIVersions, d.APIVersions))
		}
		if slices.ContainsFunc(from.Destinations, isOther) {
			add(d.Line, fmt.Sprintf("argocd.destinations[%d]", i))
		}
	}
}

// argocd reads what Argo CD knows.
func (r *reader) argocd(f field) error {
	fields, err := r.fields(f.value, f.name, []string{"repositories", "revisions", "plugins", "settings", "clusters", "destinations"}, nil)
	if err != nil {
		return err
	}
	a := &ArgoCD{}
	for _, one := range fields {
		key := one.name
		one.name = committed.Join(f.name, key)
		switch key {
		case "repositories":
			err = r.repositories(one, a)
		case "revisions":
			a.Revisions, err = r.texts(one, anything)
		case "plugins":
			err = r.plugins(one, a)
		case "settings":
			a.Settings, err = r.text(one.value, one.name, r.file)
		case "clusters":
			a.Clusters, err = r.texts(one, r.file)
		case "destinations":
			err = r.destinations(one, a)
		}
		if err != nil {
			return err
		}
	}
	r.config.ArgoCD = a
	return nil
}

func (r *reader) repositories(f field, a *ArgoCD) error {
	items, err := r.items(f)
	for i, item := range items {
		one := Repository{Line: item.Line}
		if err := r.entry(item, fmt.Sprintf("%s[%d]", f.name, i), []string{"url", "path"}, []string{"url", "path"},
			map[string]*string{"url": &one.URL, "path": &one.Path},
			map[string]func(string) string{"url": anything, "path": r.file}); err != nil {
			return err
		}
		a.Repositories = append(a.Repositories, one)
	}
	return err
}

// doesKustomize is what is said of a plugin that runs kustomize and nothing else.
const doesKustomize = "kustomize-enable-helm"

func (r *reader) plugins(f field, a *ArgoCD) error {
	if err := r.plain(f.value, f.name); err != nil {
		return err
	}
	if f.value.Kind != yaml.MappingNode || f.value.ShortTag() != yaml.NodeTagMap {
		return r.fail(f.value, f.name, "it must be an object with the names of plugins as keys")
	}
	if len(f.value.Content) == 0 {
		return r.fail(f.value, f.name, "it is empty: give it a key, or remove it")
	}
	seen := map[string]int{}
	for i := 0; i < len(f.value.Content); i += 2 {
		name, err := r.text(f.value.Content[i], f.name, anything)
		if err != nil {
			return err
		}
		if line, twice := seen[name.Value]; twice {
			return r.fail(f.value.Content[i], committed.Join(f.name, name.Value), "the key is there twice, first in line %d: keep one of them", line)
		}
		seen[name.Value] = name.Line
		does, err := r.text(f.value.Content[i+1], committed.Join(f.name, name.Value), func(text string) string {
			if text != doesKustomize {
				return text + " is nothing that a plugin is known to do: write " + doesKustomize + " for one that runs kustomize build --enable-helm and nothing else"
			}
			return ""
		})
		if err != nil {
			return err
		}
		a.Plugins = append(a.Plugins, Plugin{name.Value, does.Value, name.Line})
	}
	return nil
}

func (r *reader) destinations(f field, a *ArgoCD) error {
	items, err := r.items(f)
	for i, item := range items {
		key := fmt.Sprintf("%s[%d]", f.name, i)
		fields, err := r.fields(item, key, []string{"cluster", "kubeVersion", "apiVersions"}, []string{"cluster", "kubeVersion"})
		if err != nil {
			return err
		}
		one := Destination{Line: item.Line}
		for _, of := range fields {
			name := of.name
			of.name = committed.Join(key, name)
			var text Text
			switch name {
			case "cluster":
				text, err = r.text(of.value, of.name, anything)
				one.Cluster = text.Value
			case "kubeVersion":
				text, err = r.text(of.value, of.name, isKubeVersion)
				one.KubeVersion = text.Value
			case "apiVersions":
				var texts []Text
				texts, err = r.texts(of, isAPIVersion)
				for _, text := range texts {
					one.APIVersions = append(one.APIVersions, text.Value)
				}
			}
			if err != nil {
				return err
			}
		}
		a.Destinations = append(a.Destinations, one)
	}
	return err
}
