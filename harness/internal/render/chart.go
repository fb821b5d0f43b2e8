package render

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	valueloader "helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	release "helm.sh/helm/v4/pkg/release/v1"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"
)

// Chart is a chart as it is templated for a release, loaded once so that it can
// be templated again and again with other values, at a fraction of what App
// takes. It is safe for concurrent use.
type Chart struct {
	// Folder is the chart's.
	Folder string
	// ReleaseName and Namespace are the release's.
	ReleaseName, Namespace string
	// Values are given for the release, over the chart's own. Not to be changed.
	Values map[string]any

	entry    types.HelmChart
	loaded   *chartv2.Chart
	caps     *common.Capabilities
	schemas  map[string]schema // by their text; nil when values are not validated
	maxBytes int64
	resmaps  *resmap.Factory
}

// IsChart reports whether a folder holds a Helm chart.
func IsChart(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "Chart.yaml"))
	return err == nil && info.Mode().IsRegular()
}

// OpenChart loads the chart in a folder for a release of a name in a namespace.
// Without a name the release has the chart's. Errors are those of Helm in its own
// words, and refusals (see the package comment).
func OpenChart(dir, releaseName, namespace string, options Options) (*Chart, error) {
	options = options.withDefaults()
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find chart: %w", err)
	}
	c, err := openChart(types.HelmChart{
		Name: filepath.Base(dir), ReleaseName: releaseName, Namespace: namespace,
		KubeVersion: options.KubeVersion, ApiVersions: options.APIVersions,
	}, filepath.Dir(dir), nil, options)
	if err == nil && releaseName == "" {
		c.ReleaseName, c.entry.ReleaseName = c.loaded.Name(), c.loaded.Name()
	}
	return c, err
}

// Charts renders the app in a directory and returns the charts that it templates
// on the way, those of its bases and components too, in the order of their
// names. Its errors are those of App.
func Charts(ctx context.Context, dir string, options Options) ([]*Chart, error) {
	var mu sync.Mutex
	var charts []*Chart
	options.Opened = func(c *Chart) {
		mu.Lock()
		defer mu.Unlock()
		charts = append(charts, c)
	}
	if _, err := Objects(ctx, dir, options); err != nil {
		return nil, err
	}
	mu.Lock()
	defer mu.Unlock()
	slices.SortStableFunc(charts, func(a, b *Chart) int {
		return strings.Compare(a.ReleaseName+"/"+a.Folder, b.ReleaseName+"/"+b.Folder)
	})
	return charts, nil
}

// openChart loads the chart of a kustomization's entry, from the folder home,
// with values in place of its first values file.
func openChart(entry types.HelmChart, home string, values []byte, options Options) (*Chart, error) {
	name, err := releaseName(entry)
	if err != nil {
		return nil, err
	}
	c := &Chart{
		Folder: filepath.Join(home, entry.Name), ReleaseName: name, Namespace: cmp.Or(entry.Namespace, "default"),
		entry: entry, caps: common.DefaultCapabilities.Copy(), schemas: map[string]schema{}, maxBytes: options.MaxBytes,
		resmaps: resmap.NewFactory(provider.NewDefaultDepProvider().GetResourceFactory()),
	}
	if entry.KubeVersion != "" {
		version, err := common.ParseKubeVersion(entry.KubeVersion)
		if err != nil {
			return nil, fmt.Errorf("invalid kube version %q: %w", entry.KubeVersion, err)
		}
		c.caps.KubeVersion = *version
	}
	for _, versions := range entry.ApiVersions {
		c.caps.APIVersions = append(c.caps.APIVersions, strings.Split(versions, ",")...)
	}
	if c.Values, err = mergeValues(values, entry.AdditionalValuesFiles, options); err != nil {
		return nil, err
	}
	if c.loaded, err = loadChart(c.Folder, options); err != nil {
		return nil, err
	}
	if needs := c.loaded.Metadata.KubeVersion; needs != "" && !chartutil.IsCompatibleRange(needs, c.caps.KubeVersion.String()) {
		return nil, fmt.Errorf("chart requires kubeVersion: %s which is incompatible with Kubernetes %s", needs, c.caps.KubeVersion.Version)
	}
	if options.skipSchemas {
		c.schemas = nil
		return c, nil
	}
	return c, compileSchemas(c.loaded, c.schemas, options.Schemas)
}

