// Package steer reads the trace of a rendering and says what to set so that the
// next one goes another way: in goes what functions were called with and what
// branches went by, out come places with values. It renders nothing, and promises
// nothing: who tries a value sees what comes of it.
package steer

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"reflect"
	"regexp"
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
	// Goal is true when it is for a goal, not for a site.
	Goal bool
	// With is what must be set with it.
	With []Suggestion
}

// withKey asks a map for a value under some keys, one below the other.
type withKey struct {
	keys  []string
	value any
}

// in puts the value into a map, of which a copy is given back.
func (w withKey) in(collection any) map[string]any {
	fields, _ := collection.(map[string]any)
	with := maps.Clone(fields)
	if with == nil {
		with = map[string]any{}
	}
	if len(w.keys) > 1 {
		with[w.keys[0]] = withKey{w.keys[1:], w.value}.in(with[w.keys[0]])
	} else {
		with[w.keys[0]] = w.value
	}
	return with
}

// reader reads one trace.
type reader struct {
	chart *watch.Chart
	trace *watch.Trace
	site  int
	goal  bool
	found []Suggestion
	seen  map[string]bool
}

// deepest bounds through how many functions a value is followed back.
const deepest = 5

// Read gives suggestions for the calls and branches that open tells to be worth
// it. Goals are values that are wished to be written: for each function that makes
// something else of a place's value, what becomes a goal by it.
func Read(chart *watch.Chart, trace *watch.Trace, goals []string, open func(site *watch.Site, under int, result any) bool) []Suggestion {
	r := &reader{chart: chart, trace: trace, seen: map[string]bool{}}
	for _, test := range trace.Tests {
		if !open(test.Site, test.Under, test.Taken) {
			continue
		}
		r.site = test.Site.ID
		for _, want := range flipped(test.Value) {
			r.value(test.Value, test.Origins, want, len(trace.Calls), 0)
		}
	}
	for n, call := range trace.Calls {
		if !open(call.Site, call.Under, call.Result) {
			continue
		}
		r.site = call.Site.ID
		if call.Site.Function == "APIVersions.Has" && len(call.Args) == 1 {
			r.add(watch.APIVersions, call.Args[0])
		}
		r.together(call)
		for i, origins := range call.Origins {
			if len(origins) == 0 {
				continue
			}
			for _, want := range r.wants(call, i) {
				r.value(call.Args[i], origins, want, n, 0)
			}
			if text, ok := call.Result.(string); ok && text != call.Args[i] && len(text) < 200 {
				r.goal = true
				for _, goal := range goals {
					for _, want := range undone(call, i, goal) {
						r.value(call.Args[i], origins, want, n, 0)
					}
				}
				r.goal = false
			}
		}
	}
	return r.found
}

func (r *reader) add(place watch.Place, value any) {
	value = plain(value)
	text, err := json.Marshal(value)
	if key := string(place) + "=" + string(text); err == nil && place != "" && place != watch.Lookup && !r.seen[key] {
		r.seen[key] = true
		r.found = append(r.found, Suggestion{Place: place, Value: value, Site: r.site, Goal: r.goal})
	}
}

// together suggests values for several arguments of a call at once, where none by
// itself makes a difference.
func (r *reader) together(call watch.CallEvent) {
	var own []int
	for i, origins := range call.Origins {
		if len(origins) == 1 && (origins[0].Exact || len(call.Args[i:]) > 0 && !origins[0].Key) && origins[0].Place != "" && origins[0].Place.IsValue() {
			own = append(own, i)
		}
	}
	if len(own) < 2 {
		return
	}
	set := func(values map[int]any) {
		var all []Suggestion
		for _, i := range own {
			if value, ok := values[i]; ok {
				all = append(all, Suggestion{Place: call.Origins[i][0].Place, Value: plain(value), Site: r.site})
			}
		}
		if len(all) > 1 {
			all[0].With = all[1:]
			r.found = append(r.found, all[0])
		}
	}
	switch function := functionOf(call); function {
	case "dig", "index":
		collection := call.Args[0]
		keys := call.Args[1:]
		first := 1
		if function == "dig" {
			collection, keys, first = call.Args[len(call.Args)-1], call.Args[:len(call.Args)-2], 0
		}
		for _, path := range pathsIn(collection, len(keys)) {
			values := map[int]any{}
			for n, key := range path {
				values[first+n] = key
			}
			set(values)
		}
	case "printf", "cat":
		// What compares the text comes later.
		for _, later := range r.trace.Calls {
			if functionOf(later) != "eq" && functionOf(later) != "ne" && functionOf(later) != "get" && functionOf(later) != "index" && functionOf(later) != "hasKey" {
				continue
			}
			for i, arg := range later.Args {
				if arg != call.Result {
					continue
				}
				for _, want := range r.wants(later, i) {
					if text, ok := want.(string); ok {
						set(r.parts(call, text))
					}
				}
			}
		}
	default:
		if _, ok := call.Result.(bool); ok {
			values := map[int]any{}
			for _, i := range own {
				if flipped := flipped(call.Args[i]); len(flipped) > 0 {
					values[i] = flipped[0]
				}
			}
			set(values)
		}
	}
}

// parts are the arguments with which a text is put together as it is wanted.
func (r *reader) parts(call watch.CallEvent, want string) map[int]any {
	pattern, first := "%s"+strings.Repeat(" %s", len(call.Args)-1), 0
	if functionOf(call) == "printf" {
		pattern, _ = call.Args[0].(string)
		first = 1
	}
	expression := verb.ReplaceAllString(regexp.QuoteMeta(pattern), "(.*?)")
	compiled, err := regexp.Compile(`(?s)\A` + expression + `\z`)
	if err != nil {
		return nil
	}
	values := map[int]any{}
	for n, part := range compiled.FindStringSubmatch(want) {
		if i := first + n - 1; n > 0 && i < len(call.Args) {
			values[i] = part
		}
	}
	return values
}

