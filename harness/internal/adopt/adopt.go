// Package adopt makes what a repository needs to be judged: it tells from what its apps
// hold what the migrations variable and the controllers are called there, and writes the
// configuration, a constraint where the defaults do not fit, a workflow and a hook.
//
// What it tells is a proposal, and said with what it rests on. Where there are two
// answers or none, it is an error that names the flag which decides. The verdict is the
// policy's, as always: a proposal that is wrong leaves controllers without the variable,
// which the policy denies.
package adopt

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/find"
	"github.com/proompteng/nevermigrate/harness/internal/gatekeeper"
	"github.com/proompteng/nevermigrate/harness/internal/independent"
	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// The parameters that are told from what is there.
const (
	variableParameter    = "envVar"
	controllersParameter = "controllers"
	skipParameter        = "skipValues"
	imagesParameter      = "images"
	exemptParameter      = "exemptImages"
)

// Fact is one thing that was found, and what it rests on.
type Fact struct{ What, Found, By string }

// Service is what the service is called in a repository.
type Service struct {
	// Parameters are those of a constraint that differ from their defaults, by name, one
	// text for what is no list.
	Parameters map[string][]string
	// Facts are what was found, for people.
	Facts []Fact
	// Notes are what somebody should look at.
	Notes []string
}

var (
	// namePattern is a variable that may decide about migrations.
	namePattern = regexp.MustCompile(`(?i)migrat`)
	// textPattern finds such names in a text that was not rendered.
	textPattern = regexp.MustCompile(`\b[A-Z][A-Z0-9_]*MIGRAT[A-Z0-9_]*\b`)
	// reversedPattern is a variable that says what not to do: its "true" skips.
	reversedPattern = regexp.MustCompile(`(?i)(^|_)(skip|disable[d]?|no|not|dont|without|prevent|suppress)(_|$)`)
)

// modeWords are values by which a variable may switch migrations, besides those that
// skip; what is no literal is empty here. Another value, such as a path or a time, says
// something else about them.
var modeWords = []string{"", "auto", "true", "1", "on", "yes", "no", "enabled", "enable", "disable", "none", "never", "always", "run", "apply", "migrate"}

// container is one that was rendered, with the variables that may decide.
type container struct {
	target, workload, name, image string
	exempt                        bool
	declared                      []declared
	of                            *independent.Workload
}

// declared is a variable with its value as text, which is not known when it is no
// literal.
type declared struct {
	variable, value string
	literal         bool
}

// String is how a message names the container.
func (c container) String() string {
	return plaintext.Line(fmt.Sprintf("container %s of %s in %s", c.name, c.workload, c.target))
}

// looker is what was found so far.
type looker struct {
	held       []check.Held
	given      map[string][]string
	parameters []gatekeeper.Parameter
	containers []container
	service    *Service
}

// Look tells what the service is called, from what targets hold and from the parameters
// that are given. It is an error when nothing could be rendered, or when two answers or
// none are left; it names what was found and the flag that decides.
func Look(held []check.Held, given map[string][]string) (*Service, error) {
	parameters, err := gatekeeper.Parameters()
	if err != nil {
		return nil, err
	}
	l := &looker{held: held, given: maps.Clone(given), parameters: parameters, service: &Service{}}
	if l.given == nil {
		l.given = map[string][]string{}
	}
	if err := l.readable(); err != nil {
		return nil, err
	}
	known, err := l.rules()
	if err != nil {
		return nil, err
	}
	l.read(known)
	if err := l.variable(); err != nil {
		return nil, err
	}
	if err := l.controllers(); err != nil {
		return nil, err
	}
	l.finish()
	return l.service, nil
}

// readable says what could not be rendered; it is an error when nothing could be.
func (l *looker) readable() error {
	var reasons []string
	for _, h := range l.held {
		if h.Reason != "" {
			reasons = append(reasons, h.Path+": "+h.Reason)
		}
	}
	if len(reasons) > 0 && len(reasons) == len(l.held) {
		return fmt.Errorf("nothing renders, so nobody can tell what the service is called: mend that first\n%s", strings.Join(reasons, "\n"))
	}
	const shown = 3
	for _, reason := range reasons[:min(len(reasons), shown)] {
		l.note("not looked into, so the variable may have another name there: %s", reason)
	}
	if more := len(reasons) - shown; more > 0 {
		l.note("%d more %s: nevermigrate list shows %s", more, plural(more, "is not looked into", "are not looked into"), plural(more, "it", "them"))
	}
	return nil
}

func (l *looker) note(format string, args ...any) {
	l.service.Notes = append(l.service.Notes, fmt.Sprintf(format, args...))
}

func (l *looker) fact(what, found, by string) {
	l.service.Facts = append(l.service.Facts, Fact{what, found, by})
}

