// Package watch executes a chart's templates and tells what they did: which way
// each branch went, with what each function was called, and from which place of
// the values each of those came.
//
// In goes a chart; its templates are written again with hooks in them, which give
// back what they get. Out comes, for each rendering, the same text and a Trace.
// Helm's own engine executes the templates, with its own functions.
package watch

import (
	"context"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/proompteng/nevermigrate/harness/internal/chartguard"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// Kind is what a site does.
type Kind int

// The kinds of site. Part is an argument of `and` or `or`.
const (
	If Kind = iota + 1
	With
	Range
	Part
	Call
	Read
	Set
	Print
)

// Site is a place of a template that is watched.
type Site struct {
	ID   int
	Kind Kind
	// File is below the chart's folder, and empty for a template that a value is.
	File string
	Line int
	// Template is the one in which it is: a file's or a defined one.
	Template string
	// Text is what is evaluated.
	Text string
	// Function is what is called; of a method, with the field before it.
	Function string
	// Args are what a function gets. Of other sites there is one.
	Args []Arg
	// Piped is true when the last argument comes through a pipe.
	Piped bool
	// Fields are those that are read.
	Fields []string
	// Within is the branch around; 0 for none.
	Within int
	// Variables are set to the value.
	Variables []string

	dot string // set to the value
}

// Arg is an argument.
type Arg struct {
	// Literal is true when it stands in the template, with its Value.
	Literal bool
	Value   any

	from string // the variable or dot whose value it is
}

// choices are the functions that choose, and so are branches.
var choices = []string{"default", "ternary", "coalesce"}

// IsDecision reports whether a site is a branch that may be taken or not.
func (s *Site) IsDecision() bool {
	return s.Kind >= If && s.Kind <= Part || s.Kind == Call && slices.Contains(choices, s.Function)
}

// Chart is a chart whose templates are watched. It is safe for concurrent use.
type Chart struct {
	watched *render.Chart
	// Templates are the names of all defined templates, and Files of the files
	// that templates can read; both are sorted.
	Templates, Files []string
	files            map[string]string // of templates, by name; of guards there are none
	texts            map[string]string // what the templates write, by their names
	included         map[string]map[string]bool
	guards           map[string]bool // the templates of chart guards
	contributing     map[string]bool
	callers          map[string][]int // the sites that include a template

	mu    sync.Mutex
	sites []*Site
	tpl   map[string]string // texts that are templates, with hooks
}

// New prepares a chart. Of the files that have no part in a workload, and are not
// kept, nothing is executed: the files that wrote one are named as Helm names them.
// So it is with the guard, whatever it is set to. Its error is that of the context.
func New(ctx context.Context, chart *render.Chart, wrote []string, keep func(file string) bool) (*Chart, error) {
	c := &Chart{
		sites: []*Site{{}}, tpl: map[string]string{}, files: map[string]string{},
		texts: map[string]string{}, included: map[string]map[string]bool{}, guards: map[string]bool{}, callers: map[string][]int{},
	}
	var failed error
	whole, defined := map[string]string{}, map[string]string{}
	chart.Rewritten(func(file, text string) string {
		guard, err := chartguard.Verdicts(ctx, text)
		if err != nil {
			failed = err
		}
		if guard != nil && !keep(file) {
			defined[file] = c.silence(file, text)
		} else if guard == nil && !strings.HasSuffix(file, "NOTES.txt") {
			c.files[file] = text
			whole[file], defined[file] = c.rewrite(file, text)
		}
		return text
	})
	writers := map[string]bool{}
	for file := range c.files {
		writers[file] = slices.ContainsFunc(wrote, func(name string) bool { return strings.HasSuffix(name, "/"+file) })
	}
	c.contributing = c.parts(writers)
	c.watched = chart.Rewritten(func(file, text string) string {
		rewritten, ok := whole[file]
		switch {
		case ok && (c.contributing[file] || keep(file)):
			return rewritten
		case defined[file] != "" || ok:
			return defined[file]
		}
		return text
	})
	for name := range c.texts {
		if _, isFile := c.files[name]; !isFile {
			c.Templates = append(c.Templates, name)
		}
	}
	slices.Sort(c.Templates)
	for _, file := range chart.Loaded().Files {
		c.Files = append(c.Files, file.Name)
	}
	slices.Sort(c.Files)
	return c, failed
}

// Everything keeps all files.
func Everything(string) bool { return true }

// Nothing keeps no file but those with a part in a workload.
func Nothing(string) bool { return false }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func (c *Chart) newSite(kind Kind) *Site {
	site := &Site{ID: len(c.sites), Kind: kind}
	c.sites = append(c.sites, site)
	return site
}

func (c *Chart) note(template, text string) { c.texts[template] += text + "\n" }

func (c *Chart) includes(template, name string) {
	if c.included[template] == nil {
		c.included[template] = map[string]bool{}
	}
	c.included[template][name] = true
}

// Site is the site of an ID.
func (c *Chart) Site(id int) *Site {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sites[id]
}

// Text is the text of a template file; empty for one that is not watched.
func (c *Chart) Text(file string) string { return c.files[file] }

// maxTemplates bounds how many texts that are templates are kept.
const maxTemplates = 2000

// template is a text that tpl executes, with hooks in it.
func (c *Chart) template(text string) string {
	if !strings.Contains(text, "{{") {
		return text
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if rewritten, ok := c.tpl[text]; ok || len(c.tpl) >= maxTemplates {
		if !ok {
			return text
		}
		return rewritten
	}
	texts := maps.Clone(c.texts)
	c.tpl[text], _ = c.rewrite("", text)
	c.texts = texts
	return c.tpl[text]
}

var kindLine = regexp.MustCompile(`(?m)^\s*(?:-\s+)?"?kind"?:[ \t]*(\S*)`)

// harmless are kinds of objects that have no pod.
var harmless = regexp.MustCompile(`^"?(Service|ServiceAccount|ConfigMap|Secret|Role|RoleBinding|ClusterRole|ClusterRoleBinding|Ingress|IngressClass|NetworkPolicy|PodDisruptionBudget|HorizontalPodAutoscaler|VerticalPodAutoscaler|ServiceMonitor|PodMonitor|PrometheusRule|PersistentVolumeClaim|PersistentVolume|StorageClass|Namespace|PriorityClass|CustomResourceDefinition|ResourceQuota|LimitRange|Certificate|Issuer|ClusterIssuer|ValidatingWebhookConfiguration|MutatingWebhookConfiguration|APIService|Gateway|HTTPRoute)"?$`)

// parts are the templates that may have a part in a workload: the files that wrote
// one, those of which the text does not tell that they write none, and all that
// these include.
func (c *Chart) parts(wrote map[string]bool) map[string]bool {
	all := map[string]bool{}
	var add func(name string)
	add = func(name string) {
		if all[name] {
			return
		}
		all[name] = true
		if c.guards[name] {
			return
		}
		for _, included := range sortedKeys(c.included[name]) {
			add(included)
		}
	}
	for file := range c.files {
		partial := strings.HasPrefix(path.Base(file), "_")
		kinds := kindLine.FindAllStringSubmatch(c.texts[file], -1)
		other := func(m []string) bool { return !harmless.MatchString(m[1]) }
		if wrote[file] || !partial && (len(kinds) == 0 || slices.ContainsFunc(kinds, other)) {
			add(file)
		}
	}
	return all
}

// Decisions are the sites that are branches, of the templates that may have a part
// in a workload, in the order of files and lines.
func (c *Chart) Decisions() []*Site {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []*Site
	for _, site := range c.sites {
		if site.File != "" && site.IsDecision() && c.contributing[site.Template] {
			all = append(all, site)
		}
	}
	slices.SortFunc(all, func(a, b *Site) int {
		if order := strings.Compare(a.File, b.File); order != 0 {
			return order
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.ID - b.ID
	})
	return all
}

// Callers are the sites that include a template by its name.
func (c *Chart) Callers(template string) []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.callers[template]
}

// IsGuard reports whether a site goes by what a chart guard writes.
func (c *Chart) IsGuard(site *Site) bool {
	for name := range c.guards {
		if strings.Contains(site.Text, `"`+name+`"`) {
			return true
		}
	}
	return false
}

// WritesAnything reports whether a file has no objects of its own, so that the
// values may write any.
func (c *Chart) WritesAnything(file string) bool {
	return c.files[file] != "" && !kindLine.MatchString(c.texts[file])
}