var verb = regexp.MustCompile(`%[sdvq]`)

// pathsIn are the keys of the maps in a map, one below the other.
func pathsIn(collection any, length int) [][]string {
	fields, ok := collection.(map[string]any)
	if !ok || length == 0 {
		return nil
	}
	var all [][]string
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		if length == 1 {
			all = append(all, []string{key})
			continue
		}
		for _, path := range pathsIn(fields[key], length-1) {
			all = append(all, append([]string{key}, path...))
		}
	}
	return all[:min(len(all), 50)]
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
		at, there := watch.At(r.trace.Values, origin.Place)
		key, isKey := want.(withKey)
		switch {
		case isKey:
			if origin.Exact || !r.back(now, origin, want, n, depth) {
				place := origin.Place
				for _, key := range key.keys {
					place = place.Key(key)
				}
				r.add(place, key.value)
			}
		case origin.Key && origin.Exact:
			keys := origin.Place.Keys()
			if text, ok := want.(string); ok && text != "" && text != "true" {
				r.add(watch.PlaceOf(keys[:len(keys)-1]...).Key(text), at)
			}
		case origin.Exact || there && reflect.DeepEqual(at, now):
			r.add(origin.Place, want)
			r.back(now, origin, want, n, depth)
		default:
			if !r.back(now, origin, want, n, depth) {
				for _, value := range inverse(at, now, want) {
					r.add(origin.Place, value)
				}
			}
			if !there && origin.Place.IsValue() {
				r.inText(origin.Place, now, want)
			}
		}
	}
}

// inText suggests a text in which something is read, such as a document or a URL,
// with what is wanted in the place of what is there.
func (r *reader) inText(place watch.Place, now, want any) {
	keys := place.Keys()
	for n := len(keys) - 1; n > 0; n-- {
		leaf := watch.PlaceOf(keys[:n]...)
		at, _ := watch.At(r.trace.Values, leaf)
		text, ok := at.(string)
		if !ok {
			continue
		}
		if part, ok := now.(string); ok && part != "" && strings.Contains(text, part) {
			r.add(leaf, strings.Replace(text, part, fmt.Sprint(want), 1))
		}
		if slices.ContainsFunc(r.trace.Calls, func(c watch.CallEvent) bool { return functionOf(c) == "fromToml" }) {
			r.add(leaf, fmt.Sprintf("%s = %s\n", strings.Join(keys[n:], "."), inJSON(want)))
		}
		return
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

// functionOf is the function that is called, without the word that makes it fail.
func functionOf(call watch.CallEvent) string {
	name, ok := strings.CutPrefix(call.Site.Function, "must")
	if ok && name != "" {
		return strings.ToLower(name[:1]) + name[1:]
	}
	return call.Site.Function
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
	switch function := functionOf(call); function {
	case "eq", "ne", "eqFold":
		if n, ok := number(now); ok {
			others = append(others, n+0.5)
		}
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
		list := itemsOf(now)
		with := append(slices.Clone(list), first())
		without := slices.DeleteFunc(slices.Clone(list), func(item any) bool { return reflect.DeepEqual(item, first()) })
		return []any{with, without}
	case "hasKey", "get", "index", "pluck", "dig", "slice":
		return keyed(call, i)
	case "contains", "hasPrefix", "hasSuffix":
		switch {
		case i == 0:
			return []any{first(), "probe"}
		case function == "hasPrefix":
			return []any{text + own, text, "probe"}
		}
		return []any{own + text, text, "probe"}
	case "regexMatch", "regexFind", "regexFindAll":
		if i == 1 {
			return append(Matches(text), "probe", "")
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
		all := texts(r.chart.Files)
		if functionOf(call) == "Files.Glob" {
			for _, file := range r.chart.Files {
				all = append(all, path.Dir(file)+"/"+path.Base(fmt.Sprint(now)))
			}
		}
		return all
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
		if v := reflect.ValueOf(collection); v.Kind() == reflect.Map {
			for _, key := range v.MapKeys() {
				all = append(all, key.String())
			}
		}
		slices.SortFunc(all, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		return append(all, "probe")
	}
	path := keysOf(call, i)
	if len(path) == 0 {
		return all
	}
	at := collection
	for _, key := range path {
		fields, _ := at.(map[string]any)
		at = fields[key]
	}
	if at != nil {
		all = append(all, withKey{path, nil})
	}
	return append(all, withKey{path, true}, withKey{path, "probe"}, withKey{path, map[string]any{"probe": "probe"}})
}

// keysOf are the keys that a call looks up, one below the other, in its ith
// argument.
func keysOf(call watch.CallEvent, i int) []string {
	var keys []string
	for j, arg := range call.Args {
		key, ok := arg.(string)
		if ok && j != i && !(call.Site.Function == "dig" && j == len(call.Args)-2) {
			keys = append(keys, key)
		}
	}
	return keys
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
		return []any{withKey{[]string{"probe"}, "probe"}, withKey{[]string{"probe"}, map[string]any{"probe": "probe"}}}
	case reflect.Slice:
		if v.Len() > 0 {
			return []any{[]any{}, nil}
		}
		return []any{[]any{"probe"}, []any{map[string]any{"name": "probe", "image": "probe:1"}}, []any{map[string]any{"name": "probe"}}}
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
