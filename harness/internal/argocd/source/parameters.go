package source

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/strvals"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// parameters adds --set, --set-string and --set-file, in Helm's order. Argo CD keeps
// each kind in a Go map: of parameters with one name the last wins, and where two
// names reach the same value there is no one answer.
func (o *one) parameters(field string, helm *api.ApplicationSourceHelm, values *render.Values) error {
	set, setString := map[string]setting{}, map[string]setting{}
	for i, parameter := range helm.Parameters {
		at := fmt.Sprintf("%s.parameters[%d]", field, i)
		kind := set
		if parameter.ForceString {
			kind = setString
		}
		kind[parameter.Name] = setting{at: at, name: parameter.Name, value: parameter.Value}
	}
	var err error
	if values.Set, err = o.settings(set); err != nil {
		return err
	}
	if values.SetString, err = o.settings(setString); err != nil {
		return err
	}
	return o.fileParameters(field, helm, values)
}

// setting is one value that a parameter sets.
type setting struct {
	at, name, value string
	keys            []any // see keysOf
}

// settings are parameters as Helm takes them: NAME=VALUE.
func (o *one) settings(byName map[string]setting) ([]string, error) {
	var texts []string
	var all []setting
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		one := byName[name]
		value := escapeCommas(o.expandCompared(one.at+".value", one.value))
		var err error
		if one.keys, err = keysOf(one.at, name, value); err != nil {
			return nil, err
		}
		texts, all = append(texts, name+"="+value), append(all, one)
	}
	return texts, overlaps(all)
}

func (o *one) fileParameters(field string, helm *api.ApplicationSourceHelm, values *render.Values) error {
	byName := map[string]setting{}
	for i, parameter := range helm.FileParameters {
		byName[parameter.Name] = setting{at: fmt.Sprintf("%s.fileParameters[%d]", field, i), name: parameter.Name, value: parameter.Path}
	}
	var all []setting
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		one := byName[name]
		file, err := o.resolve(one.at+".path", one.value)
		if err != nil {
			return err
		}
		text, err := o.read(file.root, one.at+".path", file.path)
		if err != nil {
			return err
		}
		if strings.Contains(name, "=") {
			return refused(one.at+".name", fmt.Sprintf("Helm takes a part of %q for a path", name), "correct it")
		}
		if one.keys, err = keysOf(one.at, name, "-"); err != nil {
			return err
		}
		all = append(all, one)
		values.SetFile = append(values.SetFile, render.ValuesText{Name: name, Text: text})
	}
	return overlaps(all)
}

// escapeCommas is cleanSetParameters of util/helm/cmd.go: a list in braces stays.
func escapeCommas(value string) string {
	if isList(value) {
		return value
	}
	var escaped strings.Builder
	before := rune(0)
	for _, r := range value {
		if r == ',' && before != '\\' {
			escaped.WriteRune('\\')
		}
		escaped.WriteRune(r)
		before = r
	}
	return escaped.String()
}

func isList(value string) bool {
	return strings.HasPrefix(value, "{") && strings.HasSuffix(value, "}")
}

// keysOf are the keys and indexes of the one value that NAME=VALUE sets. A text that
// sets several is refused: it would make an order of them.
func keysOf(at, name, value string) ([]any, error) {
	if plainNamePattern(name) && !strings.ContainsAny(value, `\{},=`) {
		var keys []any
		for key := range strings.SplitSeq(name, ".") {
			keys = append(keys, key)
		}
		return keys, nil
	}
	parsed, err := strvals.Parse(name + "=" + value)
	if err != nil {
		return nil, broken(at, err.Error(), "correct it")
	}
	list := isList(value)
	var keys, lastList []any
	var node any = parsed
	for {
		switch below := node.(type) {
		case map[string]any:
			if len(below) == 0 {
				return keys, nil
			}
			if len(below) > 1 {
				return nil, refused(at, "it sets several values at once", "write a parameter for each")
			}
			for key, value := range below {
				keys, node = append(keys, key), value
			}
			continue
		case []any:
			lastList = slices.Clone(keys)
			if len(below) == 0 {
				return keys, nil
			}
			keys, node = append(keys, len(below)-1), below[len(below)-1]
			continue
		}
		break
	}
	if list && lastList != nil {
		return lastList, nil
	}
	return keys, nil
}

// plainNamePattern reports whether a name is keys with dots between them.
func plainNamePattern(name string) bool {
	return name != "" && !strings.ContainsAny(name, `\[]{},= `) && !strings.Contains(name, "..") && !strings.HasPrefix(name, ".") && !strings.HasSuffix(name, ".")
}

// reached is what settings reach below a place.
type reached struct {
	// first is the first setting that came by.
	first setting
	// ends says that it set the place itself.
	ends  bool
	below map[any]*reached
}

// overlaps refuses two settings of which one reaches into the other, or takes for a
// list what that takes for a map.
func overlaps(settings []setting) error {
	top := &reached{below: map[any]*reached{}}
	for _, one := range settings {
		place := top
		for _, key := range one.keys {
			for other, there := range place.below {
				if isIndex(other) != isIndex(key) {
					return overlap(one, there.first)
				}
				break
			}
			next := place.below[key]
			if next == nil {
				next = &reached{first: one, below: map[any]*reached{}}
				place.below[key] = next
			}
			if place = next; place.ends {
				return overlap(one, place.first)
			}
		}
		if len(place.below) > 0 {
			return overlap(one, place.first)
		}
		place.ends = true
	}
	return nil
}

func isIndex(key any) bool {
	_, index := key.(int)
	return index
}

func overlap(one, other setting) error {
	return refused(one.at+".name",
		fmt.Sprintf("%s and %s (%s) reach the same value, and Argo CD gives them to Helm in no order", one.name, other.name, other.at),
		"leave one of them, or use values")
}
