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

	"github.com/proompteng/nevermigrate/harness/internal/decider"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
)

//go:embed spec.yaml.tmpl
var specTemplate string

// specOf is the spec of the policy for an evaluator's constraint.
func specOf(ctx context.Context, evaluator *evaluate.Evaluator) (*admissionv1.ValidatingAdmissionPolicySpec, error) {
	known, err := decider.Read(ctx, evaluator)
	if err != nil {
		return nil, err
	}
	match, err := matchOf(evaluator.Constraint())
	if err != nil {
		return nil, err
	}
	resources, err := constraints(known, match)
	if err != nil {
		return nil, err
	}
	spec, err := filledSpec(known, match)
	if err != nil {
		return nil, err
	}
	spec.MatchConstraints = resources
	// What cannot be evaluated is denied.
	spec.FailurePolicy = new(admissionv1.Fail)
	return spec, nil
}

// filledSpec fills in the template.
func filledSpec(f *decider.Facts, m match) (*admissionv1.ValidatingAdmissionPolicySpec, error) {
	parsed, err := template.New("spec").Funcs(template.FuncMap{
		"get":      get,
		"literal":  literal,
		"literals": literals,
		"plain":    plain,
		"expand": func(word, line string, depth int) string {
			return expand(f.Reading["variable_name"], word, line, depth)
		},
		"held":   func(command, line string) string { return held(f.Variable, command, line) },
		"road":   road,
		"key":    key,
		"join":   func(path []string) string { return strings.Join(path, ".") },
		"prefix": prefix,
		"quoted": quoted,
		// finding is the text of a finding: code, subject, path, title and remedy.
		"finding": func(code, subject, path string, form ...string) (string, error) {
			says, err := f.Says(code, form...)
			return fmt.Sprintf("%s + %s + ' at ' + %s + %s", literal(code+" "), subject, path, literal(": "+says)), err
		},
	}).Option("missingkey=error").Parse(specTemplate)
	if err != nil {
		return nil, fmt.Errorf("parse the template: %w", err)
	}
	var text bytes.Buffer
	if err := parsed.Execute(&text, specFacts(f, m)); err != nil {
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
	*decider.Facts
	Places                         []place
	Namespaces, ExcludedNamespaces string
	ContainerMaps, ContainerLists  [][]string
	Commands                       [][]string

	// Labels are all labels that name a workload.
	Labels      []string
	ReadsImages bool

	// Regular expressions.
	Controllers string
	Skip        string
	Groups      []group
	Runs        string

	Fallback string
}

// group is a regular expression for some changes, with what a text must hold for
// it to match: a text, and a cheap expression, or none.
type group struct{ Needs, Cheap, Pattern string }

func specFacts(known *decider.Facts, m match) facts {
	name := regexp.QuoteMeta(known.Variable)
	space := "[" + codePoints(known.WhiteSpace) + "]*"
	f := facts{
		Facts:              known,
		Places:             places(known),
		Namespaces:         namespacePattern(m.Namespaces),
		ExcludedNamespaces: namespacePattern(m.ExcludedNamespaces),
		ContainerMaps:      known.Maps,
		Commands:           slices.Concat([][]string{{"command"}, {"args"}}, known.Hooks),
		Controllers:        decider.Whole(decider.AnyOf(known.Controllers, decider.Glob)),
		Skip:               `\A` + space + `(?:` + decider.AnyOf(known.SkipValues, regexp.QuoteMeta) + `)` + space + `\z`,
		// A short expression that the policy's runs_variables implies.
		Runs:        `(?:^|[\s;&|({!/])(?:eval|export|declare|typeset|unset|env|[a-z]*sh\s+-[a-z]*c)\s|(?:^|[;&|\n({!)]|exec|then|do|else|if|while|until)\s*"?\$`,
		Labels:      append(slices.Clone(known.NameLabels), known.ComponentLabel),
		ReadsImages: known.ExemptPattern+known.ServicePattern != "",
		Fallback: fmt.Sprintf("A container of a controllers workload does not declare %s exactly once with value: %q. "+
			"nevermigrate check says where and what to do.", known.Variable, known.PlainSkip),
	}
	f.ContainerLists = slices.Concat([][]string{{"env"}, {"envFrom"}}, f.Commands)
	// What is only read does not matter, and needs no long expression.
	cheap := map[string]string{
		known.Variable: `(?:^|[^${]|(?:^|[^$])\{)` + name + `|\{` + name + `:?[=+]`,
		"env":          `env\s+-`,
		"exec":         `exec\s+-`,
		"su":           `su\s`,
		"{":            regexp.QuoteMeta(known.Variable[len(known.Variable)-1:]) + `[,}{]`,
	}
	patterns := map[string][]string{}
	for _, groups := range known.Patterns {
		for _, one := range groups {
			patterns[one.Needs] = append(patterns[one.Needs], one.Pattern)
		}
	}
	for _, needs := range slices.Sorted(maps.Keys(patterns)) {
		slices.Sort(patterns[needs])
		f.Groups = append(f.Groups, group{needs, cheap[needs], decider.AnyOf(patterns[needs], grouped)})
	}
	return f
}

// road is how the kubelet expands references in a hook: with what stands in the
// manifest in a probe, and not at all in another hook.
func road(hook []string) string {
	if hook[0] == "lifecycle" {
		return "nothing"
	}
	return "literals"
}

// plain is the CEL for a text without what a shell takes away.
func plain(text string) string {
	return text + `.replace('\\\n', '').replace('\\', '').replace('$"', '').replace("$'", '').replace('"', '').replace("'", '').replace('` + "`" + `', ' ')`
}

// expand is the CEL for a word with its references as the kubelet expands them,
// through some depth of values that refer to others; 0 is for a probe, in which
// values are taken as they stand. line holds env, and open: whether envFrom may
// define more. The word is cut before each reference; a sentinel in front makes all
// pieces alike. variableName is an expression for what envFrom may define.
func expand(variableName, word, line string, depth int) string {
	return expansion(literal(variableName), word, line, depth, depth == 0, 0)
}

func expansion(variableName, word, line string, depth int, literally bool, level int) string {
	name := func(base string) string { return fmt.Sprintf("%s%d", base, level) }
	p, i, n, f, e, v := name("p"), name("i"), name("n"), name("f"), name("e"), name("v")
	mark := func(n string) string { return `'\ue000' + ` + n + ` + '\ue001'` }
	text := "(type(" + get(e, "value") + ") == string ? " + e + ".value : '')"
	var known string
	switch {
	case literally:
		known = fmt.Sprintf("[%[1]s[size(%[1]s) - 1]].map(%[2]s, %[3]s)[0]", f, e, text)
	case depth == 0:
		known = fmt.Sprintf("size(%[1]s) > 1 || type(%[1]s[0]) != map || %[2]s != null || type(%[3]s) != string ? %[4]s : %[1]s[0].value.contains('$') ? %[4]s : %[1]s[0].value",
			f, get(f+"[0]", "valueFrom"), get(f+"[0]", "value"), mark(n))
	default:
		nested := expansion(variableName, v, line, depth-1, false, level+1)
		several := "false"
		if level > 0 {
			several = fmt.Sprintf("size(%s) > 1", f)
		}
		known = fmt.Sprintf("[%[1]s[size(%[1]s) - 1]].map(%[2]s, [%[3]s].map(%[4]s, %[5]s || %[6]s != null || %[7]s != null && type(%[7]s) != string ? %[8]s : !%[4]s.contains('$(') && !%[4]s.contains('$$') ? %[4]s : %[9]s)[0])[0]",
			f, e, text, v, several, get(e, "valueFrom"), get(e, "value"), mark(n), nested)
	}
	return fmt.Sprintf(`('\ue003)' + %[1]s).replace('$$', '\ue002').split('$(').map(%[2]s, [%[2]s.indexOf(')')].map(%[3]s, %[3]s < 0 ? '$(' + %[2]s : [%[2]s.substring(0, %[3]s)].map(%[4]s, %[4]s == '\ue003' ? '' : [%[5]s.env.filter(%[6]s, type(%[6]s) == map && has(%[6]s.name) && dyn(%[6]s.name) == %[4]s)].map(%[7]s, size(%[7]s) > 0 ? (%[8]s) : %[5]s.open && %[4]s.matches(%[9]s) ? %[10]s : '$(' + %[4]s + ')')[0])[0] + %[2]s.substring(%[3]s + 1))[0]).join('').replace('\ue002', '$')`,
		word, p, i, n, line, e, f, known, variableName, mark(n))
}

// held is the CEL for a simple command with the variables of the shell replaced by
// the literals that env has for them, but for the migrations variable.
func held(variable, command, line string) string {
	return fmt.Sprintf(`('\ue003' + %[1]s).split('$').map(p, p.startsWith('\ue003') ? p.substring(1) : [p.find(r'\A\{?[A-Za-z_]\w*\}?')].map(r, r == '' ? '$' + p : [%[2]s.env.filter(e, type(e) == map && has(e.name) && e.name != %[5]s && dyn(e.name) == r.replace('{', '').replace('}', '') && %[3]s == null && type(%[4]s) == string)].map(f, size(f) == 0 || r.contains('{') != r.contains('}') ? '$' + p : f[size(f) - 1].value + p.substring(size(r)))[0])[0]).join('')`,
		command, line, get("e", "valueFrom"), get("e", "value"), literal(variable))
}

// places groups the kinds by where their pod template is.
func places(f *decider.Facts) []place {
	var all []place
	for _, path := range f.Templates {
		one := place{Path: path}
		for i := range path {
			one.Above = append(one.Above, path[:i+1])
		}
		for _, kind := range f.KindNames() {
			if slices.Equal(f.Kinds[kind].Template, path) {
				one.Kinds = append(one.Kinds, kind)
			}
		}
		all = append(all, one)
	}
	return all
}

func grouped(pattern string) string { return "(?:" + pattern + ")" }

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

// key is the last step of a path, as the policy writes it.
func key(name string) string {
	if identifier.MatchString(name) {
		return "." + name
	}
	return fmt.Sprintf("[%q]", name)
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
