package surface

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	chartloader "helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
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
func newUnit(c *chart.Chart, name string, values *node, folder, full string) *unit {
	u := &unit{chart: c, name: name, values: values, folder: folder, full: full}
	for _, dependency := range c.Dependencies() {
		if !slices.ContainsFunc(c.Metadata.Dependencies, func(d *chart.Dependency) bool { return fits(d, dependency) }) {
			u.add(dependency, dependency.Name(), false)
		}
	}
	for _, declared := range c.Metadata.Dependencies {
		// One that is not vendored Helm reports.
		if i := slices.IndexFunc(c.Dependencies(), func(dependency *chart.Chart) bool { return fits(declared, dependency) }); i >= 0 {
			u.add(c.Dependencies()[i], nameOf(declared), declared.Condition != "" || len(declared.Tags) > 0)
		}
	}
	u.mergeDefaults()
	return u
}

// add adds a chart below the unit.
func (u *unit) add(c *chart.Chart, name string, optional bool) {
	values := u.values.child(name)
	values.child("global").also = []*node{u.values.child("global")}
	sub := newUnit(c, name, values, u.folder+"charts/"+c.Name()+"/", u.full+"/charts/"+name)
	for _, below := range sub.all() {
		below.optional = below.optional || optional
	}
	u.units = append(u.units, sub)
}

func nameOf(declared *chart.Dependency) string { return cmp.Or(declared.Alias, declared.Name) }

func fits(declared *chart.Dependency, c *chart.Chart) bool {
	return declared.Name == c.Name() && chartutil.IsCompatibleRange(declared.Version, c.Metadata.Version)
}

// mergeDefaults lets the chart's own values win over those of the charts
// below, and over what it imports from them.
func (u *unit) mergeDefaults() {
	below := map[string]any{}
	for _, sub := range u.units {
		below[sub.name] = sub.defaults
	}
	merged := chartloader.MergeMaps(below, u.chart.Values)
	for _, declared := range u.chart.Metadata.Dependencies {
		from, _ := merged[nameOf(declared)].(map[string]any)
		for _, entry := range declared.ImportValues {
			child, parent := "", "."
			switch e := entry.(type) {
			case string:
				child = "exports." + e
			case map[string]any:
				child, parent = fmt.Sprint(e["child"]), fmt.Sprint(e["parent"])
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
	u.defaults = chartloader.MergeMaps(u.imported, merged)
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
	for _, sub := range u.units {
		if sub.name == nameOf(declared) {
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

// switches declares that n takes files away.
func (n *node) switches(s Source, files map[string]bool) {
	maps.Copy(n.files, files)
	n.marks |= Scalar | decides | read
	n.addSource(s)
	for above := n.parent; above != nil; above = above.parent {
		above.marks |= Map
	}
}

// lineInChart finds a word in Chart.yaml; 1 when the file is not at hand.
func (u *unit) lineInChart(word string) int {
	before, _, found := strings.Cut(string(rawFile(u.chart, "Chart.yaml"))+string(rawFile(u.chart, "requirements.yaml")), word)
	if !found {
		return 1
	}
	return 1 + strings.Count(before, "\n")
}

// rawFile is the text of a file of a chart, empty when it is not at hand.
func rawFile(c *chart.Chart, name string) []byte {
	for _, f := range c.Raw {
		if f.Name == name {
			return f.Data
		}
	}
	return nil
}
