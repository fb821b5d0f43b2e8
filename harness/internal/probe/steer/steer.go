// Package steer reads the trace of a rendering and says what to set so that the
// next one goes another way: in goes what functions were called with and what
// branches went by, out come places with values. It renders nothing, and promises
// nothing: who tries a value sees what comes of it.
package steer

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/probe/watch"
)

// Suggestion is a value for a place. Nil takes away what is there.
type Suggestion struct {
	Place watch.Place
	Value any
	// Site is the one that may then go another way.
	Site int
}

// withKey asks a map for a key with some value.
type withKey struct {
	key   string
	value any
}

// reader reads one trace.
type reader struct {
	chart *watch.Chart
	trace *watch.Trace
	site  int
	found []Suggestion
	seen  map[string]bool
}

// deepest bounds through how many functions a value is followed back.
const deepest = 5

// Read gives suggestions for the calls and branches that open tells to be worth
// it. Goals are values that are wished to be written: for each function that makes
// something else of a place's value, what becomes a goal by it.
func Read(chart *watch.Chart, trace *watch.Trace, goals []string, open func(site *watch.Site, result any) bool) []Suggestion {
	r := &reader{chart: chart, trace: trace, seen: map[string]bool{}}
	for _, test := range trace.Tests {
		if !open(test.Site, test.Taken) {
			continue
		}
		r.site = test.Site.ID
		for _, want := range flipped(test.Value) {
			r.value(test.Value, test.Origins, want, len(trace.Calls), 0)
		}
	}
	for n, call := range trace.Calls {
		if !open(call.Site, call.Result) {
			continue
		}
		r.site = call.Site.ID
		if call.Site.Function == "APIVersions.Has" && len(call.Args) == 1 {
			r.add(watch.APIVersions, call.Args[0])
		}
		for i, origins := range call.Origins {
			if len(origins) == 0 {
				continue
			}
			for _, want := range r.wants(call, i) {
				r.value(call.Args[i], origins, want, n, 0)
			}
			if text, ok := call.Result.(string); ok && text != call.Args[i] && len(text) < 200 {
				for _, goal := range goals {
					for _, want := range undone(call, i, goal) {
						r.value(call.Args[i], origins, want, n, 0)
					}
				}
			}
		}
	}
	return r.found
}

func (r *reader) add(place watch.Place, value any) {
	value = plain(value)
	text, err := json.Marshal(value)
	if key := string(place) + "=" + string(text); err == nil && place != watch.Lookup && !r.seen[key] {
		r.seen[key] = true
		r.found = append(r.found, Suggestion{place, value, r.site})
	}
}

// plain gives a value the types that a values file gives it.
func plain(value any) any {
	if n, ok := number(value); ok {
		return n
	}
	return value
}

// value suggests what makes a value, from some places, the one that is wanted. It
// was there before the nth call.
func (r *reader) value(now any, origins []watch.Origin, want any, n, depth int) {
	for _, origin := range origins {
		at, _ := watch.At(r.trace.Values, origin.Place)
		key, isKey := want.(withKey)
		switch {
		case isKey:
			r.add(origin.Place.Key(key.key), key.value)
		case origin.Key && origin.Exact:
			keys := origin.Place.Keys()
			if text, ok := want.(string); ok {
				r.add(watch.PlaceOf(keys[:len(keys)-1]...).Key(text), at)
			}
		case origin.Exact || reflect.DeepEqual(at, now):
			r.add(origin.Place, want)
		default:
			if !r.back(now, origin, want, n, depth) {
				for _, value := range inverse(at, now, want) {
					r.add(origin.Place, value)
				}
			}
		}
	}
}

// back follows a value that was made by a function to what that was called with.
func (r *reader) back(now any, origin watch.Origin, want any, n, depth int) (found bool) {
	if depth >= deepest {
		return false
	}
	for n--; n >= 0; n-- {
		call := r.trace.Calls[n]
		if !reflect.DeepEqual(call.Result, now) {
			continue
		}
		for i, origins := range call.Origins {
			if !slices.ContainsFunc(origins, func(o watch.Origin) bool { return o.Place == origin.Place }) {
				continue
			}
			for _, before := range undone(call, i, want) {
				found = true
				r.value(call.Args[i], origins, before, n, depth+1)
			}
		}
		if found {
			return true
		}
	}
	return false
}

