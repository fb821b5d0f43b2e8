package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/reposerver/apiclient"
	"github.com/argoproj/argo-cd/v3/reposerver/repository"
	"github.com/argoproj/argo-cd/v3/util/argo"
	"github.com/argoproj/argo-cd/v3/util/git"
	utilio "github.com/argoproj/argo-cd/v3/util/io"
)

// sourceQuestion is an Application with the repositories that it reads.
type sourceQuestion struct {
	Name string `json:"name"`
	// Application and Settings, the ConfigMap argocd-cm, are YAML.
	Application string `json:"application"`
	Settings    string `json:"settings"`
	// KubeVersion and APIVersions are those of the cluster.
	KubeVersion string   `json:"kubeVersion"`
	APIVersions []string `json:"apiVersions"`
	// Repositories are the files of each, by its URL.
	Repositories map[string]map[string]string `json:"repositories"`
}

// sourceAnswer is what the repository server makes of it: the manifests of all
// sources, or an error.
type sourceAnswer struct {
	Name      string            `json:"name"`
	Manifests []json.RawMessage `json:"manifests"`
	Error     string            `json:"error,omitempty"`
}

func manifestsAnswer(question sourceQuestion) sourceAnswer {
	manifests, err := manifestsOf(question)
	if err != nil {
		return sourceAnswer{Name: question.Name, Error: err.Error()}
	}
	return sourceAnswer{Name: question.Name, Manifests: manifests}
}

// manifestsOf does for each source what GetRepoObjs of controller/state.go asks of
// the repository server, and what that checks before it generates.
func manifestsOf(question sourceQuestion) (manifests []json.RawMessage, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("panic: %v", panicked)
		}
	}()
	text, err := yaml.YAMLToJSON([]byte(question.Application))
	if err != nil {
		return nil, err
	}
	var app v1alpha1.Application
	if err := kjson.UnmarshalCaseSensitivePreserveInts(text, &app); err != nil {
		return nil, err
	}
	// What the controller works with, and writes back.
	app.Spec = *argo.NormalizeApplicationSpec(&app.Spec)
	var configMap struct {
		Data map[string]string `json:"data"`
	}
	if err := yaml.Unmarshal([]byte(question.Settings), &configMap); err != nil {
		return nil, err
	}
	sources := app.Spec.GetSources()
	if app.Spec.SourceHydrator != nil {
		sources = v1alpha1.ApplicationSources{app.Spec.SourceHydrator.GetDrySource()}
	}
	if len(sources) == 0 {
		return nil, errors.New("no source")
	}
	manifests = []json.RawMessage{}
	// A source may write into its checkout: each has checkouts of its own.
	for i := range sources {
		made, err := generate(question, &app, sources, i, configMap.Data)
		if err != nil {
			return nil, err
		}
		for _, manifest := range made {
			object, err := asTarget(manifest)
			if err != nil {
				return nil, err
			}
			manifests = append(manifests, object)
		}
	}
	return manifests, nil
}

// asTarget is a manifest as the controller reads it, without the annotation by which
// Argo CD knows its own.
func asTarget(manifest string) (json.RawMessage, error) {
	object, err := v1alpha1.UnmarshalToUnstructured(manifest)
	if err != nil {
		return nil, err
	}
	annotations := object.GetAnnotations()
	delete(annotations, "argocd.argoproj.io/tracking-id")
	object.SetAnnotations(annotations)
	if len(annotations) == 0 {
		unstructured.RemoveNestedField(object.Object, "metadata", "annotations")
	}
	if metadata, ok := object.Object["metadata"].(map[string]any); ok && len(metadata) == 0 {
		delete(object.Object, "metadata")
	}
	return json.Marshal(object.Object)
}