// releaseName follows NameAndChart and availableName of
// helm.sh/helm/v4/pkg/action, for the flags that kustomize sets.
func releaseName(entry types.HelmChart) (string, error) {
	name := cmp.Or(entry.ReleaseName, "release-name")
	if entry.NameTemplate != "" {
		if entry.ReleaseName != "" {
			return "", errors.New("cannot set --name-template and also specify a name")
		}
		var err error
		if name, err = templatedName(entry.NameTemplate); err != nil {
			return "", err
		}
	}
	if err := chartutil.ValidateReleaseName(name); err != nil {
		return "", fmt.Errorf("release name check failed: release name %q: %w", name, err)
	}
	return name, nil
}

// templatedName is TemplateName of helm.sh/helm/v4/pkg/action.
func templatedName(text string) (string, error) {
	name, err := template.New("name-template").Funcs(sprig.TxtFuncMap()).Parse(text)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = name.Execute(&b, nil)
	return b.String(), err
}

// Loaded is the chart itself. Not to be changed.
func (c *Chart) Loaded() *chartv2.Chart { return c.loaded }

// File is what one template of a chart gives.
type File struct {
	// Name is the template's path, with the chart's name in front.
	Name string
	Text string
}

// ErrRefused says that a chart cannot be templated with some values.
type ErrRefused struct{ error }

// Unwrap returns the error of Helm or kustomize.
func (e ErrRefused) Unwrap() error { return e.error }

// Template templates the chart with values in place of its Values, and returns
// what each template gives, in the order of their names. An ErrRefused is what
// Helm says of the values; any other error has nothing to do with them.
func (c *Chart) Template(ctx context.Context, values map[string]any) ([]File, error) {
	return c.TemplateAs(ctx, values, Execution{})
}

// Told is what templates are told beside the values. What is zero is the chart's
// own.
type Told struct {
	ReleaseName, Namespace string
	// Upgrade is true when the release is upgraded, not installed.
	Upgrade bool
	// Revision is that of the release.
	Revision int
	// KubeVersion is the version of the cluster, and APIVersions are what it has
	// besides Helm's defaults.
	KubeVersion string
	APIVersions []string
}

// Execution changes how a chart is templated.
type Execution struct {
	Told Told
	// Functions come to those of the templates, and replace those of their names.
	Functions template.FuncMap
	// Top sees what the templates of the chart get before they are executed.
	Top func(top map[string]any)
}

// TemplateAs is Template with another execution.
func (c *Chart) TemplateAs(ctx context.Context, values map[string]any, execution Execution) ([]File, error) {
	_, texts, err := c.execute(ctx, values, execution)
	if err != nil {
		return nil, err
	}
	var files []File
	var size int64
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if strings.HasPrefix(path.Base(name), "_") || strings.TrimSpace(texts[name]) == "" {
			continue
		}
		size += int64(len(texts[name]))
		files = append(files, File{name, texts[name]})
	}
	if size > c.maxBytes {
		return nil, ErrRefused{fmt.Errorf("helm rendered %d bytes, more than the limit of %d", size, c.maxBytes)}
	}
	return files, nil
}

