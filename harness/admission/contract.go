package admission

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/evaluate"
)

// contract is what the Rego policy says under the constraint.
type contract struct {
	Variable     string
	PlainSkip    string
	SkipValues   []string
	Controllers  []string
	ExemptImages []string
	Workloads    map[string]struct{ Groups, Template []string }
	Label        string
	Lists        []string
	WhiteSpace   string
	Dollar       string
	Hooks        [][]string
	Echo         string
	Patterns     map[string][]string
}

func read(ctx context.Context, evaluator *evaluate.Evaluator) (*contract, error) {
	var c contract
	for query, into := range map[string]any{
		"data.lib.parameters.env_var":       &c.Variable,
		"data.lib.parameters.plain_skip":    &c.PlainSkip,
		"data.lib.parameters.skip_values":   &c.SkipValues,
		"data.lib.parameters.controllers":   &c.Controllers,
		"data.lib.parameters.exempt_images": &c.ExemptImages,
		"data.lib.kind.workloads":           &c.Workloads,
		"data.lib.workload._label":          &c.Label,
		"data.lib.workload._lists":          &c.Lists,
		"data.lib.mode._white_space":        &c.WhiteSpace,
		"data.lib.env._dollar":              &c.Dollar,
		"data.lib.process._hooks":           &c.Hooks,
		"data.lib.process._echo":            &c.Echo,
		"data.lib.process._patterns":        &c.Patterns,
	} {
		if err := evaluator.Value(ctx, query, into); err != nil {
			return nil, err
		}
	}
	return &c, nil
}

//go:embed spec.yaml.tmpl
var specTemplate string

// spec fills in the template.
func (c *contract) spec(m match) (*admissionv1.ValidatingAdmissionPolicySpec, error) {
	parsed, err := template.New("spec").Funcs(template.FuncMap{
		"get":       get,
		"literal":   literal,
		"literals":  literals,
		"join":      func(path []string) string { return strings.Join(path, ".") },
		"prefix":    prefix,
		"quoted":    quoted,
		"source":    source,
		"described": described,
		"mistyped":  mistyped,
	}).Option("missingkey=error").Parse(specTemplate)
	if err != nil {
		return nil, fmt.Errorf("parse the template: %w", err)
	}
	var text bytes.Buffer
	if err := parsed.Execute(&text, c.facts(m)); err != nil {
		return nil, fmt.Errorf("fill in the template: %w", err)
	}
	var spec admissionv1.ValidatingAdmissionPolicySpec
	if err := yaml.UnmarshalStrict(text.Bytes(), &spec); err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	return &spec, nil
}

// place is where some kinds have their pod template.
type place struct {
	Kinds []string
	Path  []string
	Above [][]string // the maps down to the pod template
}

// facts is what the template is filled with.
type facts struct {
	*contract
	Places                         []place
	Namespaces, ExcludedNamespaces string
	ContainerMaps, ContainerLists  [][]string
	Commands                       [][]string
	Bare, Stem, LastWord           string

	// Regular expressions.
	Controllers, ExemptImages string
	Skip, Auto                string
	EchoOrWord                string
	Sets, Removes, Changes    string
	NotJustRead, MayClear     string

	Fallback string
}

func (c *contract) facts(m match) facts {
	name := regexp.QuoteMeta(c.Variable)
	space := "[" + codePoints(c.WhiteSpace) + "]*"
	f := facts{
		contract:           c,
		Places:             c.places(),
		Namespaces:         namespacePattern(m.namespaces),
		ExcludedNamespaces: namespacePattern(m.excluded),
		ContainerMaps:      mapsAbove(c.Hooks),
		Commands:           slices.Concat([][]string{{"command"}, {"args"}}, c.Hooks),
		Bare:               bare(c.Variable),
		Stem:               c.Variable[:max(len(c.Variable)-2, 1)],
		Controllers:        `(?s)\A(?:` + alternatives(c.Controllers, globbed) + `)\z`,
		Skip:               `\A` + space + `(?:` + alternatives(c.SkipValues, regexp.QuoteMeta) + `)` + space + `\z`,
		Auto:               `\A(?:auto)?\z|\A` + space + `(?:auto)?` + space + `\z`,
		// Words never hold what an echo may start with, so an echo is always found.
		EchoOrWord: c.Echo + `|[^\s;&|({]+|(?s:.)`,
		Sets:       alternatives(c.Patterns["sets"], grouped),
		Removes:    alternatives(c.Patterns["removes"], grouped),
		Changes:    alternatives(slices.Concat(c.Patterns["sets"], c.Patterns["removes"], c.Patterns["clears"]), grouped),
		// What the patterns of Sets and Removes, and those that clear, imply.
		NotJustRead: `(?:^|[^${]|(?:^|[^$])\{)` + name + `|\{` + name + `[:+]?=`,
		MayClear:    `(?:env|exec)\s+-|process\.env\s*=|environ\.clear`,
		Fallback: fmt.Sprintf("A container of a controllers workload does not declare %s exactly once with value: %q. "+
			"nevermigrate check says where and what to do.", c.Variable, c.PlainSkip),
	}
	f.ContainerLists = slices.Concat([][]string{{"env"}, {"envFrom"}}, f.Commands)
	if i := strings.LastIndexByte(c.Variable, '_'); i >= 0 {
		f.LastWord = c.Variable[i:]
	}
	if len(c.ExemptImages) > 0 {
		f.ExemptImages = `(?s)\A(?:` + alternatives(c.ExemptImages, prefixed) + `)\z`
	}
	return f
}

