package cause

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/report"
)

// sources are the files that make the manifests of an app.
type sources struct {
	all    []*source
	charts []*chart

	seen     map[string]bool
	budget   int
	maxBytes int64
	show     func(string) string
}

// chart is a chart of an app or below another chart.
type chart struct {
	folder string
	// prefix are the keys under which the values of the topmost chart hold this
	// one's.
	prefix []string
	values *source
	// entry is the item of helmCharts; nil below another chart.
	entry *place
	// own are the layers of values that an app sets for the topmost chart, the
	// one that wins first.
	own       []*place
	above     *chart
	templates []template
}

// template is a file of a chart's templates.
type template struct {
	file, shown string
	text        string
}

// top is the chart that the app names.
func (c *chart) top() *chart {
	for c.above != nil {
		c = c.above
	}
	return c
}

// readSources finds the files of an app that renders. What cannot be read is
// left out: the app rendered, so it does not matter to it.
func readSources(dir string, maxBytes int64, show func(string) string) *sources {
	s := &sources{seen: map[string]bool{}, budget: maxPlaces, maxBytes: maxBytes, show: show}
	s.kustomization(dir, "")
	return s
}

// truncated reports whether some places were left out.
func (s *sources) truncated() bool { return s.budget < 0 }

func (s *sources) file(path string, layer report.Layer, kustomization bool) *source {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil
	}
	if s.seen[real] {
		i := slices.IndexFunc(s.all, func(other *source) bool { return other.file == real })
		if i < 0 {
			return nil
		}
		return s.all[i]
	}
	s.seen[real] = true
	info, err := os.Stat(real)
	if err != nil || !info.Mode().IsRegular() || info.Size() > s.maxBytes {
		return nil
	}
	text, err := os.ReadFile(real)
	if err != nil {
		return nil
	}
	added := &source{file: real, shown: s.show(real), text: text, layer: layer, kustomization: kustomization}
	// With too many places some are left out, which truncated tells.
	_ = added.read(&s.budget)
	s.all = append(s.all, added)
	return added
}

// kustomization reads the kustomization of a folder and what it refers to; the
// layer is that of a component, or empty.
func (s *sources) kustomization(dir string, layer report.Layer) {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		path := filepath.Join(dir, name)
		data, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if real, err := filepath.EvalSymlinks(path); err != nil || s.seen[real] {
			return
		}
		var k types.Kustomization
		if k.Unmarshal(data) != nil {
			return
		}
		own := layer
		if own == "" {
			own = report.KustomizationLayer
		}
		if file := s.file(path, own, true); file != nil {
			s.references(dir, &k, file, layer)
		}
		return
	}
}

