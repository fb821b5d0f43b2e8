package steer

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/probe/watch"
)

// undone are values of an argument with which a call may give what is wanted.
func undone(call watch.CallEvent, i int, want any) []any {
	text, isText := want.(string)
	other := func(j int) string {
		if j < len(call.Args) {
			if text, ok := call.Args[j].(string); ok {
				return text
			}
		}
		return ""
	}
	middle := func(added string) string { return text[:len(text)/2] + added + text[len(text)/2:] }
	switch function := functionOf(call); function {
	case "default", "coalesce", "required", "toString", "deepCopy", "uniq", "sortAlpha", "compact", "reverse", "concat", "toStrings":
		return []any{want}
	case "ternary":
		if i < 2 {
			return []any{want}
		}
		return flipped(call.Args[i])
	case "not", "empty":
		if (want == true) != (call.Result == true) {
			return flipped(call.Args[i])
		}
		return nil
	case "lower", "upper", "title", "untitle", "swapcase", "snakecase", "camelcase", "kebabcase":
		return []any{strings.ToUpper(text), strings.ToLower(text), capital(text), want}
	case "initials":
		return []any{strings.Join(strings.Split(text, ""), " ")}
	case "trim", "nospace", "cat":
		return []any{" " + text + " ", want}
	case "trimSuffix":
		return []any{text + other(0), want}
	case "trimPrefix":
		return []any{other(0) + text, want}
	case "trimAll":
		return []any{firstOf(other(0)) + text + firstOf(other(0)), want}
	case "replace":
		if isText && i == 2 {
			values := []any{middle(other(0))}
			if other(1) != "" {
				values = append(values, strings.ReplaceAll(text, other(1), other(0)))
			}
			return append(values, want)
		}
	case "regexReplaceAll", "regexReplaceAllLiteral":
		if isText && i == 1 {
			var values []any
			for _, sample := range Matches(other(0)) {
				values = append(values, middle(fmt.Sprint(sample)), sample)
			}
			return append(values, want)
		}
	case "trunc", "abbrev":
		return []any{text + "probe", want}
	case "substr":
		from, _ := number(call.Args[0])
		return []any{strings.Repeat("p", int(max(0, min(from, 100)))) + text + "probe", strings.Repeat("p", int(max(0, min(from, 100)))) + text}
	case "b64dec":
		return []any{base64.StdEncoding.EncodeToString([]byte(text))}
	case "b64enc":
		if plain, err := base64.StdEncoding.DecodeString(text); err == nil {
			return []any{string(plain)}
		}
		return nil
	case "fromJson", "fromYaml", "fromJsonArray", "fromYamlArray":
		if key, ok := want.(withKey); ok {
			return []any{inJSON(key.in(call.Result)), want}
		}
		return []any{inJSON(want)}
	case "fromToml":
		if key, ok := want.(withKey); ok {
			return []any{fmt.Sprintf("%s = %s\n", strings.Join(key.keys, "."), inJSON(key.value))}
		}
		return nil
	case "toJson", "toYaml", "toRawJson", "toPrettyJson":
		var value any
		for _, document := range []string{text, "{" + text + "}"} {
			if isText && yaml.Unmarshal([]byte(document), &value) == nil {
				if fields, ok := value.(map[string]any); ok {
					var all []any
					for _, key := range slices.Sorted(maps.Keys(fields)) {
						all = append(all, withKey{[]string{key}, fields[key]})
					}
					return all
				}
			}
		}
		return []any{want, value}
	case "splitList", "split":
		if items := itemsOf(want); len(items) > 0 {
			return []any{strings.Join(words(items), other(0))}
		}
	case "join":
		if isText && i == 1 {
			return []any{texts(strings.Split(text, other(0))), []any{text}, text}
		}
	case "first", "index", "last", "get", "pluck", "dig":
		return within(call, i, want)
	case "keys":
		var keys []any
		for _, key := range words(itemsOf(want)) {
			keys = append(keys, withKey{[]string{key}, "probe"})
		}
		return keys
	case "values":
		var keys []any
		for _, item := range itemsOf(want) {
			keys = append(keys, withKey{[]string{"probe"}, item})
		}
		return keys
	case "append", "push":
		if items := itemsOf(want); i == 0 && len(items) > 0 {
			return []any{items[:len(items)-1]}
		}
		return nil
	case "prepend":
		if items := itemsOf(want); i == 0 && len(items) > 0 {
			return []any{items[1:]}
		}
		return nil
	case "rest", "initial":
		if items := itemsOf(want); items != nil {
			return []any{slices.Concat([]any{"probe"}, items), slices.Concat(items, []any{"probe"})}
		}
		return nil
	case "regexSplit":
		if samples := Matches(other(0)); i == 1 && len(samples) > 0 {
			return []any{strings.Join(words(itemsOf(want)), fmt.Sprint(samples[0])), strings.Join(words(itemsOf(want)), fmt.Sprint(samples[1]))}
		}
	case "regexFindAll":
		if samples := Matches(other(0)); i == 1 && len(samples) > 0 {
			return []any{strings.TrimSpace(strings.Repeat(fmt.Sprint(samples[0])+" ", len(itemsOf(want)))), strings.Join(words(itemsOf(want)), " ")}
		}
	case "len":
		if n, ok := number(want); ok && n >= 0 && n < 100 {
			if _, isText := call.Args[i].(string); isText {
				return []any{strings.Repeat("p", int(n))}
			}
			items := []any{}
			for len(items) < int(n) {
				items = append(items, fmt.Sprintf("probe%d", len(items)))
			}
			return []any{items}
		}
		return flipped(call.Args[i])
	case "int", "int64", "float64", "atoi", "toDecimal", "floor", "ceil", "round":
		if _, isText := call.Args[i].(string); isText {
			return []any{fmt.Sprint(want), want}
		}
		return []any{want}
	case "add", "add1", "sub", "mul", "div", "mod", "max", "min":
		return calculated(call, i, want)
	case "kindOf", "typeOf":
		return ofKind(text)
	case "semver":
		return versions(text, other(0))
	case "sha256sum", "sha1sum", "adler32sum", "lookup":
		return nil
	}
	return inverse(call.Args[i], call.Result, want)
}

