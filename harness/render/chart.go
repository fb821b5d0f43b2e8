package render

import (
	"bytes"
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

	"github.com/santhosh-tekuri/jsonschema/v6"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	valueloader "helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"
)

// Chart is a chart as it is templated for a release, loaded once so that it can
// be templated again and again with other values, at a fraction of what App
// takes. What App would refuse it refuses. It is safe for concurrent use.
type Chart struct {
	// Folder is the chart's.
	Folder string
	// ReleaseName and Namespace are the release's.
	ReleaseName, Namespace string
	// Values are given for the release, over the chart's own. Not to be changed.
	Values map[string]any

	entry    types.HelmChart
	request  *request
	loaded   *chartv2.Chart
	caps     *common.Capabilities
	schemas  map[*byte]*jsonschema.Schema // by the first byte of their text
	maxBytes int64
	resmaps  *resmap.Factory
}

// IsChart reports whether a folder holds a Helm chart.
func IsChart(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "Chart.yaml"))
	return err == nil && info.Mode().IsRegular()
}

// OpenChart loads the chart in a folder for a release of a name in a namespace.
// Errors are those of Helm in its own words, and refusals (see the package
// comment).
func OpenChart(dir, releaseName, namespace string, values map[string]any, options Options) (*Chart, error) {
	options = options.withDefaults()
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find chart: %w", err)
	}
	text, err := yaml.Marshal(values)
	if err != nil {
		return nil, fmt.Errorf("write values: %w", err)
	}
	return openChart(types.HelmChart{
		Name: filepath.Base(dir), ReleaseName: releaseName, Namespace: namespace,
		KubeVersion: options.KubeVersion, ApiVersions: options.APIVersions,
	}, filepath.Dir(dir), text, options)
}

// Charts renders the app in a directory and returns the charts that it templates
// on the way, those of its bases and components too, in the order of their
// names. Its errors are those of App.
func Charts(ctx context.Context, dir string, options Options) ([]*Chart, error) {
	recorder := &recordingHelm{options: options.withDefaults()}
	options.helm = recorder
	if _, err := Objects(ctx, dir, options); err != nil {
		return nil, err
	}
	recorder.mu.Lock()
	defer recorder.mu.Unlock()
	slices.SortStableFunc(recorder.charts, func(a, b *Chart) int {
		return strings.Compare(a.ReleaseName+"/"+a.Folder, b.ReleaseName+"/"+b.Folder)
	})
	return recorder.charts, nil
}

// recordingHelm is the embedded helm, and keeps what it was asked for.
type recordingHelm struct {
	options Options
	mu      sync.Mutex
	charts  []*Chart
}

func (h *recordingHelm) template(ctx context.Context, chart types.HelmChart, home string, values []byte) ([]byte, error) {
	opened, err := openChart(chart, home, values, h.options)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	h.charts = append(h.charts, opened)
	h.mu.Unlock()
	return embeddedHelm{h.options.Overlay}.template(ctx, chart, home, values)
}

func openChart(entry types.HelmChart, home string, values []byte, options Options) (*Chart, error) {
	request, err := embeddedHelm{}.request(entry, home, values)
	if err != nil {
		return nil, err
	}
	opened, err := loadChart(request.folder, nil)
	if err != nil {
		return nil, err
	}
	loaded, ok := opened.(*chartv2.Chart)
	if !ok {
		return nil, errors.New("the chart's apiVersion is not supported: use v1 or v2")
	}
	c := &Chart{
		Folder: request.folder, ReleaseName: request.install.ReleaseName, Namespace: request.install.Namespace,
		Values: request.values, entry: entry, request: request, loaded: loaded,
		caps: common.DefaultCapabilities.Copy(), schemas: map[*byte]*jsonschema.Schema{}, maxBytes: options.MaxBytes,
		resmaps: resmap.NewFactory(provider.NewDefaultDepProvider().GetResourceFactory()),
	}
	if request.install.KubeVersion != nil {
		c.caps.KubeVersion = *request.install.KubeVersion
	}
	c.caps.APIVersions = append(c.caps.APIVersions, request.install.APIVersions...)
	if needs := loaded.Metadata.KubeVersion; needs != "" && !chartutil.IsCompatibleRange(needs, c.caps.KubeVersion.String()) {
		return nil, fmt.Errorf("chart requires kubeVersion: %s which is incompatible with Kubernetes %s", needs, c.caps.KubeVersion.Version)
	}
	return c, c.compileSchemas(loaded)
}