func generate(question sourceQuestion, app *v1alpha1.Application, sources v1alpha1.ApplicationSources, i int, settings map[string]string) ([]string, error) {
	dir, err := os.MkdirTemp("", "argocd-source")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	paths := utilio.NewRandomizedTempPaths(dir)
	for url, files := range question.Repositories {
		root, err := paths.GetPath(git.NormalizeGitURL(url))
		if err != nil {
			return nil, err
		}
		if err := writeFiles(root, files); err != nil {
			return nil, err
		}
	}
	refs, err := argo.GetRefSources(context.Background(), sources, app.Spec.Project, func(_ context.Context, url, _ string) (*v1alpha1.Repository, error) {
		return &v1alpha1.Repository{Repo: url}, nil
	}, nil)
	if err != nil {
		return nil, err
	}
	source := sources[i]
	several := app.Spec.HasMultipleSources()
	if several && source.Path == "" && source.Chart == "" {
		return nil, nil
	}
	if several && source.Helm != nil {
		if err := checkRefs(source.Helm, refs); err != nil {
			return nil, err
		}
	}
	if source.Path == "" && source.Chart == "" {
		return nil, errors.New("spec.source.repoURL and either spec.source.path or spec.source.chart are required")
	}
	root := paths.GetPathIfExists(git.NormalizeGitURL(source.RepoURL))
	if root == "" {
		return nil, fmt.Errorf("no repository %s", source.RepoURL)
	}
	folder := filepath.Join(root, source.Path)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%s is no folder", source.Path)
	}
	labelKey := settings["application.instanceLabelKey"]
	if labelKey == "" {
		labelKey = "app.kubernetes.io/instance"
	}
	tracking := settings["application.resourceTrackingMethod"]
	schemes := []string{"https", "http"}
	if given, ok := settings["helm.valuesFileSchemes"]; ok {
		schemes = strings.Split(given, ",")
	}
	enabled := map[string]bool{}
	for kind, key := range map[string]string{"Kustomize": "kustomize.enable", "Helm": "helm.enable", "Directory": "jsonnet.enable"} {
		enabled[kind] = settings[key] == "" || settings[key] == "true"
	}
	request := &apiclient.ManifestRequest{
		Repo:               &v1alpha1.Repository{Repo: source.RepoURL},
		Revision:           source.TargetRevision,
		AppLabelKey:        labelKey,
		AppName:            app.InstanceName(namespace),
		Namespace:          app.Spec.Destination.Namespace,
		ApplicationSource:  &source,
		KustomizeOptions:   &v1alpha1.KustomizeOptions{BuildOptions: settings["kustomize.buildOptions"]},
		KubeVersion:        question.KubeVersion,
		ApiVersions:        question.APIVersions,
		TrackingMethod:     tracking,
		EnabledSourceTypes: enabled,
		HelmOptions:        &v1alpha1.HelmOptions{ValuesFileSchemes: schemes},
		HasMultipleSources: several,
		RefSources:         refs,
		ProjectName:        app.Spec.GetProject(),
	}
	response, err := repository.GenerateManifests(context.Background(), folder, root, revision, request, false, git.NoopCredsStore{}, resource.MustParse("10M"), paths)
	if err != nil {
		return nil, err
	}
	return response.Manifests, nil
}

// revision is the commit of every checkout. The product does not know it.
const revision = "0000000000000000000000000000000000000000"

// checkRefs is what runManifestGenAsync checks of references.
func checkRefs(helm *v1alpha1.ApplicationSourceHelm, refs v1alpha1.RefTargetRevisionMapping) error {
	var named []string
	for _, parameter := range helm.FileParameters {
		named = append(named, parameter.Path)
	}
	revisions := map[string]string{}
	for _, file := range append(named, helm.ValueFiles...) {
		if !strings.HasPrefix(file, "$") {
			continue
		}
		name, _, _ := strings.Cut(file, "/")
		ref, ok := refs[name]
		if !ok {
			return fmt.Errorf("source referenced %q, which is not one of the available sources", name)
		}
		if ref.Chart != "" {
			return errors.New("Helm charts are not supported for 'ref' sources")
		}
		url := git.NormalizeGitURL(ref.Repo.Repo)
		if known, ok := revisions[url]; ok && known != ref.TargetRevision {
			return errors.New("cannot reference multiple revisions for the same repository")
		}
		revisions[url] = ref.TargetRevision
	}
	return nil
}

func writeFiles(root string, files map[string]string) error {
	for name, content := range files {
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return os.MkdirAll(root, 0o755)
}