// wants are the values of an argument with which a call may give another result.
func (r *reader) wants(call watch.CallEvent, i int) []any {
	now := call.Args[i]
	var others []any
	for j, arg := range call.Args {
		if j != i {
			others = append(others, arg)
		}
	}
	first := func() any {
		if len(others) > 0 {
			return others[0]
		}
		return nil
	}
	text, _ := first().(string)
	own, _ := now.(string)
	switch function := strings.TrimPrefix(call.Site.Function, "must"); function {
	case "eq", "ne", "eqFold":
		return append(others, different(now))
	case "lt", "le", "gt", "ge":
		if n, ok := number(first()); ok {
			return []any{n + 1, n - 1, n}
		}
		return []any{text + "a", "", text}
	case "has", "Has":
		if i == 0 {
			return append(itemsOf(first()), different(now))
		}
		list, _ := now.([]any)
		with := append(slices.Clone(list), first())
		without := slices.DeleteFunc(slices.Clone(list), func(item any) bool { return reflect.DeepEqual(item, first()) })
		return []any{with, without}
	case "hasKey", "get", "index", "pluck", "dig", "slice":
		return keyed(call, i)
	case "contains":
		if i == 1 {
			return []any{own + text, text, "probe"}
		}
		return []any{first(), "probe"}
	case "hasPrefix":
		if i == 1 {
			return []any{text + own, text, "probe"}
		}
		return []any{first(), "probe"}
	case "hasSuffix":
		if i == 1 {
			return []any{own + text, text, "probe"}
		}
		return []any{first(), "probe"}
	case "regexMatch", "regexFind", "regexFindAll":
		if i == 1 {
			return append(matches(text), "probe", "")
		}
		return []any{".*", first()}
	case "semverCompare", "semver":
		if i == len(call.Args)-1 {
			return versions(text, own)
		}
		return []any{"*", "<0.0.1"}
	case "kindIs", "typeIs", "typeIsLike", "kindOf", "typeOf":
		return []any{"probe", true, 1.0, map[string]any{"probe": "probe"}, []any{"probe"}, nil}
	case "Files.Get", "Files.GetBytes", "Files.Lines", "Files.Glob":
		return texts(r.chart.Files)
	case "include":
		if i == 0 {
			return texts(r.chart.Templates)
		}
		return nil
	case "default", "empty", "coalesce", "ternary", "required", "not", "all", "any", "len":
		return flipped(now)
	}
	if _, ok := call.Result.(bool); ok {
		return append(others, flipped(now)...)
	}
	return nil
}

func texts(names []string) []any {
	var all []any
	for _, name := range names {
		all = append(all, name)
	}
	return all
}

// keyed are what may be looked up, for a map and for a key of it.
func keyed(call watch.CallEvent, i int) []any {
	var all []any
	collection, isKey := call.Args[i], false
	for j, arg := range call.Args {
		switch kind := reflect.ValueOf(arg).Kind(); {
		case j == i:
			isKey = kind != reflect.Map && kind != reflect.Slice
		case kind == reflect.Map || kind == reflect.Slice:
			collection = arg
		}
	}
	if isKey {
		if list, ok := collection.([]any); ok {
			for n := range list {
				all = append(all, float64(n))
			}
			return all
		}
		for _, key := range reflect.ValueOf(collection).MapKeys() {
			all = append(all, key.String())
		}
		slices.SortFunc(all, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		return append(all, "probe")
	}
	for j, arg := range call.Args {
		key, ok := arg.(string)
		if !ok || j == i || call.Site.Function == "dig" && j == len(call.Args)-2 {
			continue
		}
		there := false
		if v := reflect.ValueOf(collection); v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String {
			there = v.MapIndex(reflect.ValueOf(key).Convert(v.Type().Key())).IsValid()
		}
		if there {
			all = append(all, withKey{key, nil})
		}
		all = append(all, withKey{key, true}, withKey{key, "probe"}, withKey{key, map[string]any{"probe": "probe"}})
	}
	return all
}

func itemsOf(collection any) []any {
	var all []any
	if v := reflect.ValueOf(collection); v.Kind() == reflect.Slice {
		for i := range v.Len() {
			all = append(all, v.Index(i).Interface())
		}
	}
	return all
}

func different(value any) any {
	switch value := value.(type) {
	case bool:
		return !value
	case string:
		if value != "probe" {
			return "probe"
		}
		return "other"
	}
	if n, ok := number(value); ok {
		return n + 1
	}
	return "probe"
}

// flipped are values that are empty when one is not, and the other way round.
func flipped(value any) []any {
	switch value := value.(type) {
	case nil:
		return []any{true, "probe", 1.0, []any{"probe"}, map[string]any{"probe": "probe"}}
	case bool:
		return []any{!value}
	case string:
		if value == "" {
			return []any{"probe", true}
		}
		return []any{"", nil, false}
	}
	if n, ok := number(value); ok {
		if n == 0 {
			return []any{1.0}
		}
		return []any{0.0}
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Map:
		if v.Len() > 0 {
			return []any{nil}
		}
		return []any{withKey{"probe", "probe"}, withKey{"probe", map[string]any{"probe": "probe"}}}
	case reflect.Slice:
		if v.Len() > 0 {
			return []any{[]any{}, nil}
		}
		return []any{[]any{"probe"}, []any{map[string]any{"name": "probe"}}}
	}
	return nil
}

// number is a value as a number.
func number(value any) (float64, bool) {
	switch v := reflect.ValueOf(value); {
	case value == nil:
		return 0, false
	case v.CanInt():
		return float64(v.Int()), true
	case v.CanUint():
		return float64(v.Uint()), true
	case v.CanFloat():
		return v.Float(), true
	}
	return 0, false
}