// compileSchemas does once what Helm does for every rendering; see
// ValidateAgainstSingleSchema of helm.sh/helm/v4/pkg/chart/common/util. No
// schema refers to another document: loadChart has refused that.
func (c *Chart) compileSchemas(loaded *chartv2.Chart) error {
	if len(loaded.Schema) > 0 {
		schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(loaded.Schema))
		if err != nil {
			return fmt.Errorf("read values.schema.json of chart %s: %w", loaded.Name(), err)
		}
		compiler := jsonschema.NewCompiler()
		if err := compiler.AddResource("file:///values.schema.json", schema); err != nil {
			return fmt.Errorf("read values.schema.json of chart %s: %w", loaded.Name(), err)
		}
		compiled, err := compiler.Compile("file:///values.schema.json")
		if err != nil {
			return fmt.Errorf("compile values.schema.json of chart %s: %w", loaded.Name(), err)
		}
		c.schemas[&loaded.Schema[0]] = compiled
	}
	for _, below := range loaded.Dependencies() {
		if err := c.compileSchemas(below); err != nil {
			return err
		}
	}
	return nil
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
// what each template gives, in the order of their names. It follows
// RunWithContext of helm.sh/helm/v4/pkg/action. An ErrRefused is what Helm says
// of the values; any other error has nothing to do with them.
func (c *Chart) Template(ctx context.Context, values map[string]any) ([]File, error) {
	chart := clone(c.loaded)
	if err := chartutil.ProcessDependencies(chart, values); err != nil {
		return nil, ErrRefused{fmt.Errorf("chart dependencies processing failed: %w", err)}
	}
	top, err := util.ToRenderValuesWithSchemaValidation(chart, values, common.ReleaseOptions{
		Name: c.ReleaseName, Namespace: c.Namespace, Revision: 1, IsInstall: true,
	}, c.caps, true)
	if err != nil {
		return nil, ErrRefused{err}
	}
	coalesced, err := top.Table("Values")
	if err != nil {
		return nil, ErrRefused{err}
	}
	if err := c.validate(chart, coalesced); err != nil {
		return nil, ErrRefused{err}
	}
	type outcome struct {
		files map[string]string
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		files, err := engine.Engine{}.RenderWithContext(ctx, chart, top)
		done <- outcome{files, err}
	}()
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case result := <-done:
		if result.err != nil {
			return nil, ErrRefused{result.err}
		}
		return c.sorted(result.files)
	}
}

func (c *Chart) sorted(texts map[string]string) ([]File, error) {
	var files []File
	var size int64
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if strings.HasSuffix(name, "NOTES.txt") || strings.HasPrefix(path.Base(name), "_") || strings.TrimSpace(texts[name]) == "" {
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

// validate follows ValidateAgainstSchema of the package util.
func (c *Chart) validate(chart *chartv2.Chart, values map[string]any) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("unable to validate schema: %v", r)
		}
	}()
	var problems []error
	if chart.Schema != nil {
		if len(chart.Schema) == 0 {
			return util.ValidateAgainstSingleSchema(values, chart.Schema)
		}
		if err := c.schemas[&chart.Schema[0]].Validate(values); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", chart.Name(), err))
		}
	}
	for _, below := range chart.Dependencies() {
		switch own := values[below.Name()].(type) {
		case nil:
		case map[string]any:
			problems = append(problems, c.validate(below, own))
		case common.Values:
			problems = append(problems, c.validate(below, own))
		default:
			problems = append(problems, fmt.Errorf("%s: invalid type for values: expected object (map), got %T", below.Name(), own))
		}
	}
	return errors.Join(problems...)
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

// Objects reads what one template gives, with its hooks, as Helm and kustomize
// read it. It depends on the file alone. An error is an ErrRefused.
func (c *Chart) Objects(file File) ([]Object, error) {
	hooks, manifests, err := releaseutil.SortManifests(map[string]string{file.Name: file.Text}, nil, releaseutil.InstallOrder)
	if err != nil {
		return nil, ErrRefused{err}
	}
	var text bytes.Buffer
	for _, manifest := range manifests {
		fmt.Fprintf(&text, "---\n# Source: %s\n%s\n", manifest.Name, manifest.Content)
	}
	out := bytes.TrimSpace(c.request.output(text.String(), hooks))
	if len(out) == 0 {
		return nil, nil
	}
	var objects []Object
	err = withSchema(func(bool) error {
		resources, err := readObjects(c.resmaps, out)
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
// values in place of its Values, and nothing else.
func (c *Chart) WriteApp(dir string, values map[string]any) error {
	entry := c.entry
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
