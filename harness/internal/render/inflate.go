package render

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	_ "unsafe" // for go:linkname

	//lint:ignore SA1019 the package is the only public name of the stock generator
	"sigs.k8s.io/kustomize/api/builtins"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/resmap"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"
	"sigs.k8s.io/kustomize/kyaml/yaml/merge2"
	"sigs.k8s.io/yaml"
)

// generatorFactories is kustomize's own table of generators. Kustomize has no
// public hook for the way a chart is inflated: its generator starts a helm
// process, with the caller's environment and without a time limit. Replacing
// the one entry keeps everything else kustomize's own (bases, components,
// namespaces that overlays hand down, the order of generators, origins, load
// restrictions), which rewriting kustomization files from outside cannot.
//
// The key type is an internal integer type with the same layout as int. When
// kustomize moves the table, the program no longer links: it cannot fall back
// in silence.
//
//go:linkname generatorFactories sigs.k8s.io/kustomize/api/internal/plugins/builtinhelpers.GeneratorFactories
var generatorFactories map[int]func() resmap.GeneratorPlugin

var installInflator = sync.OnceValue(func() error {
	for key, factory := range generatorFactories {
		if _, ok := factory().(*builtins.HelmChartInflationGeneratorPlugin); !ok {
			continue
		}
		generatorFactories[key] = func() resmap.GeneratorPlugin {
			return &inflator{stock: &builtins.HelmChartInflationGeneratorPlugin{}}
		}
		return nil
	}
	return fmt.Errorf("kustomize has no helm chart generator to replace")
})

// runs holds the renderings in progress by the helm command that each gave to
// kustomize: a name made for the run, and the only thing of ours that kustomize
// hands to its generators.
var runs sync.Map // string → *run

// inflator stands in for kustomize's HelmChartInflationGenerator. For a
// kustomize run that is not one of ours (another part of the same process may
// use kustomize too) it is the stock generator.
type inflator struct {
	stock   *builtins.HelmChartInflationGeneratorPlugin
	helpers *resmap.PluginHelpers
	run     *run
	// committed is the folder in which the chart is not, and downloaded that in which
	// it is; both are empty for a chart that is committed.
	committed, downloaded string
}

// Config implements resmap.Configurable: the stock generator reads and checks
// the chart's entry, so the two cannot differ in what they accept.
func (p *inflator) Config(h *resmap.PluginHelpers, config []byte) error {
	if found, ok := runs.Load(h.GeneralConfig().HelmConfig.Command); ok {
		p.run = found.(*run)
		p.helpers = h
		// Without a value here the stock generator makes a folder in the
		// file system that only its own Generate removes.
		p.stock.ConfigHome = "unused"
	}
	err := p.stock.Config(h, config)
	if err != nil && p.run != nil {
		return p.run.fail(fmt.Errorf("%s: %w", strings.TrimSpace("helm chart "+p.stock.Name), err))
	}
	return err
}

// Generate implements resmap.Generator.
func (p *inflator) Generate() (resmap.ResMap, error) {
	if p.run == nil {
		return p.stock.Generate()
	}
	var objects resmap.ResMap
	err := p.run.ctx.Err()
	if err == nil {
		objects, err = p.generate()
	}
	if err != nil && p.downloaded != "" {
		err = errors.New(p.run.charts.ShownMessage(err.Error()))
	}
	switch {
	case p.run.ctx.Err() != nil: // a limit, which is not the chart's alone
		return nil, p.run.fail(context.Cause(p.run.ctx))
	case err != nil:
		return nil, p.run.fail(fmt.Errorf("helm chart %s: %w", p.stock.Name, err))
	default:
		return objects, nil
	}
}

func (p *inflator) generate() (resmap.ResMap, error) {
	home, within := p.chartHome(), p.run.bounds
	folder := filepath.Join(home, p.stock.Name)
	if !p.run.isFolder(folder) { // one that is committed wins, as kustomize has it
		p.committed = folder
		var err error
		if home, err = p.uncommitted(home); err != nil {
			return nil, err
		}
		folder = filepath.Join(home, p.stock.Name)
		p.downloaded = folder
		within.root, within.app = folder, folder
	}
	if err := within.checkChart(folder); err != nil {
		return nil, err
	}
	values, err := p.values()
	if err != nil {
		return nil, err
	}
	manifests, err := p.run.helm.template(p.run.ctx, p.stock.HelmChart, home, values)
	if err != nil {
		return nil, err
	}
	if int64(len(manifests)) > p.run.maxBytes {
		return nil, fmt.Errorf("helm rendered %d bytes, more than the limit of %d", len(manifests), p.run.maxBytes)
	}
	return p.objects(manifests)
}