func (s *sources) references(dir string, k *types.Kustomization, file *source, component report.Layer) {
	or := func(layer report.Layer) report.Layer {
		if component != "" {
			return component
		}
		return layer
	}
	at := func(path string) string {
		if filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(dir, path)
	}
	add := func(path string, layer report.Layer) {
		if path == "" || strings.Contains(path, "\n") {
			return
		}
		if info, err := os.Stat(at(path)); err == nil && info.IsDir() {
			s.kustomization(at(path), component)
		} else if err == nil {
			s.file(at(path), or(layer), false)
		}
	}
	//lint:ignore SA1019 kustomize still reads the deprecated fields
	for _, path := range slices.Concat(k.Resources, k.Bases, k.Generators) {
		add(path, report.Resource)
	}
	for _, path := range k.Components {
		s.kustomization(at(path), report.Component)
	}
	//lint:ignore SA1019 as above
	for _, patch := range slices.Concat(k.Patches, k.PatchesJson6902) {
		add(patch.Path, report.Patch)
	}
	//lint:ignore SA1019 as above
	for _, patch := range k.PatchesStrategicMerge {
		add(string(patch), report.Patch)
	}
	for _, path := range k.Transformers {
		add(path, report.Patch)
	}
	for _, replacement := range k.Replacements {
		add(replacement.Path, report.Replacement)
	}
	home := types.HelmDefaultHome
	if k.HelmGlobals != nil && k.HelmGlobals.ChartHome != "" {
		home = k.HelmGlobals.ChartHome
	}
	list := "helmCharts"
	charts := k.HelmCharts
	if len(charts) == 0 && len(k.HelmChartInflationGenerator) > 0 {
		list = "helmChartInflationGenerator"
		for _, old := range k.HelmChartInflationGenerator {
			charts = append(charts, types.HelmChart{Name: old.ChartName, Version: old.ChartVersion, Repo: old.ChartRepoURL, ValuesFile: old.Values})
		}
	}
	for i, entry := range charts {
		c := &chart{entry: item(file, list, i)}
		for _, path := range slices.Backward(entry.AdditionalValuesFiles) {
			c.own = append(c.own, root(s.file(at(path), or(report.AdditionalValuesFile), false)))
		}
		inline := c.entry.member("valuesInline")
		values := root(nil)
		if entry.ValuesFile != "" {
			values = root(s.file(at(entry.ValuesFile), or(report.ValuesFile), false))
		}
		if entry.ValuesMerge == "merge" {
			c.own = append(c.own, values, inline)
		} else {
			c.own = append(c.own, inline, values)
		}
		c.own = slices.DeleteFunc(c.own, func(p *place) bool { return p == nil })
		folder := at(home)
		if entry.Version != "" && entry.Repo != "" {
			folder = filepath.Join(folder, entry.Name+"-"+entry.Version)
		}
		s.chart(c, filepath.Join(folder, entry.Name))
	}
}

// maxChartDepth bounds charts below charts, which symbolic links could nest
// without end.
const maxChartDepth = 8

func (s *sources) chart(c *chart, folder string) {
	c.folder = folder
	if info, err := os.Stat(folder); err != nil || !info.IsDir() || len(c.prefix) > maxChartDepth {
		return
	}
	s.charts = append(s.charts, c)
	c.values = s.file(filepath.Join(folder, "values.yaml"), report.ChartValues, false)
	c.templates = s.templates(filepath.Join(folder, "templates"))
	var head struct {
		Dependencies []struct{ Name, Alias string }
	}
	if data, err := os.ReadFile(filepath.Join(folder, "Chart.yaml")); err == nil {
		_ = yaml.Unmarshal(data, &head)
	}
	entries, err := os.ReadDir(filepath.Join(folder, "charts"))
	if err != nil {
		return
	}
	for _, entry := range entries {
		below := filepath.Join(folder, "charts", entry.Name())
		if info, err := os.Stat(below); err != nil || !info.IsDir() || strings.ContainsAny(entry.Name()[:1], "_.") {
			continue
		}
		names := []string{}
		for _, dependency := range head.Dependencies {
			if dependency.Name == entry.Name() {
				if names = append(names, dependency.Alias); dependency.Alias == "" {
					names[len(names)-1] = dependency.Name
				}
			}
		}
		if len(names) == 0 {
			names = []string{entry.Name()}
		}
		for _, name := range names {
			s.chart(&chart{above: c, prefix: append(slices.Clone(c.prefix), name)}, below)
		}
	}
}

func (s *sources) templates(folder string) []template {
	var found []template
	_ = filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil // as in readSources
		}
		real, err := filepath.EvalSymlinks(path)
		if err != nil {
			return nil // as above
		}
		if info, err := os.Stat(real); err != nil || !info.Mode().IsRegular() || info.Size() > s.maxBytes {
			return nil // as above
		}
		if text, err := os.ReadFile(real); err == nil {
			found = append(found, template{real, s.show(real), string(text)})
		}
		return nil
	})
	return found
}

// root is the topmost place of a file's first document, or nil.
func root(s *source) *place {
	if s == nil || len(s.places) == 0 {
		return nil
	}
	return s.places[0]
}

// item is the item of a list at the top of a file, or nil.
func item(s *source, list string, i int) *place {
	of := root(s).member(list)
	if of == nil || i >= len(of.children) {
		return nil
	}
	return of.children[i]
}
