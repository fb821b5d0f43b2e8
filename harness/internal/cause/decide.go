package cause

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"unicode"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"
	yaml11 "sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/report"
)

// maxChain bounds how many layers are peeled off.
const maxChain = 8

// chain tells which places decide what the container's env says of the variable
// in an app with some edits: the first decides, the next would if those before
// it were not there, and so on, down to the template.
func (s *search) chain(ctx context.Context, edits []edit) []attempt {
	var found []attempt
	for range maxChain {
		links := s.decider(ctx, edits)
		for _, link := range links {
			// What holds a link only took away what others declare.
			if !slices.ContainsFunc(found, func(a attempt) bool { return link.place != nil && a.place.under(link.place) }) {
				found = append(found, link)
			}
		}
		if len(links) == 0 || links[len(links)-1].without == nil {
			break
		}
		edits = slices.Concat(edits, links[len(links)-1].without)
	}
	return found
}

// decider finds what decides what the container's env says of the variable, or
// that it says nothing, in an app with some edits: the first place which, when it
// is changed too, makes the env say something else. Where a condition selects a
// line of a template it is both of them; where nothing is found it is empty.
func (s *search) decider(ctx context.Context, edits []edit) []attempt {
	base := s.try(ctx, edits...)
	if !base.has(s.container) {
		return nil
	}
	now := s.declaration(base)
	changes := func(after *rendering) bool {
		return after.has(s.container) && s.declaration(after).text != now.text
	}
	first := func(attempts []attempt) *attempt { return s.first(ctx, edits, attempts, changes) }
	found := first(s.nulls())
	if found == nil && now.declared {
		found, edits = s.decidingValue(ctx, edits, now, first)
	}
	if found == nil {
		found = first(s.entries())
	}
	if found == nil {
		if found = first(s.copied(now)); found == nil {
			found = s.firstInTexts(ctx, edits, s.copiedFromTexts(now), changes)
		}
		if found != nil {
			// What carries the copy into the container is what to take away.
			if carrier := first(s.wholePatches()); carrier != nil {
				found.without = carrier.edits
			}
		}
	}
	if found == nil {
		found = first(s.wholePatches())
	}
	switch {
	case found == nil && now.declared:
		return s.templateDecider(first, now)
	case found == nil:
		return nil
	case found.without == nil && found.place != nil:
		found.without = takingAway(found.place)
	case found.without == nil:
		// A template reads it.
		return append([]attempt{*found}, s.templateDecider(first, now)...)
	}
	return []attempt{*found}
}

// nulls take away what others declare, so they are removed.
func (s *search) nulls() []attempt {
	var attempts []attempt
	for _, p := range s.places(func(p *place) bool { return isValue(p, s.envVar) && p.isNull() && p.parent.member("valueFrom") == nil }) {
		attempts = append(attempts, attempt{place: p, edits: takingAway(p), without: takingAway(p)})
	}
	return attempts
}

// decidingValue finds the value of the variable that gets into the container's
// entry: all values are given marks of their own, and the mark that arrives
// tells. When none does, it returns the edits with the marks: on top of them no
// value can be equal to what is taken away, and so hide that.
func (s *search) decidingValue(ctx context.Context, edits []edit, now declaration, first func([]attempt) *attempt) (*attempt, []edit) {
	values := s.places(func(p *place) bool { return isValue(p, s.envVar) && !p.isNull() })
	marks := []func(i int) string{func(i int) string { return fmt.Sprintf("nevermigrate-mark-%d-", i) }, s.spelling}
	marked := func(mark func(i int) string) []edit {
		all := slices.Clone(edits)
		for i, p := range values {
			all = append(all, set(p, mark(i)))
		}
		return all
	}
	for _, mark := range marks {
		after := s.try(ctx, marked(mark)...)
		if after.err != nil {
			continue // a chart that guards itself renders with nothing but skip
		}
		got := s.declaration(after)
		if got.text == now.text {
			return nil, marked(s.spelling)
		}
		for i, p := range values {
			if mark(i) != s.skip && strings.Contains(got.value, mark(i)) {
				found := setting(p, s.right)
				return &found, edits
			}
		}
		break
	}
	var attempts []attempt
	for _, p := range values {
		attempts = append(attempts, s.replacing(p, "")...)
	}
	return first(attempts), edits
}

