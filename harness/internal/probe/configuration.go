package probe

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// change sets one key of the values. A map is never set as a whole: Helm merges
// maps, so the keys in it are set one by one.
type change struct {
	path  []string
	value any // a scalar, a list or nil
}

// configuration is what is set over the base, sorted by path.
type configuration []change

// configure makes the configuration that sets a value, which may be a map. It
// is nil when nothing is set by it.
func configure(path []string, value any) configuration {
	var c configuration
	var set func(path []string, value any)
	set = func(path []string, value any) {
		fields, ok := value.(map[string]any)
		if !ok {
			c = append(c, change{path, value})
			return
		}
		for _, key := range slices.Sorted(maps.Keys(fields)) {
			set(append(slices.Clone(path), key), fields[key])
		}
	}
	set(path, value)
	return c
}

// and joins two configurations; nil when one sets what the other sets, or
// something above it.
func (c configuration) and(other configuration) configuration {
	for _, a := range c {
		for _, b := range other {
			if related(a.path, b.path) {
				return nil
			}
		}
	}
	joined := slices.Concat(c, other)
	slices.SortFunc(joined, func(a, b change) int { return slices.Compare(a.path, b.path) })
	return joined
}

// related reports whether one path is the other or lies below it.
func related(a, b []string) bool {
	n := min(len(a), len(b))
	return slices.Equal(a[:n], b[:n])
}

// below reports whether a path lies below another.
func below(path, above []string) bool {
	return len(above) < len(path) && related(path, above)
}

// key is the same for equal configurations only.
func (c configuration) key() string {
	var b strings.Builder
	for _, change := range c {
		text, _ := json.Marshal([]any{change.path, change.value}) // of JSON's own types
		b.Write(text)
	}
	return b.String()
}

// paths are those that are set, as they are written.
func (c configuration) paths() []string {
	var paths []string
	for _, change := range c {
		paths = append(paths, written(change.path))
	}
	return paths
}

// over returns base with the configuration set in it. Base stays as it is.
func (c configuration) over(base map[string]any) map[string]any {
	values := maps.Clone(base)
	if values == nil {
		values = map[string]any{}
	}
	for _, change := range c {
		at := values
		for _, key := range change.path[:len(change.path)-1] {
			below, _ := at[key].(map[string]any)
			if below = maps.Clone(below); below == nil {
				below = map[string]any{}
			}
			at[key] = below
			at = below
		}
		at[change.path[len(change.path)-1]] = change.value
	}
	return values
}

// snippet is the configuration as a values file.
func (c configuration) snippet() string {
	text, err := yaml.Marshal(c.over(nil))
	if err != nil {
		return err.Error() // only of values that no YAML can have
	}
	return string(text)
}

// typed gives the values the types that Helm gives them in a values file.
func (c configuration) typed() (configuration, error) {
	typed := slices.Clone(c)
	for i, change := range c {
		decoded, err := render.DecodedValues(map[string]any{"value": change.value})
		if err != nil {
			return nil, err
		}
		typed[i].value = decoded["value"]
	}
	return typed, nil
}

var keyEscape = strings.NewReplacer(`\`, `\\`, ".", `\.`, ",", `\,`, "=", `\=`, "[", `\[`, "]", `\]`)

// written is a path as --set takes it.
func written(path []string) string {
	if len(path) == 0 {
		return "."
	}
	var keys []string
	for _, key := range path {
		keys = append(keys, keyEscape.Replace(key))
	}
	return strings.Join(keys, ".")
}

var (
	plainText = regexp.MustCompile(`^[A-Za-z0-9_/@:.-]+( [A-Za-z0-9_/@:.-]+)*$`)
	typedText = regexp.MustCompile(`^([-+]?[0-9.].*|true|false|null)$`)
	bareWord  = regexp.MustCompile(`^[A-Za-z0-9_/@:.,=-]+$`)
)

// arguments gives the configuration as arguments of helm, for a shell.
func (c configuration) arguments() string {
	var words []string
	for _, change := range c {
		flag, word := change.argument()
		if !bareWord.MatchString(word) {
			word = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
		words = append(words, flag+" "+word)
	}
	return strings.Join(words, " ")
}

func (c change) argument() (flag, word string) {
	if slices.ContainsFunc(c.path, func(key string) bool { return strings.ContainsAny(key, "\\,=[]{}'\"\n\t ") }) {
		text, _ := json.Marshal(configuration{c}.over(nil))
		return "--set-json", string(text)
	}
	path := written(c.path)
	switch value := c.value.(type) {
	case nil:
		return "--set", path + "=null"
	case string:
		switch {
		case value == "":
			return "--set-string", path + "="
		case plainText.MatchString(value) && !typedText.MatchString(value):
			return "--set", path + "=" + value
		case plainText.MatchString(value):
			return "--set-string", path + "=" + value
		}
	case bool, float64, int, int64, json.Number:
		text, _ := json.Marshal(value)
		return "--set", path + "=" + string(text)
	}
	text, _ := json.Marshal(c.value)
	return "--set-json", path + "=" + string(text)
}
