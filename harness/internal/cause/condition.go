package cause

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/report"
)

var relevantPattern = regexp.MustCompile(`(?i)migrat|env|controller|mode|skip`)

// conditions are attempts with values that have no visible tie to the variable:
// the conditions by which a template may decide. Relevant are those whose path
// sounds like it; of the others, the switches.
func (s *search) conditions(relevant bool) []attempt {
	return s.varied(func(p *place) bool {
		return relevantPattern.MatchString(p.path) == relevant && (relevant || p.node.ShortTag() == yaml.NodeTagBool)
	})
}

var valuePath = regexp.MustCompile(`\.Values\.([A-Za-z0-9_.]+)`)

// conditionsIn are attempts with the values that the definition reads in which
// an edit of a template is.
func (s *search) conditionsIn(at edit) []attempt {
	var read []string
	for _, found := range valuePath.FindAllStringSubmatch(surrounding(string(at.source.text), at.start), -1) {
		read = append(read, found[1])
	}
	return s.varied(func(p *place) bool {
		return slices.ContainsFunc(read, func(path string) bool { return p.path == path || strings.HasSuffix(p.path, "."+path) })
	})
}

// varied are attempts that give values, of those for which keep holds, another
// of the same type.
func (s *search) varied(keep func(*place) bool) []attempt {
	var attempts []attempt
	for _, p := range s.places(func(p *place) bool {
		switch p.layer {
		case report.InlineValues, report.ValuesFile, report.AdditionalValuesFile, report.ChartValues:
			return p.isScalar() && !isValue(p, s.envVar) && keep(p)
		default:
			return false
		}
	}) {
		if a, ok := vary(p); ok {
			attempts = append(attempts, a)
		}
	}
	return attempts
}

func vary(p *place) (attempt, bool) {
	node := p.node
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	other := yaml.Node{Kind: yaml.ScalarNode, Tag: node.ShortTag()}
	switch other.Tag {
	case yaml.NodeTagBool:
		other.Value = strconv.FormatBool(node.Value != "true")
		return attempt{place: p, edits: []edit{setNode(p, &other)}}.at(p, p.path, fmt.Sprintf("set %s to %s", p.path, other.Value)), true
	case yaml.NodeTagInt:
		number, err := strconv.Atoi(node.Value)
		other.Value = strconv.Itoa(number + 1)
		return attempt{place: p, edits: []edit{setNode(p, &other)}}, err == nil
	case yaml.NodeTagString:
		return attempt{place: p, edits: []edit{set(p, node.Value+"x")}}, true
	default:
		return attempt{}, false
	}
}

// batches changes eight values at once, and halves those that make a difference,
// until it finds one that mends the finding.
func (s *search) batches(ctx context.Context, attempts []attempt) bool {
	for batch := range slices.Chunk(attempts, 8) {
		if s.halve(ctx, batch) {
			return true
		}
	}
	return false
}

func (s *search) halve(ctx context.Context, attempts []attempt) bool {
	var edits []edit
	for _, a := range attempts {
		edits = append(edits, a.edits...)
	}
	after := s.try(ctx, edits...)
	mends := s.mends(ctx, after)
	// Some values hide the container, or break the rendering.
	hidden := after.err != nil || s.finding.Workload != "" && !after.has(s.container)
	if len(attempts) == 1 || s.err != nil || !mends && !hidden {
		if mends {
			s.mending = append(s.mending, attempts[0])
		}
		return mends
	}
	half := (len(attempts) + 1) / 2
	return s.halve(ctx, attempts[:half]) || s.halve(ctx, attempts[half:])
}
