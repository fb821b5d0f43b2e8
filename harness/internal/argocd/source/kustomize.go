package source

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
	"github.com/proompteng/nevermigrate/harness/internal/reads"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// kustomize is Build of util/kustomize/kustomize.go: edits of the kustomization, then
// kustomize build with the options of the instance.
func (o *one) kustomize() ([]*unstructured.Unstructured, error) {
	field, kustomize := o.field+".kustomize", o.source.Kustomize
	if kustomize == nil {
		kustomize = &api.ApplicationSourceKustomize{}
	}
	if kustomize.Version != "" {
		return nil, refused(field+".version", fmt.Sprintf("it chooses kustomize %s of the Argo CD instance", kustomize.Version), "leave it out")
	}
	if err := o.edit(field, kustomize); err != nil {
		return nil, err
	}
	options, err := o.buildOptions(field, kustomize)
	if err != nil {
		return nil, err
	}
	asked := &capabilities{}
	objects, buildErr := o.build(options, asked)
	if err := o.answer(asked, options.KubeVersion != "", len(options.APIVersions) > 0); err != nil {
		return nil, err
	}
	return objects, buildErr
}

// build renders the folder of the source.
func (o *one) build(options render.Options, asked *capabilities) ([]*unstructured.Unstructured, error) {
	o.said.Options = options
	options.Opened = asked.look
	text, err := render.App(o.ctx, o.folder, options)
	return o.printed(text, err)
}

// printed reads what kustomize or Helm prints.
func (o *one) printed(text []byte, err error) ([]*unstructured.Unstructured, error) {
	if errors.Is(err, render.ErrNothingRendered) {
		return nil, nil
	}
	if err != nil {
		return nil, failed(o.field, err)
	}
	objects, err := splitYAML(text)
	if err != nil {
		return nil, failed(o.field, err)
	}
	return objects, nil
}

// buildOptions are the options of the rendering: those of the instance, as
// parseKustomizeBuildOptions adds to them.
func (o *one) buildOptions(field string, kustomize *api.ApplicationSourceKustomize) (render.Options, error) {
	options := o.said.Options
	given := o.view.Settings.KustomizeBuildOptions
	flags, err := parseBuildOptions(given)
	if err != nil {
		return options, refused(o.field, fmt.Sprintf("the instance's kustomize.buildOptions %v", err), "render without it, or exclude the Application")
	}
	options.WithoutHelm, options.LoadAnywhere = !flags.helm, flags.anywhere
	options.KubeVersion, options.APIVersions = flags.kubeVersion, flags.apiVersions
	if !strings.Contains(given, "--enable-helm") {
		return options, nil
	}
	versions := o.versions()
	if kustomize.KubeVersion != "" {
		versions.Kubernetes = kustomize.KubeVersion
	}
	if len(kustomize.APIVersions) > 0 {
		versions.APIs = kustomize.APIVersions
	}
	kubeVersion, err := parseVersion(versions.Kubernetes)
	if err != nil {
		return options, broken(field+".kubeVersion", err.Error(), "correct it")
	}
	if kubeVersion != "" {
		options.KubeVersion = kubeVersion
	}
	options.APIVersions = slices.Concat(options.APIVersions, versions.APIs)
	return options, nil
}

// parseVersion is parseKubeVersion of reposerver/repository/repository.go.
func parseVersion(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	parsed, err := version.ParseGeneric(text)
	if err != nil {
		return "", err
	}
	return parsed.String(), nil
}

// buildFlags are flags of `kustomize build` that change what is rendered.
type buildFlags struct {
	helm, anywhere bool
	kubeVersion    string
	apiVersions    []string
}

