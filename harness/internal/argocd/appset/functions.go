package appset

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"sigs.k8s.io/yaml"
)

// functions are those of Argo CD's templates: sprig's without what reads the
// machine, and some more (applicationset/utils/utils.go). Those whose answer is
// another each time are refused, and those that can make much of nothing are
// bounded. tpl is added to each template.
func (r *renderer) functions() template.FuncMap {
	functions := template.FuncMap(sprig.GenericFuncMap())
	for _, name := range []string{"env", "expandenv", "getHostByName"} {
		delete(functions, name)
	}
	functions["normalize"] = normalize
	functions["slugify"] = slugify
	functions["toYaml"] = toYAML
	functions["fromYaml"] = fromYAML
	functions["fromYamlArray"] = fromYAMLArray
	for name, why := range changing {
		if functions[name] != nil {
			functions[name] = refusing(name, why)
		}
	}
	r.ordering(functions)
	bound(functions)
	r.guard(functions)
	return functions
}

// changing are functions that give another answer each time, or on each machine.
var changing = map[string]string{
	"now": clock, "ago": clock, "date": clock, "date_in_zone": clock, "dateInZone": clock,
	"htmlDate": clock, "htmlDateInZone": clock, "toDate": clock, "mustToDate": clock,
	"shuffle": random, "randAlphaNum": random, "randAlpha": random, "randAscii": random,
	"randNumeric": random, "randBytes": random, "randInt": random, "uuidv4": random,
	"genPrivateKey": random, "genCA": random, "genCAWithKey": random,
	"genSelfSignedCert": random, "genSelfSignedCertWithKey": random,
	"genSignedCert": random, "genSignedCertWithKey": random,
	"encryptAES": random, "bcrypt": random, "htpasswd": random,
}

const (
	clock  = "depends on the clock or the time zone of Argo CD"
	random = "gives something else each time"
)

func refusing(name, why string) func(...any) (string, error) {
	return func(...any) (string, error) {
		return "", &refusal{"the template function " + name + " " + why, "write the value itself"}
	}
}

// ordering replaces the functions that give a map in the order that it happens to
// have, and notes the use of those by which one field can change another.
func (r *renderer) ordering(functions template.FuncMap) {
	functions["keys"] = func(dicts ...map[string]any) []string {
		keys := []string{}
		for _, dict := range dicts {
			keys = append(keys, r.keysOf(dict)...)
		}
		r.ordered = true
		return keys
	}
	functions["values"] = func(dict map[string]any) []any {
		values := []any{}
		for _, key := range r.keysOf(dict) {
			values = append(values, dict[key])
		}
		r.ordered = true
		return values
	}
	set := functions["set"].(func(map[string]any, string, any) map[string]any)
	functions["set"] = func(dict map[string]any, key string, value any) map[string]any {
		r.ordered = true
		return set(dict, key, value)
	}
	unset := functions["unset"].(func(map[string]any, string) map[string]any)
	functions["unset"] = func(dict map[string]any, key string) map[string]any {
		r.ordered = true
		return unset(dict, key)
	}
	for _, name := range []string{"merge", "mergeOverwrite"} {
		merge := functions[name].(func(map[string]any, ...map[string]any) any)
		functions[name] = func(into map[string]any, from ...map[string]any) any {
			r.ordered = true
			return merge(into, from...)
		}
	}
	for _, name := range []string{"mustMerge", "mustMergeOverwrite"} {
		merge := functions[name].(func(map[string]any, ...map[string]any) (any, error))
		functions[name] = func(into map[string]any, from ...map[string]any) (any, error) {
			r.ordered = true
			return merge(into, from...)
		}
	}
}

// keysOf are the keys of a map in one of two orders.
func (r *renderer) keysOf(dict map[string]any) []string {
	return r.sorted(slices.Collect(maps.Keys(dict)))
}

func (r *renderer) sorted(keys []string) []string {
	slices.SortFunc(keys, func(a, b string) int {
		if r.reversed {
			a, b = b, a
		}
		return cmp.Compare(a, b)
	})
	return keys
}

// The following are those of applicationset/utils/template_functions.go.

func toYAML(value any) (string, error) {
	text, err := yaml.Marshal(value)
	return strings.TrimSuffix(string(text), "\n"), err
}

func fromYAML(text string) (map[string]any, error) {
	object := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &object); err != nil {
		return nil, err
	}
	return object, nil
}

func fromYAMLArray(text string) ([]any, error) {
	list := []any{}
	if err := yaml.Unmarshal([]byte(text), &list); err != nil {
		return nil, err
	}
	return list, nil
}
