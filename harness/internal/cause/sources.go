package cause

import (
	"bytes"
	"cmp"
	"context"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/reads"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// sources are the files that make the manifests of an app.
type sources struct {
	all       []*source // without plain texts
	templates []*source
	texts     []*source // the other plain texts
	charts    []*chart

	byFile     map[string]*source // all of these, by their real paths
	placesLeft int                // below zero when some were left out
	unpackLeft int64              // bytes of archives
	maxBytes   int64
	reads      *reads.Log
	// downloaded finds charts that are not in the work tree. Nil: there are none.
	downloaded render.ChartStore
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
	in        tree
	// readsFiles says of the topmost chart that a template, of one below it too, reads
	// files.
	readsFiles bool
}

func newSources(maxBytes int64, log *reads.Log) *sources {
	return &sources{reads: log, byFile: map[string]*source{}, placesLeft: maxPlaces, unpackLeft: maxBytes, maxBytes: maxBytes}
}

// realPath is where a path leads.
func (s *sources) realPath(path string) string {
	s.reads.Note(reads.Stat, path)
	return render.RealPath(path)
}

// isChart reports whether a folder is a chart.
func (s *sources) isChart(folder string) bool {
	s.reads.Note(reads.Stat, filepath.Join(folder, "Chart.yaml"))
	return render.IsChart(folder)
}

// file reads a file once, as the given kind of source. It is nil when that cannot be
// done: the app rendered without it.
func (s *sources) file(path string, as source) *source {
	real, err := s.reads.EvalSymlinks(path)
	if err != nil {
		return nil
	}
	if known, ok := s.byFile[real]; ok {
		return known
	}
	s.byFile[real] = nil
	if info, err := s.reads.Stat(real); err != nil || !info.Mode().IsRegular() || info.Size() > s.maxBytes {
		return nil
	}
	text, err := s.reads.ReadFile(real)
	if err != nil {
		return nil
	}
	as.file, as.shown, as.text = real, shownPath(real), text
	if s.downloaded != nil {
		if shown, ok := s.downloaded.Shown(real); ok {
			as.shown, as.downloaded = shown, true
		}
	}
	return s.add(&as)
}

// add takes a source among the others.
func (s *sources) add(added *source) *source {
	s.byFile[added.file] = added
	switch {
	case added.template:
		s.templates = append(s.templates, added)
		return added
	case added.plain:
		s.texts = append(s.texts, added)
		return added
	}
	if s.wanted == nil || added.kustomization || s.wanted(added.text) {
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
		real, err := s.reads.EvalSymlinks(path)
		if err != nil {
			continue
		}
		if _, known := s.byFile[real]; known {
			return
		}
		if file := s.file(path, source{layer: cmp.Or(component, report.KustomizationLayer), kustomization: true}); file != nil {
			s.references(dir, file, component)
			s.generated(dir, file, component)
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
			if info, err := s.reads.Stat(path); err != nil {
				continue
			} else if !info.IsDir() {
				s.file(path, source{layer: cmp.Or(component, r.layer)})
			} else if r.layer == report.Component {
				s.kustomization(path, report.Component)
			} else {
				s.kustomization(path, component)
			}
		}
	}
}

// generating are the paths in a kustomization that name the files of generators.
var generating = regexp.MustCompile(`^(configMapGenerator|secretGenerator)\[\d+\]\.((envs|files)\[\d+\]|env)$`)

// generated reads what a kustomization generates ConfigMaps and Secrets of.
func (s *sources) generated(dir string, file *source, component report.Layer) {
	if s.wanted != nil {
		return
	}
	for _, p := range file.places {
		if p.isScalar() && generating.MatchString(p.path) {
			_, path, named := strings.Cut(p.text(), "=") // the key in the ConfigMap
			if !named {
				path = p.text()
			}
			s.file(inDir(dir, path), source{layer: cmp.Or(component, report.KustomizationLayer), plain: true})
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
		return root(s.file(inDir(dir, path), source{layer: cmp.Or(component, layer)}))
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
		s.chart(c, tree{reads: s.reads, folder: s.chartFolder(inDir(dir, home), render.ChartRef{
			Repo: entry.scalarMember(repo), Name: entry.scalarMember(name), Version: entry.scalarMember(version),
		})})
		s.readFiles(c)
	}
}

// chartFolder is that of a chart in the folder home or, where there is none, of one that
// was downloaded.
func (s *sources) chartFolder(home string, ref render.ChartRef) string {
	folder := render.ChartFolder(home, ref.Name, ref.Version, ref.Repo)
	if (tree{reads: s.reads, folder: folder}).exists() || s.downloaded == nil || ref.Repo == "" || ref.VersionProblem() != "" {
		return folder
	}
	// The app rendered with it, so it is there.
	if downloaded, err := s.downloaded.Chart(context.Background(), ref.Normal()); err == nil {
		return downloaded
	}
	return folder
}

// maxChartDepth bounds charts below charts, which symbolic links could nest
// without end.
const maxChartDepth = 8

func (s *sources) chart(c *chart, in tree) {
	if !in.exists() || len(c.prefix) > maxChartDepth {
		return
	}
	c.in = in
	s.charts = append(s.charts, c)
	c.values = s.fileOf(in, "values.yaml", source{layer: report.ChartValues})
	if s.wanted == nil {
		s.readTemplates(c, in)
	}
	s.subcharts(c, in)
}

// readTemplates reads the templates of a chart.
func (s *sources) readTemplates(c *chart, in tree) {
	for _, name := range in.files("templates", func(string) bool { return false }) {
		if read := s.fileOf(in, name, source{layer: report.Template, plain: true, template: true}); read != nil {
			c.templates = append(c.templates, read)
			c.top.readsFiles = c.top.readsFiles || bytes.Contains(read.text, []byte(".Files"))
		}
	}
}

// readFiles reads what the templates of a chart of an app, and of those below it,
// can read.
func (s *sources) readFiles(top *chart) {
	for _, c := range s.charts {
		if c.top != top || !top.readsFiles {
			continue
		}
		for _, name := range c.in.files("", isNoFile) {
			s.fileOf(c.in, name, source{layer: report.Template, plain: true})
		}
	}
}

// isNoFile reports whether a file of a chart, or a folder, is none that Helm gives to
// templates.
func isNoFile(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return slices.Contains([]string{"templates", "charts", "crds", "Chart.yaml", "Chart.lock", "values.yaml", "values.schema.json"}, first)
}

// subcharts reads the charts below a chart.
func (s *sources) subcharts(c *chart, in tree) {
	var head struct {
		Dependencies []struct{ Name, Alias string }
	}
	if data := in.text("Chart.yaml"); data != nil {
		_ = yaml.Unmarshal(data, &head)
	}
	trees, own := in.subtrees(s)
	for i, below := range trees {
		var names []string
		for _, dependency := range head.Dependencies {
			if dependency.Name == own[i] {
				names = append(names, cmp.Or(dependency.Alias, dependency.Name))
			}
		}
		if len(names) == 0 {
			names = []string{own[i]}
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