// rules are those of the parameters that are given.
func (l *looker) rules() (independent.Rules, error) {
	parameters := map[string]any{}
	for _, p := range l.parameters {
		values, ok := l.given[p.Name]
		switch {
		case !ok:
		case p.IsList():
			list := []any{}
			for _, value := range values {
				list = append(list, value)
			}
			parameters[p.Name] = list
		default:
			parameters[p.Name] = strings.Join(values, "")
		}
	}
	return independent.New(&constraint.Constraint{Content: map[string]any{"spec": map[string]any{"parameters": parameters}}})
}

// read finds the containers, and the variables in them.
func (l *looker) read(known independent.Rules) {
	for _, h := range l.held {
		maps := configMaps(h)
		for _, object := range h.Objects {
			for _, w := range independent.Workloads(object.Content) {
				for _, content := range w.Containers {
					c := container{target: h.Path, workload: w.Kind + "/" + w.Name, exempt: known.Exempts(content), of: &w}
					c.name, _ = content["name"].(string)
					c.image, _ = content["image"].(string)
					c.declared = append(declaredBy(content), mappedInto(content, maps)...)
					l.containers = append(l.containers, c)
				}
			}
		}
	}
}

// configMaps are the data of the ConfigMaps of a target, by name.
func configMaps(h check.Held) map[string]map[string]any {
	found := map[string]map[string]any{}
	for _, object := range h.Objects {
		metadata, _ := object.Content["metadata"].(map[string]any)
		data, _ := object.Content["data"].(map[string]any)
		if name, _ := metadata["name"].(string); object.Content["kind"] == "ConfigMap" && data != nil {
			found[name] = data
		}
	}
	return found
}

// declaredBy are the variables of a container's env that may decide.
func declaredBy(content map[string]any) []declared {
	var found []declared
	env, _ := content["env"].([]any)
	for _, entry := range env {
		fields, _ := entry.(map[string]any)
		name, _ := fields["name"].(string)
		if !namePattern.MatchString(name) {
			continue
		}
		value, literal := fields["value"].(string)
		found = append(found, declared{name, value, literal})
	}
	return found
}

// mappedInto are those that a container takes from ConfigMaps of its target.
func mappedInto(content map[string]any, maps map[string]map[string]any) []declared {
	var found []declared
	from, _ := content["envFrom"].([]any)
	for _, entry := range from {
		fields, _ := entry.(map[string]any)
		reference, _ := fields["configMapRef"].(map[string]any)
		name, _ := reference["name"].(string)
		prefix, _ := fields["prefix"].(string)
		for key, content := range maps[name] { // each name is there once, so the order says nothing
			if namePattern.MatchString(prefix + key) {
				value, literal := content.(string)
				found = append(found, declared{prefix + key, value, literal})
			}
		}
	}
	return found
}

// candidate is a variable, and the containers that declare it.
type candidate struct {
	variable string
	in       []container
	values   []string
	isMode   bool
}

// longestValue bounds a value in a message, and mostValues how many it has.
const (
	longestValue = 60
	mostValues   = 5
)

// String is how a message names it.
func (c candidate) String() string {
	values := c.values
	if len(values) > mostValues {
		values = append(slices.Clone(values[:mostValues]), fmt.Sprintf("%d more", len(values)-mostValues))
	}
	return fmt.Sprintf("%s (%s), which %s", plaintext.Line(c.variable), strings.Join(values, ", "), c.declarers())
}

// declarers names the first container that declares it, as the beginning of a sentence.
func (c candidate) declarers() string {
	if len(c.in) == 1 {
		return c.in[0].String() + " declares"
	}
	return fmt.Sprintf("%s and %d more declare", c.in[0], len(c.in)-1)
}

// candidates are the variables that containers declare, those that may decide first, each
// by name.
func (l *looker) candidates() []candidate {
	byName := map[string]*candidate{}
	skips := l.chosen(skipParameter)
	for _, c := range l.containers {
		if c.exempt {
			continue
		}
		for _, d := range c.declared {
			one := byName[d.variable]
			if one == nil {
				one = &candidate{variable: d.variable}
				byName[d.variable] = one
			}
			value := "not a literal"
			if d.literal {
				value = plaintext.Quoted(plaintext.Cut(d.value, longestValue))
			}
			if !slices.Contains(one.values, value) {
				one.values = append(one.values, value)
			}
			one.in = append(one.in, c)
			word := strings.ToLower(strings.TrimSpace(d.value))
			one.isMode = one.isMode || slices.Contains(modeWords, word) || slices.Contains(skips, word) ||
				d.variable == l.defaultOf(variableParameter)[0]
		}
	}
	var all []candidate
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		all = append(all, *byName[name])
	}
	return all
}

// chosen are the values of a parameter: those that are given, or else the default.
func (l *looker) chosen(name string) []string {
	if given, ok := l.given[name]; ok {
		return given
	}
	return l.defaultOf(name)
}

func (l *looker) parameter(name string) gatekeeper.Parameter {
	i := slices.IndexFunc(l.parameters, func(p gatekeeper.Parameter) bool { return p.Name == name })
	return l.parameters[i]
}

func (l *looker) defaultOf(name string) []string { return l.parameter(name).Default() }

// flag is the flag that sets a parameter.
func (l *looker) flag(name string) string { return "--" + l.parameter(name).Flag }