// execute executes the templates with values, and returns what each gives, and
// the chart without the dependencies that the values switch off. It follows
// RunWithContext of helm.sh/helm/v4/pkg/action.
func (c *Chart) execute(ctx context.Context, values map[string]any, execution Execution) (*chartv2.Chart, map[string]string, error) {
	options, caps, err := c.told(execution.Told)
	if err != nil {
		return nil, nil, ErrRefused{err}
	}
	chart := clone(c.loaded)
	if err := chartutil.ProcessDependencies(chart, values); err != nil {
		return nil, nil, ErrRefused{fmt.Errorf("chart dependencies processing failed: %w", err)}
	}
	top, err := util.ToRenderValuesWithSchemaValidation(chart, values, options, caps, true)
	if err != nil {
		return nil, nil, ErrRefused{err}
	}
	coalesced, err := top.Table("Values")
	if err != nil {
		return nil, nil, ErrRefused{err}
	}
	if c.schemas != nil {
		if problems := c.validate(chart, coalesced.AsMap()); len(problems) > 0 {
			return nil, nil, ErrRefused{problems}
		}
	}
	if execution.Top != nil {
		execution.Top(top)
	}
	type outcome struct {
		texts map[string]string
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		texts, err := engine.Engine{CustomTemplateFuncs: execution.Functions}.RenderWithContext(ctx, chart, top)
		done <- outcome{texts, err}
	}()
	select {
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	case result := <-done:
		if result.err != nil {
			return nil, nil, ErrRefused{result.err}
		}
		maps.DeleteFunc(result.texts, func(name, _ string) bool { return strings.HasSuffix(name, "NOTES.txt") })
		return chart, result.texts, nil
	}
}

// told is what Helm is given to tell the templates.
func (c *Chart) told(told Told) (common.ReleaseOptions, *common.Capabilities, error) {
	options := common.ReleaseOptions{
		Name: cmp.Or(told.ReleaseName, c.ReleaseName), Namespace: cmp.Or(told.Namespace, c.Namespace),
		Revision: cmp.Or(told.Revision, 1), IsInstall: !told.Upgrade, IsUpgrade: told.Upgrade,
	}
	if err := chartutil.ValidateReleaseName(options.Name); err != nil {
		return options, nil, fmt.Errorf("release name check failed: release name %q: %w", options.Name, err)
	}
	if told.KubeVersion == "" && len(told.APIVersions) == 0 {
		return options, c.caps, nil
	}
	caps := c.caps.Copy()
	caps.APIVersions = slices.Concat(caps.APIVersions, told.APIVersions)
	if told.KubeVersion != "" {
		version, err := common.ParseKubeVersion(told.KubeVersion)
		if err != nil {
			return options, nil, fmt.Errorf("invalid kube version %q: %w", told.KubeVersion, err)
		}
		caps.KubeVersion = *version
		if needs := c.loaded.Metadata.KubeVersion; needs != "" && !chartutil.IsCompatibleRange(needs, caps.KubeVersion.String()) {
			return options, nil, fmt.Errorf("chart requires kubeVersion: %s which is incompatible with Kubernetes %s", needs, caps.KubeVersion.Version)
		}
	}
	return options, caps, nil
}

// Rewritten is the chart with other texts of its templates and its subcharts'
// templates: what text makes of the file below the chart's folder and its text.
func (c *Chart) Rewritten(text func(file, text string) string) *Chart {
	rewritten := *c
	var rewrite func(chart *chartv2.Chart, folder string) *chartv2.Chart
	rewrite = func(chart *chartv2.Chart, folder string) *chartv2.Chart {
		copied := *chart
		copied.Templates = nil
		for _, file := range chart.Templates {
			own := *file
			own.Data = []byte(text(folder+file.Name, string(file.Data)))
			copied.Templates = append(copied.Templates, &own)
		}
		var below []*chartv2.Chart
		for _, dependency := range chart.Dependencies() {
			below = append(below, rewrite(dependency, folder+"charts/"+dependency.Name()+"/"))
		}
		copied.SetDependencies(below...)
		return &copied
	}
	rewritten.loaded = rewrite(c.loaded, "")
	return &rewritten
}

// clone copies what ProcessDependencies changes of a chart.
func clone(c *chartv2.Chart) *chartv2.Chart {
	copied := *c
	metadata := *c.Metadata
	copied.Metadata = &metadata
	metadata.Dependencies = nil
	for _, dependency := range c.Metadata.Dependencies {
		own := *dependency
		metadata.Dependencies = append(metadata.Dependencies, &own)
	}
	var below []*chartv2.Chart
	for _, dependency := range c.Dependencies() {
		below = append(below, clone(dependency))
	}
	copied.SetDependencies(below...)
	return &copied
}

