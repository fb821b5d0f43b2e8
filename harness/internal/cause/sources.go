package cause

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// sources are the files that make the manifests of an app.
type sources struct {
	all       []*source // without templates
	templates []*source
	charts    []*chart

	byFile     map[string]*source // all and templates, by their real paths
	placesLeft int                // below zero when some were left out
	maxBytes   int64
	// wanted says which files have places, beside kustomizations. Nil: all of them,
	// and templates are read, too.
	wanted func(text []byte) bool
}

// chart is a chart of an app, or one below another chart.
type chart struct {
	top *chart // the one that the app names
	// prefix are the keys under which the values of the topmost chart hold this
	// one's.
	prefix []string
	values *source
	// entry is the item of helmCharts; nil below another chart.
	entry *place
	// set are the values that an app sets for the topmost chart, those that win
	// first.
	set       []*place
	templates []*source
}

func newSources(maxBytes int64) *sources {
	return &sources{byFile: map[string]*source{}, placesLeft: maxPlaces, maxBytes: maxBytes}
}

// file reads a file once. It is nil when that cannot be done: the app rendered
// without it.
func (s *sources) file(path string, layer report.Layer, kustomization bool) *source {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil
	}
	if known, ok := s.byFile[real]; ok {
		return known
	}
	s.byFile[real] = nil
	if info, err := os.Stat(real); err != nil || !info.Mode().IsRegular() || info.Size() > s.maxBytes {
		return nil
	}
	text, err := os.ReadFile(real)
	if err != nil {
		return nil
	}
	added := &source{file: real, shown: shownPath(real), text: text, layer: layer, kustomization: kustomization}
	s.byFile[real] = added
	if layer == report.Template {
		s.templates = append(s.templates, added)
		return added
	}
	if s.wanted == nil || kustomization || s.wanted(text) {
		added.read(&s.placesLeft)
	}
	s.all = append(s.all, added)
	return added
}

// kustomization reads the kustomization of a folder and what it refers to; the
// layer is that of a component, or empty.
func (s *sources) kustomization(dir string, component report.Layer) {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		path := filepath.Join(dir, name)
		real, err := filepath.EvalSymlinks(path)
		if err != nil {
			continue
		}
		if _, known := s.byFile[real]; known {
			return
		}
		if file := s.file(path, cmp.Or(component, report.KustomizationLayer), true); file != nil {
			s.references(dir, file, component)
			s.inflated(dir, file, component)
		}
		return
	}
}

// referring are the paths in a kustomization that name files or folders, with the
// layers of these.
var referring = []struct {
	path  *regexp.Regexp
	layer report.Layer
}{
	{regexp.MustCompile(`^(resources|bases|generators)\[\d+\]$`), report.Resource},
	{regexp.MustCompile(`^components\[\d+\]$`), report.Component},
	{regexp.MustCompile(`^(patches|patchesJson6902)\[\d+\]\.path$|^(patchesStrategicMerge|transformers)\[\d+\]$`), report.Patch},
	{regexp.MustCompile(`^replacements\[\d+\]\.path$`), report.Replacement},
}

func (s *sources) references(dir string, file *source, component report.Layer) {
	for _, p := range file.places {
		for _, r := range referring {
			if !p.isScalar() || !r.path.MatchString(p.path) || strings.Contains(p.text(), "\n") {
				continue
			}
			path := inDir(dir, p.text())
			if info, err := os.Stat(path); err != nil {
				continue
			} else if !info.IsDir() {
				s.file(path, cmp.Or(component, r.layer), false)
			} else if r.layer == report.Component {
				s.kustomization(path, report.Component)
			} else {
				s.kustomization(path, component)
			}
		}
	}
}

// inDir is a path that is relative to a folder.
func inDir(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// inflated reads the charts that a kustomization inflates, and the values that it
// sets for them.
func (s *sources) inflated(dir string, file *source, component report.Layer) {
	values := func(path string, layer report.Layer) *place {
		return root(s.file(inDir(dir, path), cmp.Or(component, layer), false))
	}
	top := root(file)
	home := cmp.Or(top.member("helmGlobals").scalarMember("chartHome"), types.HelmDefaultHome)
	entries, name, version, repo, valuesFile := top.member("helmCharts"), "name", "version", "repo", "valuesFile"
	if entries == nil {
		entries, name, version, repo, valuesFile = top.member("helmChartInflationGenerator"), "chartName", "chartVersion", "chartRepoUrl", "values"
	}
	if entries == nil {
		return
	}
	for _, entry := range entries.children {
		c := &chart{entry: entry}
		c.top = c
		if files := entry.member("additionalValuesFiles"); files != nil {
			for _, p := range slices.Backward(files.children) {
				c.set = append(c.set, values(p.text(), report.AdditionalValuesFile))
			}
		}
		c.set = append(c.set, entry.member("valuesInline"), values(entry.scalarMember(valuesFile), report.ValuesFile))
		if n := len(c.set); entry.scalarMember("valuesMerge") == "merge" {
			slices.Reverse(c.set[n-2:])
		}
		c.set = slices.DeleteFunc(c.set, func(p *place) bool { return p == nil })
		s.chart(c, render.ChartFolder(inDir(dir, home), entry.scalarMember(name), entry.scalarMember(version), entry.scalarMember(repo)))
	}
}

// maxChartDepth bounds charts below charts, which symbolic links could nest
// without end.
const maxChartDepth = 8

func (s *sources) chart(c *chart, folder string) {
	if info, err := os.Stat(folder); err != nil || !info.IsDir() || len(c.prefix) > maxChartDepth {
		return
	}
	s.charts = append(s.charts, c)
	c.values = s.file(filepath.Join(folder, "values.yaml"), report.ChartValues, false)
	if s.wanted == nil {
		s.readTemplates(c, folder)
	}
	s.subcharts(c, folder)
}

// readTemplates reads the templates of a chart in a folder.
func (s *sources) readTemplates(c *chart, folder string) {
	_ = filepath.WalkDir(filepath.Join(folder, "templates"), func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			if read := s.file(path, report.Template, false); read != nil {
				c.templates = append(c.templates, read)
			}
		}
		return nil // as in file
	})
}

// subcharts reads the charts below a chart in a folder.
func (s *sources) subcharts(c *chart, folder string) {
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
		var names []string
		for _, dependency := range head.Dependencies {
			if dependency.Name == entry.Name() {
				names = append(names, cmp.Or(dependency.Alias, dependency.Name))
			}
		}
		if len(names) == 0 {
			names = []string{entry.Name()}
		}
		for _, name := range names {
			s.chart(&chart{top: c.top, prefix: append(slices.Clone(c.prefix), name)}, below)
		}
	}
}

// root is the topmost place of a file's first document, or nil.
func root(s *source) *place {
	if s == nil || len(s.places) == 0 {
		return nil
	}
	return s.places[0]
}