// parseBuildOptions reads flags as Argo CD splits them: at white space. A flag that
// cannot be honoured is an error.
func parseBuildOptions(text string) (buildFlags, error) {
	var flags buildFlags
	fields := strings.Fields(text)
	for len(fields) > 0 {
		flag, value, hasValue := strings.Cut(fields[0], "=")
		fields = fields[1:]
		next := func() string {
			if !hasValue && len(fields) > 0 {
				value, fields = fields[0], fields[1:]
			}
			return value
		}
		known := true
		switch flag {
		case "--enable-helm", "--enable-alpha-plugins":
			// Plugins that are no part of kustomize are refused when they are used.
			flags.helm = flags.helm || !hasValue || value == "true"
			known = !hasValue || value == "true"
		case "--enable-exec", "--enable-managedby-label", "--helm-debug":
			known = !hasValue || value == "true"
		case "--load-restrictor":
			known = slices.Contains([]string{"LoadRestrictionsNone", "LoadRestrictionsRootOnly"}, next())
			flags.anywhere = value == "LoadRestrictionsNone"
		case "--reorder":
			known = slices.Contains([]string{"none", "legacy"}, next()) // only an order
		case "--helm-command":
			known = next() == "helm"
		case "--helm-kube-version":
			flags.kubeVersion = next()
		case "--helm-api-versions":
			flags.apiVersions = append(flags.apiVersions, strings.Split(next(), ",")...)
		default:
			known = false
		}
		if !known {
			return flags, fmt.Errorf("hold %s, which is not known here", strings.TrimSpace(flag+" "+value))
		}
	}
	return flags, nil
}

// plugin renders a source of a plugin that is mapped, under the conditions under
// which it gives what it is mapped to.
func (o *one) plugin() ([]*unstructured.Unstructured, error) {
	field, plugin := o.field+".plugin", o.source.Plugin
	does := o.view.Plugins[plugin.Name]
	if plugin.Name == "" || does == "" {
		return nil, refused(field+".name", fmt.Sprintf("nobody knows what the plugin %q does", plugin.Name), "map it in argocd.plugins of the configuration, if it only runs kustomize build --enable-helm, or exclude the Application")
	}
	if does != KustomizeEnableHelm {
		return nil, refused(field+".name", fmt.Sprintf("the plugin %q is mapped to %q, which is not known", plugin.Name, does), "map it to "+KustomizeEnableHelm)
	}
	for i, entry := range plugin.Env {
		if entry != nil && isLovely(entry.Name) {
			return nil, refused(fmt.Sprintf("%s.env[%d]", field, i), fmt.Sprintf("%s changes what the plugin does", entry.Name), "leave it out")
		}
	}
	for i, parameter := range plugin.Parameters {
		if isLovely(parameter.Name) {
			return nil, refused(fmt.Sprintf("%s.parameters[%d]", field, i), fmt.Sprintf("%s changes what the plugin does", parameter.Name), "leave it out")
		}
	}
	o.options.Reads.Note(reads.List, o.folder)
	for _, pattern := range []string{"Chart.yaml", "helmfile.yaml*", "helmfile.d"} {
		if found, _ := filepath.Glob(filepath.Join(escaped(o.folder), pattern)); len(found) > 0 {
			return nil, refused(field, fmt.Sprintf("the plugin also runs %s, which is beside the kustomization", filepath.Base(found[0])), "remove it")
		}
	}
	if !o.isFile(filepath.Join(o.folder, "kustomization.yaml")) && !o.isFile(filepath.Join(o.folder, "kustomization.yml")) {
		return nil, refused(field, "there is no kustomization.yaml or kustomization.yml, so the plugin does not run kustomize", "add one")
	}
	if paths := o.app.Annotations["argocd.argoproj.io/manifest-generate-paths"]; paths != "" {
		o.warn("metadata.annotations", "argocd.argoproj.io/manifest-generate-paths says %q: where the repository server is told to, the plugin sees nothing else", paths)
	}
	asked := &capabilities{}
	objects, err := o.build(o.said.Options, asked)
	if asked.version.Load() || asked.apis.Load() {
		o.warn(field, "a chart asks for versions of the cluster (.Capabilities), which the plugin does not pass on: it sees those of the plugin's Helm, which may be others than here")
	}
	return objects, err
}

func isLovely(name string) bool {
	name = strings.ToUpper(name)
	return strings.HasPrefix(strings.TrimPrefix(name, "ARGOCD_ENV_"), "LOVELY")
}