// spelling is skip with capital letters of its own for each number, as long as
// there are such.
func (s *search) spelling(i int) string {
	letters := []rune(s.skip)
	if i+1 >= 1<<len(letters) {
		return s.skip
	}
	for k := range letters {
		if (i+1)>>k&1 == 1 {
			letters[k] = unicode.ToUpper(letters[k])
		}
	}
	return string(letters)
}

// replacing gives a place other values, after a prefix: the right one, and for it
// another spelling, with which a chart that guards itself still renders, or the
// other mode.
func (s *search) replacing(p *place, prefix string) []attempt {
	if p.text() != prefix+s.right {
		return []attempt{setting(p, prefix+s.right)}
	}
	other := auto
	if s.right == auto {
		other = s.skip
	}
	return []attempt{setting(p, prefix+strings.ToUpper(s.right)), setting(p, prefix+other)}
}

// copied are attempts with values that are the container's, wherever they stand:
// it may be copied by a template or by a replacement, also from what a
// ConfigMap is generated of.
func (s *search) copied(now declaration) []attempt {
	if !now.literal || now.value == "" {
		return nil
	}
	var attempts []attempt
	for _, p := range s.places(func(p *place) bool { return p.isScalar() && !isValue(p, s.envVar) }) {
		literal := p.source.kustomization && strings.Contains(p.path, ".literals[")
		if prefix, found := strings.CutSuffix(p.text(), now.value); found && (prefix == "" || literal && strings.HasSuffix(prefix, "=")) {
			attempts = append(attempts, s.replacing(p, prefix)...)
		} else if meant(p) == now.value {
			attempts = append(attempts, s.replacing(p, "")...)
		}
		if prefix, secret, found := strings.Cut(p.text(), "="); found && literal && base64.StdEncoding.EncodeToString([]byte(secret)) == now.value {
			attempts = append(attempts, s.replacing(p, prefix+"=")...)
		}
	}
	return attempts
}

// meant is what a scalar without quotes means in YAML 1.1, as Helm and Argo CD read it,
// as text: on is true, and 0x10 is 16.
func meant(p *place) string {
	quoted := yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	if p.node.Kind != yaml.ScalarNode || p.node.Style&quoted != 0 {
		return p.text()
	}
	text, err := yaml11.YAMLToJSON([]byte(p.node.Value))
	if err != nil {
		return p.text()
	}
	return strings.TrimSpace(string(text))
}

// takingAway are edits so that a place decides no more: the whole entry or
// operation goes and, since a patch of nothing is an error, what only holds it.
func takingAway(p *place) []edit {
	if p.key == "valueFrom" {
		p = p.parent
	}
	all := removals(entryOf(p))
	switch {
	case len(all) == 0:
		return nil
	case p.layer == report.Patch || p.layer == report.Component:
		return all[len(all)-1].edits
	default:
		return all[0].edits
	}
}

// templateDecider finds what decides in the templates: a definition that
// replaces another, or the line that writes the variable, with the condition
// that selects it.
func (s *search) templateDecider(first func([]attempt) *attempt, now declaration) []attempt {
	override, line := first(s.overrides()), first(s.variableLines())
	switch {
	case override != nil && (line == nil || line.cause.File != override.cause.File || line.cause.Path != override.cause.Path):
		return []attempt{*override}
	case line == nil:
		return nil
	}
	if now.literal {
		line.cause.Value = short(now.value)
	}
	if override != nil {
		line.without = override.without
	}
	if condition := first(s.conditionsIn(line.edits[0])); condition != nil {
		return []attempt{*condition, *line}
	}
	return []attempt{*line}
}
