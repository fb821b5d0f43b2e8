package surface

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"text/template/parse"

	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	chartloader "helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"

	"github.com/proompteng/nevermigrate/harness/chartguard"
)

// A unit is a chart at a place in the tree of charts. A chart that is there
// twice, by aliases, makes two.
type unit struct {
	chart  *chart.Chart
	name   string // or alias
	values *node  // its .Values
	folder string // below the top chart's folder, "" or ending with "/"
	full   string // how Helm names the folder in the names of templates
	units  []*unit
	// optional is true when the values can take the unit away.
	optional bool
	// defaults are the values of the unit's own values file and those below,
	// with what the charts above set left out.
	defaults map[string]any
	imported map[string]any // from the charts below, by import-values
	context  *object        // what its templates get as `.`
}

// newUnit follows processDependencyEnabled of Helm, with every dependency
// enabled.
func newUnit(c *chart.Chart, name string, values *node, folder, full string) (*unit, error) {
	if c.Metadata == nil {
		return nil, fmt.Errorf("chart %s: there is no Chart.yaml", full)
	}
	u := &unit{chart: c, name: name, values: values, folder: folder, full: full}
	add := func(dependency *chart.Chart, name string, optional bool) error {
		below := values.child(name)
		below.child("global").also = []*node{values.child("global")}
		sub, err := newUnit(dependency, name, below, folder+"charts/"+dependency.Name()+"/", full+"/charts/"+name)
		if err == nil {
			for _, below := range sub.all() {
				below.optional = below.optional || optional
			}
			u.units = append(u.units, sub)
		}
		return err
	}
	for _, dependency := range c.Dependencies() {
		if !slices.ContainsFunc(c.Metadata.Dependencies, func(d *chart.Dependency) bool { return fits(d, dependency) }) {
			if err := add(dependency, dependency.Name(), false); err != nil {
				return nil, err
			}
		}
	}
	for _, declared := range c.Metadata.Dependencies {
		i := slices.IndexFunc(c.Dependencies(), func(dependency *chart.Chart) bool { return fits(declared, dependency) })
		if i < 0 {
			continue // not vendored: Helm reports that
		}
		if err := add(c.Dependencies()[i], cmp.Or(declared.Alias, declared.Name), declared.Condition != "" || len(declared.Tags) > 0); err != nil {
			return nil, err
		}
	}
	u.defaults = u.mergeDefaults()
	return u, nil
}

func fits(declared *chart.Dependency, c *chart.Chart) bool {
	return declared != nil && c.Metadata != nil && declared.Name == c.Name() &&
		chartutil.IsCompatibleRange(declared.Version, c.Metadata.Version)
}

// mergeDefaults lets the chart's own values win over those of the charts
// below, and over what it imports from them.
func (u *unit) mergeDefaults() map[string]any {
	below := map[string]any{}
	for _, sub := range u.units {
		below[sub.name] = sub.defaults
	}
	merged := chartloader.MergeMaps(below, u.chart.Values)
	for _, declared := range u.chart.Metadata.Dependencies {
		if declared == nil {
			continue
		}
		from, _ := merged[cmp.Or(declared.Alias, declared.Name)].(map[string]any)
		for _, entry := range declared.ImportValues {
			child, parent := "", "."
			switch e := entry.(type) {
			case string:
				child = "exports." + e
			case map[string]any:
				child, parent = fmt.Sprint(e["child"]), fmt.Sprint(e["parent"])
			case map[string]string:
				child, parent = e["child"], e["parent"]
			}
			table, err := common.Values(from).Table(child)
			if err != nil {
				continue // Helm warns and goes on
			}
			content := table.AsMap()
			if parent != "." {
				for _, key := range slices.Backward(strings.Split(parent, ".")) {
					content = map[string]any{key: content}
				}
			}
			u.imported = chartloader.MergeMaps(content, u.imported)
		}
	}
	return chartloader.MergeMaps(u.imported, merged)
}

// all are the unit and those below.
func (u *unit) all() []*unit {
	all := []*unit{u}
	for _, sub := range u.units {
		all = append(all, sub.all()...)
	}
	return all
}

// declareDependencies declares the places that switch dependencies on and off,
// and those that have values from a dependency.
func (u *unit) declareDependencies(m *machine, top *node) {
	file := u.folder + "Chart.yaml"
	declareImported(u.values, u.imported, Source{file, u.lineInChart("import-values")})
	for _, declared := range u.chart.Metadata.Dependencies {
		if declared == nil {
			continue
		}
		files := m.filesOf(u, declared)
		for condition := range strings.SplitSeq(strings.TrimSpace(declared.Condition), ",") {
			if condition != "" {
				u.values.at(strings.Split(condition, ".")...).switches(Source{file, u.lineInChart(condition)}, files)
			}
		}
		for _, tag := range declared.Tags {
			top.at("tags", tag).switches(Source{file, u.lineInChart(tag)}, files)
		}
	}
}

func declareImported(n *node, values map[string]any, at Source) {
	for key, v := range values {
		c := n.child(key)
		c.addSource(at)
		if below, ok := v.(map[string]any); ok {
			declareImported(c, below, at)
		}
	}
}