// places groups the kinds by where their pod template is.
func (c *contract) places() []place {
	byPath := map[string]*place{}
	for _, kind := range slices.Sorted(maps.Keys(c.Workloads)) {
		path := c.Workloads[kind].Template
		key := strings.Join(path, ".")
		if byPath[key] == nil {
			one := place{Path: path}
			for i := range path {
				one.Above = append(one.Above, path[:i+1])
			}
			byPath[key] = &one
		}
		byPath[key].Kinds = append(byPath[key].Kinds, kind)
	}
	var all []place
	for _, key := range slices.Sorted(maps.Keys(byPath)) {
		all = append(all, *byPath[key])
	}
	return all
}

// mapsAbove are the maps in which the hooks are found, each once.
func mapsAbove(hooks [][]string) [][]string {
	var all [][]string
	seen := map[string]bool{}
	for _, hook := range hooks {
		for i := range len(hook) - 1 {
			if key := strings.Join(hook[:i+1], "."); !seen[key] {
				seen[key] = true
				all = append(all, hook[:i+1])
			}
		}
	}
	return all
}

func bare(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "").Replace(name))
}

// Regular expressions. CEL and OPA both have Go's.

func alternatives(parts []string, pattern func(string) string) string {
	var all []string
	for _, part := range parts {
		all = append(all, pattern(part))
	}
	return strings.Join(all, "|")
}

func grouped(pattern string) string { return "(?:" + pattern + ")" }

// globbed is a pattern in which only * is special.
func globbed(glob string) string {
	return strings.Join(strings.Split(regexp.QuoteMeta(glob), `\*`), ".*")
}

// prefixed is an image: exact, or a prefix with a trailing *.
func prefixed(image string) string {
	if start, ok := strings.CutSuffix(image, "*"); ok {
		return regexp.QuoteMeta(start) + ".*"
	}
	return regexp.QuoteMeta(image)
}

func codePoints(text string) string {
	var all strings.Builder
	for _, r := range text {
		fmt.Fprintf(&all, `\x{%x}`, r)
	}
	return all.String()
}

// CEL.

// literal is a string as a CEL literal, raw where that is readable.
func literal(text string) string {
	if strings.Contains(text, `\`) && !strings.ContainsAny(text, "'\n\r") && strconv.CanBackquote(strings.ReplaceAll(text, "`", "")) {
		return "r'" + text + "'"
	}
	return strconv.QuoteToASCII(text)
}

func literals(texts []string) string {
	var all []string
	for _, text := range texts {
		all = append(all, literal(text))
	}
	return "[" + strings.Join(all, ", ") + "]"
}

func prefix(path []string) string {
	if len(path) == 0 {
		return ""
	}
	return strings.Join(path, ".") + "."
}

var identifier = regexp.MustCompile(`\A[a-zA-Z_][a-zA-Z0-9_]*\z`)

// known are the expressions that are always a map.
var known = map[string]bool{"dyn(object)": true, "dyn(oldObject)": true, "variables.root": true, "c.spec": true}

// get is a value at a path, null when anything on the way is absent or no map.
// The path is given as strings or as a list of them.
func get(root string, path ...any) string {
	var keys []string
	for _, part := range path {
		switch part := part.(type) {
		case string:
			keys = append(keys, part)
		case []string:
			keys = append(keys, part...)
		}
	}
	if len(keys) == 0 {
		return root
	}
	var conditions []string
	at := root
	for _, key := range keys {
		if !known[at] {
			conditions = append(conditions, "type("+at+") == map")
		}
		if identifier.MatchString(key) {
			at += "." + key
			conditions = append(conditions, "has("+at+")")
		} else {
			conditions = append(conditions, literal(key)+" in "+at)
			at += "[" + literal(key) + "]"
		}
	}
	return "(" + strings.Join(conditions, " && ") + " ? " + at + " : null)"
}

// quoted is a string in quotes, cut as data.lib.text cuts it.
func quoted(x string) string {
	return fmt.Sprintf("(size(%[1]s) > 60 ? strings.quote(%[1]s.substring(0, 60)) + '…' : strings.quote(%[1]s))", x)
}

// source names the object and the key that a value comes from.
func source(from string) string {
	return fmt.Sprintf("(size(%[1]s) == 0 ? 'no source' : %[1]s.map(k, k).filter(k, k != 'prefix').map(k, k + "+
		"['name', 'key', 'fieldPath', 'resource', 'path'].filter(f, type(%[1]s[k]) == map && f in %[1]s[k] && type(%[1]s[k][f]) == string)"+
		".map(f, ' ' + f + ' ' + %[2]s).join('')).join(' '))", from, quoted(from+"[k][f]"))
}

// described says what a declaration gives, for messages on more than one.
func described(d string) string {
	return fmt.Sprintf("(!%[1]s.readable ? 'cannot be read'"+
		" : %[1]s.from != null ? (%[1]s.text == '' ? 'comes from ' : 'has both the value ' + %[2]s + ' and valueFrom ') + %[3]s"+
		" : %[1]s.text == '' ? 'has no value' : 'is ' + %[2]s)", d, quoted(d+".text"), source(d+".from"))
}

// mistyped says that something has another type than it should.
func mistyped(p string) string {
	return fmt.Sprintf("%[1]s.path + ' is ' + (type(%[1]s.found) == string ? 'a string' : type(%[1]s.found) == list ? 'a list'"+
		" : type(%[1]s.found) == map ? 'a map' : type(%[1]s.found) == bool ? 'a boolean' : %[1]s.found == null ? 'null' : 'a number')"+
		" + ' where ' + %[1]s.is + ' is expected, so the rules cannot read it. Write ' + %[1]s.path + ' as ' + %[1]s.is + '.'", p)
}
