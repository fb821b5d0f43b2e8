package probe

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/probe/watch"
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

// and joins two configurations; nil when one sets something else than the other
// at a place, or sets what lies above it.
func (c configuration) and(other configuration) configuration {
	joined := slices.Clone(c)
	for _, b := range other {
		i := slices.IndexFunc(c, func(a change) bool { return related(a.path, b.path) })
		if i < 0 {
			joined = append(joined, b)
		} else if len(c[i].path) != len(b.path) || !reflect.DeepEqual(c[i].value, b.value) {
			return nil
		}
	}
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
		if !change.isValue() {
			continue
		}
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

// isValue reports whether a change is one of the values, not of what the templates
// are told besides.
func (c change) isValue() bool { return watch.PlaceOf(c.path...).IsValue() }

// told is what the templates are told besides the values.
func (c configuration) told() render.Told {
	var told render.Told
	for _, change := range c {
		text, _ := change.value.(string)
		switch place := watch.PlaceOf(change.path...); place {
		case releaseName:
			told.ReleaseName = text
		case releaseNamespace:
			told.Namespace = text
		case releaseUpgrade:
			told.Upgrade = change.value == true
		case releaseRevision:
			revision, _ := change.value.(float64)
			told.Revision = int(revision)
		case watch.KubeVersion:
			told.KubeVersion = text
		case watch.APIVersions:
			told.APIVersions = strings.Split(text, ",")
		}
	}
	return told
}

// The places of what the templates are told besides the values.
var (
	releaseName      = watch.Release.Key("Name")
	releaseNamespace = watch.Release.Key("Namespace")
	releaseUpgrade   = watch.Release.Key("IsUpgrade")
	releaseRevision  = watch.Release.Key("Revision")
)

// tell gives the place and the value with which the templates are told something;
// nil when they cannot be.
func tell(place watch.Place, value any) (watch.Place, any) {
	text, isText := value.(string)
	number, isNumber := value.(float64)
	switch {
	case (place == releaseName || place == releaseNamespace) && isText && text != "":
		return place, text
	case place == releaseUpgrade:
		if value == true {
			return place, true
		}
	case place == watch.Release.Key("IsInstall"):
		if value == false {
			return releaseUpgrade, true
		}
	case place == releaseRevision && isNumber && number > 0:
		return place, number
	case place == watch.KubeVersion && isNumber && number > 0:
		return place, fmt.Sprintf("v1.%d.0", int(number))
	case place == watch.KubeVersion && isText:
		if minor, err := strconv.Atoi(text); err == nil {
			return place, fmt.Sprintf("v1.%d.0", minor)
		}
		if _, err := common.ParseKubeVersion(text); err == nil {
			return place, text
		}
	case place == watch.APIVersions && isText && text != "":
		return place, text
	}
	return place, nil
}

// kind is what must change for a configuration: the values, or what the templates
// are told of the release or of the cluster.
func (c configuration) kind() Kind {
	kind := OfValues
	for _, change := range c {
		switch place := watch.PlaceOf(change.path...); {
		case place == watch.KubeVersion || place == watch.APIVersions:
			return OfCluster
		case !place.IsValue():
			kind = OfRelease
		}
	}
	return kind
}

// snippet is the configuration as a values file.
func (c configuration) snippet() string {
	if !slices.ContainsFunc(c, change.isValue) {
		return ""
	}
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
	if place := watch.PlaceOf(path...); !place.IsValue() {
		return "." + place.String()
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
		if word == "" {
			words = append(words, flag)
			continue
		}
		if !bareWord.MatchString(word) {
			word = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
		words = append(words, flag+" "+word)
	}
	return strings.Join(words, " ")
}

func (c change) argument() (flag, word string) {
	switch place := watch.PlaceOf(c.path...); place {
	case releaseName:
		return "--name-template", fmt.Sprint(c.value)
	case releaseNamespace:
		return "--namespace", fmt.Sprint(c.value)
	case releaseUpgrade:
		return "--is-upgrade", ""
	case releaseRevision:
		return "--is-upgrade", "" // helm template has no revisions
	case watch.KubeVersion:
		return "--kube-version", fmt.Sprint(c.value)
	case watch.APIVersions:
		return "--api-versions", fmt.Sprint(c.value)
	}
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
