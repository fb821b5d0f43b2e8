package cause

import (
	"bytes"
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Twice finds the maps in the files of an app that hold a variable's key more
// than once, or more than once what gives the variable its value: in the values of
// its charts, in its patches and in its manifests. Of each map it returns the
// places, the one that is taken first and then the others in the order of the file.
// What cannot be read has none: the app does not render with it. A chart below
// another that is packed is not looked into.
func Twice(dir, variable string, options render.Options) (maps [][]report.Cause, err error) {
	defer recovered(&err)
	if absolute, err := filepath.Abs(dir); err == nil {
		dir = absolute
	}
	files := newSources(cmp.Or(options.MaxBytes, render.DefaultMaxBytes), options.Reads)
	files.wanted = func(text []byte) bool { return mayHoldTwice(text, variable) }
	files.kustomization(dir, "")
	for _, file := range files.all {
		for _, p := range file.places {
			if twice := twiceIn(p, variable); len(twice) > 0 {
				maps = append(maps, twice)
			}
		}
	}
	return maps, nil
}

// mayHoldTwice reports whether a text may set a variable: it holds the name, in
// letters or with escapes, or a path to an entry of env.
func mayHoldTwice(text []byte, variable string) bool {
	for _, part := range []string{variable, "/env/", `\u00`, `\x`} {
		if bytes.Contains(text, []byte(part)) {
			return true
		}
	}
	return false
}

// twiceIn are the members of a map that give a value to a variable, where their
// key stands there more than once.
func twiceIn(p *place, variable string) []report.Cause {
	if p.node.Kind != yaml.MappingNode {
		return nil
	}
	byKey := map[string][]*place{}
	for _, member := range p.children {
		byKey[member.key] = append(byKey[member.key], member)
	}
	var found []report.Cause
	for key, members := range byKey {
		if len(members) < 2 || !gives(p, key, members, variable) {
			continue
		}
		for _, member := range members {
			c := report.Cause{File: p.source.shown, Line: member.line, Column: member.column, Path: join(p.path, key), Layer: member.layer}
			if isValue := key == variable || key == "value"; isValue && member.isScalar() {
				c.Value = short(member.text())
				if member.isNull() {
					c.Value = "null"
				}
			}
			found = append(found, c)
		}
	}
	slices.SortStableFunc(found, func(a, b report.Cause) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), a.Line-b.Line, a.Column-b.Column)
	})
	if last := len(found) - 1; last > 0 && !p.isMergedByFirst() {
		found = slices.Insert(found[:last], 0, found[last])
	}
	return found
}

// isMergedByFirst reports whether a map is in a patch that kustomize merges into
// an object. Of two members with one key it takes the first; a JSON patch, and
// values, have the last.
func (p *place) isMergedByFirst() bool {
	if p.layer != report.Patch && p.layer != report.Component {
		return false
	}
	for at := p; at != nil; at = at.parent {
		if at.member("op") != nil && at.member("path") != nil {
			return false
		}
		if at.inText {
			return true
		}
	}
	return !p.source.kustomization && p.top().member("kind") != nil
}

// gives reports whether the members of a map that have one key say what the value
// of a variable is: in a map of variables, in an entry of env, or in an operation
// of a JSON patch. Of an operation that names an entry by its number it is taken
// for granted where a member says auto or skip.
func gives(p *place, key string, members []*place, variable string) bool {
	switch isNamed := func(c *place) bool { return c.key == "name" && c.isScalar() && c.text() == variable }; {
	case key == variable:
		return true
	case slices.Contains([]string{"name", "value", "valueFrom"}, key) && slices.ContainsFunc(p.children, isNamed):
		return true
	case p.member("op") == nil || p.member("path") == nil:
		return false
	case slices.ContainsFunc(p.children, func(c *place) bool { return mentions(c, variable) }):
		return true
	default:
		return key == "value" && strings.Contains(p.scalarMember("path"), "/env/") && slices.ContainsFunc(members, func(c *place) bool {
			return c.isScalar() && slices.Contains([]string{"auto", "skip"}, strings.ToLower(strings.TrimSpace(c.text())))
		})
	}
}