// variable tells which variable decides.
func (l *looker) variable() error {
	var modes, others []candidate
	for _, c := range l.candidates() {
		if c.isMode {
			modes = append(modes, c)
		} else {
			others = append(others, c)
		}
	}
	flag := l.flag(variableParameter)
	if given, ok := l.given[variableParameter]; ok {
		name := strings.Join(given, "")
		by := flag + "; no container declares it"
		for _, c := range append(modes, others...) {
			if c.variable == name {
				by = fmt.Sprintf("%s; %s it", flag, c.declarers())
			}
		}
		l.fact("variable", name, by)
		return l.skips(name)
	}
	for _, c := range others {
		l.note("%s: that is no value which switches migrations, so it was not taken for the variable; %s %s takes it", c, flag, plaintext.Line(c.variable))
	}
	switch len(modes) {
	case 0:
		return l.variableOfTexts()
	case 1:
		l.take(variableParameter, modes[0].variable)
		l.fact("variable", modes[0].variable, modes[0].declarers()+" it")
		return l.skips(modes[0].variable)
	}
	var lines []string
	for _, c := range modes {
		lines = append(lines, "  "+c.String())
	}
	return fmt.Errorf("which variable decides? Containers declare %d that may. Name one by %s; give each of several services a constraint of its own, as docs/several.md of nevermigrate says\n%s", len(modes), flag, strings.Join(lines, "\n"))
}

func plural(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}

// take sets a parameter.
func (l *looker) take(name string, values ...string) { l.given[name] = values }

// skips says which values skip. They cannot be told for a variable that says what not
// to do: the defaults would be wrong, and nothing would be denied.
func (l *looker) skips(variable string) error {
	if _, ok := l.given[skipParameter]; ok {
		l.fact("skip values", strings.Join(l.given[skipParameter], ", "), l.flag(skipParameter))
		return nil
	}
	if reversedPattern.MatchString(variable) {
		return fmt.Errorf("%s sounds as if \"true\" skips migrations: say by %s which values do, such as %s true", variable, l.flag(skipParameter), l.flag(skipParameter))
	}
	if variable == l.defaultOf(variableParameter)[0] {
		return nil
	}
	l.fact("skip values", strings.Join(l.defaultOf(skipParameter), ", "), "the default; "+l.flag(skipParameter)+" says others")
	return nil
}

// mention is where a text names a variable.
type mention struct {
	variable, file string
	line           int
}

// String is how a message names it.
func (m mention) String() string {
	return plaintext.Line(fmt.Sprintf("%s in %s:%d", m.variable, m.file, m.line))
}

// mentions are the names in the values and templates of what was rendered, the first of
// each.
func (l *looker) mentions() []mention {
	var found []mention
	for _, h := range l.held {
		for _, file := range h.Files {
			text, err := render.ReadRegular(file)
			if err != nil {
				continue // what matters did not render either
			}
			for i, line := range strings.Split(string(text), "\n") {
				for _, name := range textPattern.FindAllString(line, -1) {
					if !slices.ContainsFunc(found, func(m mention) bool { return m.variable == name }) {
						found = append(found, mention{name, find.DisplayPath(file), i + 1})
					}
				}
			}
		}
	}
	return found
}

// variableOfTexts tells the variable from texts where no container declares one.
func (l *looker) variableOfTexts() error {
	found := l.mentions()
	flag := l.flag(variableParameter)
	switch len(found) {
	case 0:
		return fmt.Errorf("which variable decides? No container that was rendered declares one whose name has MIGRAT in it, and no file names one. Name it by %s, as in %s %s", flag, flag, l.defaultOf(variableParameter)[0])
	case 1:
		l.take(variableParameter, found[0].variable)
		l.fact("variable", found[0].variable, fmt.Sprintf("%s:%d names it; no container declares it", found[0].file, found[0].line))
		return l.skips(found[0].variable)
	}
	var lines []string
	for _, m := range found {
		lines = append(lines, "  "+m.String())
	}
	return fmt.Errorf("which variable decides? No container declares one, and files name %d. Name one by %s\n%s", len(found), flag, strings.Join(lines, "\n"))
}

// finish keeps what differs from the defaults.
func (l *looker) finish() {
	for _, name := range []string{imagesParameter, exemptParameter} {
		if given, ok := l.given[name]; ok {
			l.fact(map[string]string{imagesParameter: "images", exemptParameter: "exempt images"}[name], strings.Join(given, ", "), l.flag(name))
		}
	}
	l.service.Parameters = map[string][]string{}
	for _, p := range l.parameters {
		if given, ok := l.given[p.Name]; ok && !slices.Equal(given, p.Default()) {
			l.service.Parameters[p.Name] = given
		}
	}
}

// repository is an image without tag and digest.
func repository(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndex(image, ":"); i > strings.LastIndex(image, "/") {
		image = image[:i]
	}
	return image
}

// unique sorts and takes out what is there twice.
func unique(values []string) []string { return slices.Compact(slices.Sorted(slices.Values(values))) }