func ofKind(kind string) []any {
	for name, value := range map[string]any{"string": "probe", "bool": true, "float": 1.0, "map": map[string]any{"probe": "probe"}, "slice": []any{"probe"}, "[]": []any{"probe"}} {
		if strings.HasPrefix(kind, name) {
			return []any{value}
		}
	}
	return nil
}

func capital(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

func firstOf(text string) string {
	if text == "" {
		return ""
	}
	return text[:1]
}

func inJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(text)
}

func words(items []any) []string {
	var all []string
	for _, item := range items {
		all = append(all, fmt.Sprint(item))
	}
	return all
}

// within are collections in which what is looked up is what is wanted, and keys
// under which it is.
func within(call watch.CallEvent, i int, want any) []any {
	var all []any
	for j, arg := range call.Args {
		if j == i {
			continue
		}
		if v := reflect.ValueOf(arg); v.Kind() == reflect.Map {
			for _, key := range v.MapKeys() {
				if reflect.DeepEqual(v.MapIndex(key).Interface(), want) {
					all = append(all, key.String())
				}
			}
		}
		for n, item := range itemsOf(arg) {
			if reflect.DeepEqual(item, want) {
				all = append(all, float64(n))
			}
		}
	}
	if keys := keysOf(call, i); len(keys) > 0 {
		all = append(all, withKey{keys, want})
	}
	if list := itemsOf(call.Args[i]); list != nil || call.Site.Function == "first" || call.Site.Function == "last" {
		at := 0
		if call.Site.Function == "last" {
			at = max(0, len(list)-1)
		} else if n, ok := number(call.Args[len(call.Args)-1]); ok && i == 0 {
			at = int(max(0, min(n, 99)))
		}
		for len(list) <= at && at < 100 {
			list = append(list, "probe")
		}
		list[at] = want
		all = append(all, list)
	}
	return all
}

// calculated are numbers with which a sum, a product and the like is the one that
// is wanted.
func calculated(call watch.CallEvent, i int, want any) []any {
	wanted, isNumber := number(want)
	result, _ := number(call.Result)
	now, ok := number(call.Args[i])
	if !isNumber || !ok {
		return nil
	}
	values := []any{wanted - (result - now), now - (wanted - result), wanted}
	if result != 0 {
		values = append(values, float64(int(wanted*now/result)))
	}
	other := 1.0
	for j, arg := range call.Args {
		if n, ok := number(arg); ok && j != i {
			other = n
		}
	}
	return append(values, wanted*other)
}