// Object is an object that a template gives.
type Object struct {
	// ID is the same for two objects that cannot stand in one app.
	ID string
	// Content is the object as encoding/json would decode it.
	Content map[string]any
}

// print gives what the helm command line prints of the templates' texts: some
// manifests before, their manifests, and their hooks.
func (c *Chart) print(before string, texts map[string]string) ([]byte, error) {
	hooks, manifests, err := releaseutil.SortManifests(texts, nil, releaseutil.InstallOrder)
	if err != nil {
		return nil, ErrRefused{err}
	}
	out := bytes.NewBufferString(before)
	for _, manifest := range manifests {
		fmt.Fprintf(out, "---\n# Source: %s\n%s\n", manifest.Name, manifest.Content)
	}
	out = bytes.NewBuffer(append(bytes.TrimSpace(out.Bytes()), '\n'))
	for _, hook := range hooks {
		if !c.entry.SkipHooks && !(c.entry.SkipTests && slices.Contains(hook.Events, release.HookTest)) {
			fmt.Fprintf(out, "---\n# Source: %s\n%s\n", hook.Path, hook.Manifest)
		}
	}
	return out.Bytes(), nil
}

// Objects reads what one template gives, with its hooks, as Helm and kustomize
// read it. It depends on the file alone. An error is an ErrRefused.
func (c *Chart) Objects(file File) ([]Object, error) {
	out, err := c.print("", map[string]string{file.Name: file.Text})
	if err != nil || len(bytes.TrimSpace(out)) == 0 {
		return nil, err
	}
	var objects []Object
	err = withSchema(func(bool) error {
		resources, err := readObjects(c.resmaps, bytes.TrimSpace(out))
		if err != nil {
			return err
		}
		for _, resource := range resources.Resources() {
			content, _, err := decodedObject(resource)
			if err != nil {
				return err
			}
			id := resource.CurId()
			objects = append(objects, Object{fmt.Sprintf("%s %s/%s", id.Gvk.String(), id.EffectiveNamespace(), id.Name), content})
		}
		return nil
	})
	if err != nil {
		return nil, ErrRefused{err}
	}
	return objects, nil
}

// WriteApp makes an app in an empty directory that templates the chart with
// values in place of its Values, and is told something, and nothing else. A kustomization
// cannot say that a release is upgraded, or its revision.
func (c *Chart) WriteApp(dir string, values map[string]any, told Told) error {
	entry := c.entry
	if told.ReleaseName != "" {
		entry.ReleaseName, entry.NameTemplate = told.ReleaseName, ""
	}
	entry.Namespace = cmp.Or(told.Namespace, entry.Namespace)
	entry.KubeVersion = cmp.Or(told.KubeVersion, entry.KubeVersion)
	entry.ApiVersions = append(slices.Clone(entry.ApiVersions), told.APIVersions...)
	entry.Repo, entry.Version = "", ""
	entry.ValuesFile, entry.ValuesInline, entry.ValuesMerge, entry.AdditionalValuesFiles = "values.yaml", nil, "", nil
	kustomization := map[string]any{
		"helmGlobals": map[string]any{"chartHome": filepath.Dir(c.Folder)},
		"helmCharts":  []any{entry},
	}
	for name, content := range map[string]any{"kustomization.yaml": kustomization, "values.yaml": values} {
		text, err := yaml.Marshal(content)
		if err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return fmt.Errorf("write app: %w", err)
		}
	}
	return nil
}

// DecodedValues gives values the types that Helm gives them when it reads them
// from a file.
func DecodedValues(values map[string]any) (map[string]any, error) {
	text, err := json.Marshal(values)
	if err != nil {
		return nil, fmt.Errorf("write values: %w", err)
	}
	decoded, err := valueloader.LoadValues(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read values: %w", err)
	}
	return decoded, nil
}