// chartHome follows the stock generator's absChartHome.
func (p *inflator) chartHome() string {
	home := p.stock.ChartHome
	if !filepath.IsAbs(home) {
		home = filepath.Join(p.helpers.Loader().Root(), home)
	}
	if p.stock.Version != "" && p.stock.Repo != "" {
		home = filepath.Join(home, p.stock.Name+"-"+p.stock.Version)
	}
	return home
}

// requireVendored is the error for a chart that is not in the folder home, which
// kustomize would download.
func (p *inflator) requireVendored(home string) error {
	if p.stock.Repo == "" {
		folder := filepath.Join(home, p.stock.Name)
		return fmt.Errorf("no chart at %s: commit the chart there, or correct helmGlobals.chartHome or the chart's name", folder)
	}
	return fmt.Errorf("chart is not vendored and rendering does not use the network: %s", p.remedy(home))
}

// remedy is how a chart is committed.
func (p *inflator) remedy(home string) string {
	ref, repo := p.stock.Name, " --repo "+p.stock.Repo
	if strings.HasPrefix(p.stock.Repo, "oci://") {
		ref, repo = strings.TrimSuffix(p.stock.Repo, "/")+"/"+p.stock.Name, ""
	}
	version := ""
	if p.stock.Version != "" {
		version = " --version " + p.stock.Version
	}
	return fmt.Sprintf("run `helm pull %s%s%s --untar --untardir %s` and commit the folder", ref, repo, version, home)
}

// values follows the stock generator's createNewMergedValuesFile and
// copyValuesFile: the values that helm gets as its first values file.
func (p *inflator) values() ([]byte, error) {
	if len(p.stock.ValuesInline) == 0 {
		return p.valuesFile()
	}
	if p.stock.ValuesMerge == "replace" {
		return yaml.Marshal(p.stock.ValuesInline)
	}
	file, err := p.valuesFile()
	if err != nil {
		return nil, err
	}
	fromFile, err := kyaml.Parse(string(file))
	if err != nil {
		return nil, fmt.Errorf("parse values file %s: %w", p.stock.ValuesFile, err)
	}
	inline, err := kyaml.FromMap(p.stock.ValuesInline)
	if err != nil {
		return nil, fmt.Errorf("parse valuesInline: %w", err)
	}
	source, target := inline, fromFile
	if p.stock.ValuesMerge == "merge" {
		source, target = fromFile, inline
	}
	merged, err := merge2.Merge(source, target, kyaml.MergeOptions{})
	if err != nil {
		return nil, fmt.Errorf("merge valuesInline with %s: %w", p.stock.ValuesFile, err)
	}
	values, err := merged.Map()
	if err != nil {
		return nil, fmt.Errorf("read merged values: %w", err)
	}
	return yaml.Marshal(values)
}

func (p *inflator) valuesFile() ([]byte, error) {
	file := p.stock.ValuesFile
	if !filepath.IsAbs(file) {
		file = filepath.Join(p.helpers.Loader().Root(), file)
	}
	if inChart, err := filepath.Rel(p.committed, file); p.downloaded != "" && err == nil && filepath.IsLocal(inChart) {
		values, err := p.run.overlay.readFile(p.run.reads, filepath.Join(p.downloaded, inChart))
		if err != nil {
			return nil, fmt.Errorf("values file %s: no such file in the chart", file)
		}
		return values, nil
	}
	if _, err := p.run.reads.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("values file %s: no such file", file)
	}
	values, err := p.helpers.Loader().Load(p.stock.ValuesFile)
	if err != nil {
		return nil, fmt.Errorf("load values file: %w", err)
	}
	return values, nil
}

// objects follows the end of the stock generator's Generate.
func (p *inflator) objects(manifests []byte) (resmap.ResMap, error) {
	objects, err := readObjects(p.helpers.ResmapFactory(), manifests)
	if err != nil {
		return nil, err
	}
	for _, object := range objects.Resources() {
		if err := object.PipeE(kyaml.SetAnnotation(konfig.HelmGeneratedAnnotation, "true")); err != nil {
			return nil, fmt.Errorf("mark what helm rendered: %w", err)
		}
	}
	return objects, nil
}
