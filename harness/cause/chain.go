package cause

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/report"
)

// maxChain bounds how many layers are peeled off.
const maxChain = 8

// chain tells which places decide what a container's env says of the variable:
// the first decides, the next would if those before it were not there, and so
// on, down to the template. Each step is one rendering in which every value
// that could decide carries a mark of its own: the mark that arrives tells.
func (s *search) chain(ctx context.Context, at containerOf, removed []*place) ([]report.Cause, error) {
	candidates := s.places(func(p *place) bool { return isValue(p, s.envVar) && !p.isNull() })
	var found []report.Cause
	for len(found) < maxChain {
		var edits []edit
		marks := map[string]*place{}
		for i, p := range candidates {
			if slices.ContainsFunc(removed, p.under) {
				continue
			}
			mark := fmt.Sprintf("nevermigrate-mark-%d-", i)
			marks[mark] = p
			edits = append(edits, set(p, mark))
		}
		for _, p := range removed {
			edits = append(edits, remove(p))
		}
		after, err := s.lab.try(ctx, edits...)
		if err != nil {
			return found, err
		}
		if after.err != nil || !after.has(at) {
			return found, nil
		}
		got := after.declared(at, s.envVar)
		if !got.declared {
			return found, nil
		}
		decides := marked(marks, got.value)
		if decides == nil {
			if decides, err = s.unmarked(ctx, at, edits, removed, got); err != nil {
				return found, err
			}
		}
		if decides == nil {
			line, err := s.lab.lineAfter(ctx, s, at, edits, after)
			if err != nil || line == nil {
				return found, err
			}
			if got.literal {
				line.Value = short(got.value)
			}
			return append(found, *line), nil
		}
		found = append(found, s.causeAt(decides))
		removed = append(removed, removable(decides))
	}
	return found, nil
}

// unmarked finds, one by one, what can decide and carries no mark: entries
// without a value of their own, and values of other objects that are copied.
func (s *search) unmarked(ctx context.Context, at containerOf, edits []edit, removed []*place, now declaration) (*place, error) {
	for _, p := range s.places(func(p *place) bool {
		if slices.ContainsFunc(removed, p.under) {
			return false
		}
		if now.literal {
			return now.value != "" && p.isScalar() && p.text() == now.value && !isValue(p, s.envVar)
		}
		return p.scalarMember("name") == s.envVar && (p.member("value") == nil || p.member("value").isNull())
	}) {
		change := remove(p)
		if now.literal {
			change = set(p, "nevermigrate-mark")
		}
		after, err := s.lab.try(ctx, append(slices.Clone(edits), change)...)
		if err != nil {
			return nil, err
		}
		if after.err == nil && after.has(at) && after.declared(at, s.envVar) != now {
			return p, nil
		}
	}
	return nil, nil
}

func marked(marks map[string]*place, value string) *place {
	for mark, p := range marks {
		if strings.Contains(value, mark) {
			return p
		}
	}
	return nil
}

// removable is what to take away so that a value decides no more: in an
// operation of a patch, or an entry of a list, the whole item.
func removable(p *place) *place {
	at := entryOf(p)
	for at.parent != nil && at.parent.parent != nil && len(at.parent.children) == 1 && at.parent.layer == report.Patch &&
		!at.steps[len(at.steps)-1].nested && !at.parent.steps[len(at.parent.steps)-1].nested {
		at = at.parent
	}
	// A patch without operations is an error.
	if top := at.parent; top != nil && top.node.Kind == yaml.SequenceNode && len(top.children) == 1 && len(top.steps) > 1 && top.steps[len(top.steps)-1].nested {
		for at = top; at.key != "" || at.steps[len(at.steps)-1].nested; at = at.parent {
		}
	}
	return at
}

// lineAfter finds the line of a template that writes the variable in an app
// with edits. Its line is that of the app as it is: edits change no template.
func (l *lab) lineAfter(ctx context.Context, s *search, at containerOf, edits []edit, base *world) (*report.Cause, error) {
	files, err := overlay(edits)
	if err != nil {
		return nil, err
	}
	under := *l
	under.below = files
	cause, err := under.variableLine(ctx, s.sources, at, s.envVar, base)
	l.left, l.renders = under.left, under.renders
	return cause, err
}

// causeAt is a place as the report shows it.
func (s *search) causeAt(p *place) report.Cause {
	return report.Cause{File: p.source.shown, Line: p.line, Column: p.column, Path: p.path, Value: s.shownValue(p), Layer: p.layer}
}

// shownValue is the value of a place when it is that of the migrations variable
// or a switch, and never that of another variable.
func (s *search) shownValue(p *place) string { return short(s.wholeValue(p)) }

// maxShown is how many characters of a value a report shows.
const maxShown = 80

func short(value string) string {
	if runes := []rune(value); len(runes) > maxShown {
		return string(runes[:maxShown]) + "…"
	}
	return value
}

func (s *search) wholeValue(p *place) string {
	entry := p
	if p.scalarMember("name") == s.envVar && p.member("value") != nil && p.member("valueFrom") == nil {
		entry = p.member("value")
	}
	switch {
	case !entry.isScalar():
		return ""
	case isValue(entry, s.envVar), s.rendered.declared && entry.text() == s.rendered.value:
		if entry.isNull() {
			return "null"
		}
		return entry.text()
	case entry.node.ShortTag() == yaml.NodeTagBool:
		return entry.text()
	case s.finding != nil && s.finding.Code == "CNM005":
		_, cut := s.without(entry.text())
		return cut
	default:
		return ""
	}
}

// bounded says whether an error only means that the search ended early.
func bounded(err error) (bool, error) {
	if errors.Is(err, errBound) {
		return true, nil
	}
	return false, err
}