// inverse are what a value may be made into so that what is made of it becomes
// what is wanted: the rest of a text around it stays.
func inverse(leaf, made, want any) []any {
	text, isText := want.(string)
	before, _ := made.(string)
	var all []any
	if part, ok := leaf.(string); ok && before != "" && before != part && strings.Contains(part, before) {
		all = append(all, strings.Replace(part, before, fmt.Sprint(want), 1))
	}
	if isText && before != "" {
		if part, ok := leaf.(string); ok && part != "" {
			for _, form := range []string{part, strings.ToLower(part), strings.ToUpper(part)} {
				if start, end, ok := strings.Cut(before, form); ok && strings.HasPrefix(text, start) && strings.HasSuffix(text[len(start):], end) {
					all = append(all, text[len(start):len(text)-len(end)])
				}
			}
		} else {
			start := 0
			for start < len(text) && start < len(before) && text[start] == before[start] {
				start++
			}
			if end := before[start:]; strings.HasSuffix(text[start:], end) {
				all = append(all, text[start:len(text)-len(end)])
			}
		}
	}
	if isText {
		if _, isText := leaf.(string); !isText {
			if n, err := strconv.ParseFloat(text, 64); err == nil {
				all = append(all, n)
			}
			if b, err := strconv.ParseBool(text); err == nil {
				all = append(all, b)
			}
		}
	}
	if _, isKey := want.(withKey); isKey {
		return all
	}
	if _, isNumber := number(made); isNumber && want != nil {
		n, _ := number(want)
		all = append(all, want, n+1, n-1, fmt.Sprintf("%v.0.0", n), fmt.Sprintf("0.%v.0", n), fmt.Sprint(n))
	}
	return append(all, want)
}

var version = regexp.MustCompile(`[0-9]+(\.[0-9]+)*`)

// versions are those of a constraint, and those beside them.
func versions(constraint, now string) []any {
	prefix := ""
	if strings.HasPrefix(now, "v") {
		prefix = "v"
	}
	all := []any{}
	for _, found := range version.FindAllString(constraint, 3) {
		var parts [3]int
		for i, part := range strings.SplitN(found, ".", 3) {
			parts[i], _ = strconv.Atoi(strings.TrimSuffix(part, "."))
		}
		for _, change := range [][3]int{{0, 0, 0}, {0, 1, 0}, {0, -1, 0}, {1, 0, 0}, {-1, 0, 0}, {0, 0, 1}, {0, 0, -1}} {
			a, b, c := parts[0]+change[0], parts[1]+change[1], parts[2]+change[2]
			if a >= 0 && b >= 0 && c >= 0 {
				all = append(all, fmt.Sprintf("%s%d.%d.%d", prefix, a, b, c))
			}
		}
	}
	return append(all, prefix+"0.0.0", prefix+"999.0.0")
}

// Matches are texts that a pattern matches; none when it is no pattern.
func Matches(pattern string) []any {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil
	}
	tree = tree.Simplify()
	return []any{match(tree, 0), match(tree, 1)}
}

// match is a text that a pattern matches: of several, the first or another.
func match(tree *syntax.Regexp, choice int) string {
	var b strings.Builder
	switch tree.Op {
	case syntax.OpLiteral:
		return string(tree.Rune)
	case syntax.OpCharClass:
		if len(tree.Rune) > 0 {
			at := 2 * (choice * (len(tree.Rune)/2 - 1))
			return string(tree.Rune[min(at, len(tree.Rune)-2)])
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "p"
	case syntax.OpCapture, syntax.OpPlus:
		return match(tree.Sub[0], choice)
	case syntax.OpStar, syntax.OpQuest:
		if choice > 0 {
			return match(tree.Sub[0], choice)
		}
	case syntax.OpRepeat:
		for range max(1, tree.Min) {
			b.WriteString(match(tree.Sub[0], choice))
		}
	case syntax.OpConcat:
		for _, sub := range tree.Sub {
			b.WriteString(match(sub, choice))
		}
	case syntax.OpAlternate:
		return match(tree.Sub[choice*(len(tree.Sub)-1)], choice)
	}
	return b.String()
}