// filesOf are the files that change when a dependency is taken away: those that
// it writes, that include a template of it, and that read values of which it
// brings the defaults.
func (m *machine) filesOf(u *unit, declared *chart.Dependency) map[string]bool {
	files := map[string]bool{}
	name := cmp.Or(declared.Alias, declared.Name)
	for _, sub := range u.units {
		if sub.name == name {
			for _, below := range sub.all() {
				maps.Copy(files, m.users[below])
			}
			sub.values.readers(files)
		}
	}
	if len(declared.ImportValues) > 0 {
		for key := range u.imported {
			u.values.child(key).readers(files)
		}
	}
	return files
}

// readers adds the files that read n or what is in it.
func (n *node) readers(files map[string]bool) {
	maps.Copy(files, n.files)
	for _, c := range n.children {
		c.readers(files)
	}
	if n.elem != nil {
		n.elem.readers(files)
	}
}

func (n *node) switches(s Source, files map[string]bool) {
	n.addFiles(files)
	n.kinds |= Scalar
	n.decides, n.read = true, true
	n.addSource(s)
	for above := n.parent; above != nil; above = above.parent {
		above.kinds |= Map
	}
}

// lineInChart finds a word in Chart.yaml; 1 when the file is not at hand.
func (u *unit) lineInChart(word string) int {
	for i, line := range strings.Split(string(rawFile(u.chart, "Chart.yaml", "requirements.yaml")), "\n") {
		if strings.Contains(line, word) {
			return i + 1
		}
	}
	return 1
}

func rawFile(c *chart.Chart, names ...string) []byte {
	var data []byte
	for _, name := range names {
		for _, f := range c.Raw {
			if f != nil && f.Name == name {
				data = append(data, f.Data...)
			}
		}
	}
	return data
}

// A definition is a template by its name, and where it stands.
type definition struct {
	tree *parse.Tree
	file *file
	// under is the template that this one replaces only while its chart is
	// enabled, nil when there is none.
	under *definition
	// verdict is true for a template with which a chart guard judges.
	verdict bool
}

// A file is a template file.
type file struct {
	unit   *unit
	name   string // as Helm names it
	shown  string // below the top chart's folder
	source string
	lines  []int // where each line starts
	names  *names
	fixed  *Source // for a template that stands in a value: where it is executed
}

func newFile(u *unit, name, shown, source string) *file {
	f := &file{unit: u, name: name, shown: shown, source: source, lines: []int{0}}
	for i, c := range source {
		if c == '\n' {
			f.lines = append(f.lines, i+1)
		}
	}
	f.names = newNames(source)
	return f
}

func (f *file) at(pos parse.Pos) Source {
	if f.fixed != nil {
		return *f.fixed
	}
	i, exact := slices.BinarySearch(f.lines, int(pos))
	if exact {
		i++
	}
	return Source{f.shown, i}
}

// partial files are not executed themselves, nor are those of a library.
func (f *file) partial() bool {
	return strings.HasPrefix(path.Base(f.name), "_") || f.unit.chart.Metadata.Type == "library"
}

// parseAll parses the template files in the order in which Helm does, so that
// of two templates of the same name the same one counts.
func parseAll(ctx context.Context, units []*unit) ([]*file, map[string]definition, error) {
	var all []*file
	for _, u := range units {
		for _, t := range u.chart.Templates {
			if t != nil {
				all = append(all, newFile(u, u.full+"/"+t.Name, u.folder+t.Name, string(t.Data)))
			}
		}
	}
	slices.SortFunc(all, func(a, b *file) int {
		return -cmp.Or(cmp.Compare(strings.Count(a.name, "/"), strings.Count(b.name, "/")), cmp.Compare(a.name, b.name))
	})
	definitions := map[string]definition{}
	for _, f := range all {
		trees, err := parseTemplate(f.name, f.source)
		if err != nil {
			return nil, nil, fmt.Errorf("parse %s: %w", f.shown, err)
		}
		verdicts, err := chartguard.Verdicts(ctx, f.source)
		if err != nil {
			return nil, nil, err
		}
		define(definitions, trees, f, verdicts)
	}
	return all, definitions, nil
}

func parseTemplate(name, source string) (map[string]*parse.Tree, error) {
	tree := parse.New(name)
	tree.Mode = parse.SkipFuncCheck
	trees := map[string]*parse.Tree{}
	_, err := tree.Parse(source, "", "", trees)
	if _, ok := trees[name]; !ok && err == nil {
		trees[name] = tree // the parser leaves an empty one out
	}
	return trees, err
}

// define adds templates; one without content does not replace another, as in
// text/template. One of a chart
// that can be disabled leaves the one that it replaces reachable.
func define(definitions map[string]definition, trees map[string]*parse.Tree, f *file, verdicts map[string]bool) {
	for _, name := range slices.Sorted(maps.Keys(trees)) {
		old, ok := definitions[name]
		if ok && parse.IsEmptyTree(trees[name].Root) {
			continue
		}
		replacing := definition{tree: trees[name], file: f, verdict: verdicts[name]}
		if ok && f.unit.optional && f.unit != old.file.unit {
			replacing.under = &old
		}
		definitions[name] = replacing
	}
}
