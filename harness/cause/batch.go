package cause

import (
	"context"
	"fmt"
	"regexp"
	"strconv"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/report"
)

var relevantPattern = regexp.MustCompile(`(?i)migrat|env|controller|mode|skip`)

// leaves are the values that have no visible tie to the variable: the
// conditions by which a template may decide. Relevant are those whose path
// sounds like it; of the others, the switches.
func (s *search) leaves(relevant bool) []attempt {
	var attempts []attempt
	for _, p := range s.places(func(p *place) bool {
		switch p.layer {
		case report.InlineValues, report.ValuesFile, report.AdditionalValuesFile, report.ChartValues:
			return p.isScalar() && !isValue(p, s.envVar) && relevantPattern.MatchString(p.path) == relevant &&
				(relevant || p.node.ShortTag() == yaml.NodeTagBool)
		default:
			return false
		}
	}) {
		if a, ok := varied(p); ok {
			attempts = append(attempts, a)
		}
	}
	return attempts
}

// varied gives a value another of the same type.
func varied(p *place) (attempt, bool) {
	node := p.node
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	switch node.ShortTag() {
	case yaml.NodeTagBool:
		value := "true"
		if node.Value == "true" {
			value = "false"
		}
		return attempt{place: p, edits: []edit{setPlain(p, yaml.NodeTagBool, value)},
			change: fmt.Sprintf("set %s to %s", p.path, value), fixAt: p, path: p.path}, true
	case yaml.NodeTagInt:
		number, err := strconv.Atoi(node.Value)
		value := strconv.Itoa(number + 1)
		return attempt{place: p, edits: []edit{setPlain(p, yaml.NodeTagInt, value)}, noFix: true}, err == nil
	case yaml.NodeTagString:
		return attempt{place: p, edits: []edit{set(p, node.Value+"x")}, noFix: true}, true
	default:
		return attempt{}, false
	}
}

// batchSize is how many values are changed at once.
const batchSize = 8

// batches changes several values at once, and halves those that make a
// difference, until it finds the one that changes the finding.
func (s *search) batches(ctx context.Context, attempts []attempt) error {
	for len(attempts) > 0 {
		n := min(batchSize, len(attempts))
		found, err := s.halve(ctx, attempts[:n])
		if err != nil || found {
			return err
		}
		attempts = attempts[n:]
	}
	return nil
}

func (s *search) halve(ctx context.Context, attempts []attempt) (bool, error) {
	var edits []edit
	for _, a := range attempts {
		edits = append(edits, a.edits...)
	}
	after, err := s.lab.try(ctx, edits...)
	if err != nil {
		return false, err
	}
	effect, err := s.measure(ctx, after)
	if err != nil {
		return false, err
	}
	// Some values hide the container, or break the rendering.
	hidden := after.err != nil || s.finding.Workload != "" && !after.has(containerOf{s.finding.Workload, s.finding.Namespace, s.finding.Container})
	if effect == nothing && !hidden {
		return false, nil
	}
	if len(attempts) == 1 {
		if effect != nothing {
			s.hits = append(s.hits, hit{attempt: attempts[0], effect: effect})
		}
		return effect != nothing, nil
	}
	for _, half := range [][]attempt{attempts[:len(attempts)/2], attempts[len(attempts)/2:]} {
		if found, err := s.halve(ctx, half); err != nil || found {
			return found, err
		}
	}
	return false, nil
}
