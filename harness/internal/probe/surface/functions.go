package surface

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"
)

// A function tells what a template function makes of its arguments, and marks
// the places in them.
type function func(c *call) value

// A call is a call of a function in a template.
type call struct {
	*frame
	name string
	node parse.Node
	args []value
}

func (c *call) at() Source { return c.here(c.node) }

// arg is the argument i, nil when there is none.
func (c *call) arg(i int) value {
	if i < 0 || i >= len(c.args) {
		return nil
	}
	return c.args[i]
}

func (c *call) last() value { return c.arg(len(c.args) - 1) }

// after are the arguments after the first ones.
func (c *call) after(first int) []value { return c.args[min(first, len(c.args)):] }

func (f *frame) call(n *parse.IdentifierNode, args []value) value {
	c := &call{frame: f, name: plain(n.Ident), node: n, args: args}
	if function, ok := f.functions[c.name]; ok {
		return function(c)
	}
	return scalar(c)
}

// plain is a function's name without the prefix of those that fail instead of
// giving nothing: mustToYaml is toYaml.
func plain(name string) string {
	rest, ok := strings.CutPrefix(name, "must")
	if !ok || rest == "" {
		return name
	}
	return strings.ToLower(rest[:1]) + rest[1:]
}

// functions are those that do more than make a scalar of scalars.
func functions() map[string]function {
	all := map[string]function{}
	add := func(f function, names ...string) {
		for _, name := range names {
			all[name] = f
		}
	}
	add(chosen, "and", "or", "coalesce", "default", "ternary")
	add(tested, "not", "empty", "all", "any", "deepEqual", "len", "kindOf", "typeOf", "kindIs", "typeIs", "typeIsLike")
	add(compared, "eq", "ne", "has")
	add(hasKey, "hasKey")

	add(include, "include")
	add(tpl, "tpl")
	add(whole, "toYaml", "toYamlPretty", "toJson", "toPrettyJson", "toRawJson", "toToml")
	add(parsed, "fromYaml", "fromYamlArray", "fromJson", "fromJsonArray", "fromToml")
	add(layout, "nindent", "indent", "trim", "trimAll", "trimSuffix", "trimPrefix", "nospace", "quote", "squote",
		"toString", "print", "println", "printf", "cat", "upper", "lower", "replace", "regexReplaceAll",
		"regexReplaceAllLiteral", "wrap", "wrapWith", "html", "js", "urlquery")
	add(digest, "sha1sum", "sha256sum", "sha512sum", "adler32sum", "b64enc", "b32enc", "htpasswd", "bcrypt", "encryptAES")
	add((*call).last, "required")
	add(func(c *call) value { scalar(c); return nil }, "fail", "lookup")

	add(dict, "dict")
	add(set, "set")
	add(get, "get", "index")
	add(dig, "dig")
	add(pluck, "pluck")
	add(pick, "pick")
	add(copied, "omit", "deepCopy")
	add(func(c *call) value { return c.arg(0) }, "unset")
	add(merge, "merge", "mergeOverwrite")
	add(keys, "keys")
	add(values, "values")

	add(func(c *call) value { return value{&sequence{elem: union(c.args...), items: c.args}} }, "list", "tuple")
	add(join, "join")
	add(element, "first", "last")
	add(same, "rest", "initial", "reverse", "uniq", "compact", "sortAlpha", "slice", "without", "toStrings")
	add(concat, "concat", "append", "push", "prepend")
	add(func(c *call) value { return listOf(c.last()) }, "chunk")
	return all
}

// dependent is a text that depends on places, which cannot be seen in it.
func dependent(v value, far reach, marks Kind) value {
	out := &text{unknown: true}
	v.places(far, func(n *node) {
		n.marks |= marks
		out.printed = with(out.printed, any(n))
	})
	return value{out}
}

// scalar is a function that makes a scalar of scalars.
func scalar(c *call) value {
	out := &text{unknown: true}
	for _, arg := range c.args {
		t := arg.print()
		out.printed = with(out.printed, t.printed...)
		t.whole.places(deep, func(n *node) { out.printed = with(out.printed, any(n)) })
	}
	return value{out}
}

// layout is a function that lays a text out anew; what is in it stays.
func layout(c *call) value {
	if known, ok := c.fold(); ok {
		return value{literal(known)}
	}
	out := &text{unknown: true}
	for _, arg := range c.args {
		out.add(arg.print())
	}
	switch c.name {
	case "nindent", "indent", "trim", "toString":
		// Only the layout of the last argument: no words come from the others.
		t := c.last().print()
		out.words = t.words
		if c.name == "toString" || c.name == "trim" {
			for _, known := range t.known {
				out.known = append(out.known, strings.TrimSpace(known))
			}
			out.unknown = t.unknown
		}
	}
	return value{out}
}

// fold calls the functions that put names together, when all arguments are
// known.
func (c *call) fold() (string, bool) {
	var args []any
	for _, arg := range c.args {
		known, all := arg.strings()
		if !all || len(known) != 1 {
			return "", false
		}
		args = append(args, known[0])
	}
	if len(args) == 0 {
		return "", false
	}
	switch c.name {
	case "print":
		return fmt.Sprintf(strings.Repeat("%s", len(args)), args...), true
	case "printf":
		format := args[0].(string)
		return fmt.Sprintf(format, args[1:]...), strings.Count(format, "%") == strings.Count(format, "%s")
	}
	return "", false
}

// digest is a function whose result depends on a text that cannot be seen in
// it.
func digest(c *call) value { return dependent(union(c.args...), deep, read) }

// tested is a function whose result depends on what its arguments are.
func tested(c *call) value {
	marks := read
	args := c.args
	switch c.name {
	case "not":
		marks |= decides
	case "kindIs", "typeIs", "typeIsLike":
		known, _ := c.arg(0).strings()
		args = c.after(1)
		for _, kind := range known {
			switch {
			case kind == "map" || strings.HasPrefix(kind, "map["):
				marks |= Map
			case kind == "slice" || strings.HasPrefix(kind, "[]"):
				marks |= List
			case kind != "invalid":
				marks |= Scalar
			}
		}
	}
	return dependent(union(args...), direct, marks)
}

// chosen is a function that gives one of its arguments.
func chosen(c *call) value {
	deciding, given := c.args, c.args
	switch c.name {
	case "default":
		deciding = []value{c.last()}
	case "ternary":
		deciding, given = c.after(2), c.args[:min(2, len(c.args))]
	}
	union(deciding...).mark(decides | read)
	return union(given...)
}

// compared is a function that compares scalars, or a scalar with the elements of
// a list.
func compared(c *call) value {
	if c.name == "has" {
		_, elements := c.arg(1).ranged()
		c.arg(1).mark(List)
		c = &call{c.frame, c.name, c.node, []value{c.arg(0), elements}}
	}
	for i, arg := range c.args {
		for j, other := range c.args {
			if known, _ := other.strings(); i != j {
				arg.places(direct, func(n *node) { n.compared = with(n.compared, known...) })
			}
		}
	}
	return scalar(c)
}

func hasKey(c *call) value {
	found := c.below(c.arg(0), c.arg(1))
	found.mark(decides)
	c.arg(0).mark(Map)
	return dependent(union(found, c.arg(0), c.arg(1)), direct, read)
}

func include(c *call) value {
	names, all := c.arg(0).strings()
	c.arg(0).mark(Scalar | decides | read)
	if !all {
		c.note(c.at(), "the name of the template to include is not known")
	}
	var found value
	for _, name := range names {
		found = with(found, any(c.include(name, c.arg(1), c.at())))
	}
	return found
}

// tpl executes the templates that are known: literals, files, and the chart's
// own values. Whatever else is set there is written as it stands.
func tpl(c *call) value {
	out := &text{unknown: true}
	var sources []string
	known := false
	c.arg(0).walk(deep, func(atom any) {
		switch a := atom.(type) {
		case literal:
			known = true
			sources = append(sources, string(a))
		case *text:
			known = known || a.words
			sources = append(sources, a.known...)
		case *node:
			known = true
			a.marks |= isTemplate | read
			out.whole = with(out.whole, any(a))
			sources = append(sources, textsIn(a.def)...)
		}
	})
	at := c.at()
	if !known {
		c.note(at, "where the text that tpl executes comes from is not known")
	}
	for _, source := range sources {
		if !strings.Contains(source, "{{") {
			continue
		}
		name := "tpl " + source
		if _, ok := c.parsed[source]; !ok {
			trees, err := parseTemplate(name, source)
			if err != nil {
				c.note(at, "tpl: %v", err)
			}
			c.parsed[source] = trees
			own := newFile(c.def.file.unit, name, at.File, source)
			own.fixed = &at
			c.define(trees, own, nil)
		}
		if def, ok := c.definitions[name]; ok {
			out.add(c.execute(name, def, c.arg(1), at))
		}
	}
	return value{out}
}

// textsIn are the texts in a value.
func textsIn(v any) []string {
	var all []string
	switch v := v.(type) {
	case string:
		all = []string{v}
	case []any:
		for _, element := range v {
			all = append(all, textsIn(element)...)
		}
	case map[string]any:
		for _, key := range sortedKeys(v) {
			all = append(all, textsIn(v[key])...)
		}
	}
	return all
}

func whole(c *call) value {
	out := &text{unknown: true}
	for _, atom := range c.last() {
		switch a := atom.(type) {
		case *text:
			out.add(a)
		case literal:
			out.words = true
		default:
			if n, ok := a.(*node); ok {
				n.marks |= read
			}
			out.whole = with(out.whole, a)
		}
	}
	return value{out}
}

// parsed is what is written in a text. A value that is alone in it is that
// value again; of any other text the parts stand for whatever is asked of it.
func parsed(c *call) value {
	var found value
	for _, atom := range c.last() {
		switch a := atom.(type) {
		case *text:
			if a.words {
				found = with(found, any(a))
				continue
			}
			found = with(found, a.whole...)
			if len(a.printed) > 0 {
				found = with(found, any(&text{printed: a.printed, unknown: true}))
			}
		case *node: // a text in the values
			a.marks |= Scalar | read
			found = with(found, any(a))
		}
	}
	return found
}

// same is the list among the arguments of a function: the last one in most, the
// first one in slice and without.
func same(c *call) value {
	v := c.last()
	if c.name == "slice" || c.name == "without" {
		v = c.arg(0)
	}
	v.mark(read)
	return v
}

func dict(c *call) value {
	o := &object{}
	for i := 0; i < len(c.args); i += 2 {
		o.put(c.arg(i), c.arg(i+1))
	}
	return value{o}
}

func set(c *call) value {
	for _, atom := range c.arg(0) {
		switch a := atom.(type) {
		case *object:
			a.put(c.arg(1), c.arg(2))
		case *node:
			c.changed = true
			a.written.put(c.arg(1), c.arg(2))
		}
	}
	return c.arg(0)
}

// at is what is in a list at an index; any element when that is not known.
func (v value) at(i int) value {
	if s, ok := single[*sequence](v); ok && i >= 0 && i < len(s.items) {
		return s.items[i]
	}
	v.mark(read)
	_, elements := v.ranged()
	return elements
}

func element(c *call) value {
	i := 0
	if s, ok := single[*sequence](c.arg(0)); ok && c.name == "last" {
		i = len(s.items) - 1
	}
	return c.arg(0).at(i)
}

// below is what is in v under a key that an expression gives.
func (c *call) below(v, key value) value {
	known, all := key.strings()
	key.mark(Scalar | decides | read)
	var found value
	for _, k := range known {
		if i, err := strconv.Atoi(k); err == nil {
			found = union(found, v.at(i))
		} else {
			found = union(found, c.field(v, k, c.at()))
		}
	}
	if all {
		return found
	}
	_, elements := v.ranged()
	for _, atom := range elements {
		if n, ok := atom.(*node); ok {
			n.addSource(c.at())
		}
	}
	// A key of a map of the values is no more than that: any key.
	if slices.ContainsFunc(key, isPutTogether) {
		v.places(direct, func(n *node) {
			c.note(c.at(), "a key below %s is put together: any key counts", n)
		})
	}
	return union(found, elements)
}

func isPutTogether(atom any) bool {
	switch atom.(type) {
	case keyOf, *node, literal:
		return false
	}
	return true
}

func get(c *call) value {
	v := c.arg(0)
	for _, key := range c.after(1) {
		v = c.below(v, key)
	}
	return v
}

func dig(c *call) value {
	if len(c.args) < 3 {
		return nil
	}
	keys, missing, v := c.args[:len(c.args)-2], c.args[len(c.args)-2], c.last()
	for _, key := range keys {
		v = c.below(v, key)
	}
	v.mark(decides | read)
	return union(v, missing)
}

func listOf(elem value) value { return value{&sequence{elem: elem}} }

func pluck(c *call) value {
	var all value
	for _, from := range c.after(1) {
		all = union(all, c.below(from, c.arg(0)))
	}
	return listOf(all)
}

func pick(c *call) value {
	o := &object{}
	for _, key := range c.after(1) {
		known, all := key.strings()
		for _, k := range known {
			o.put(value{literal(k)}, c.field(c.arg(0), k, c.at()))
		}
		if !all {
			o.like = union(o.like, c.arg(0))
		}
	}
	return value{o}
}

// copied is a copy: what is set in it is not set in the values.
func copied(c *call) value {
	v := c.arg(0)
	v.mark(read)
	if _, ok := single[*sequence](v); ok {
		return v
	}
	return value{&object{entries{like: v}}}
}

// merge is the first argument, with what is in the others.
func merge(c *call) value {
	others := union(c.after(1)...)
	union(c.args...).mark(Map | read)
	if len(c.arg(0)) == 0 {
		return value{&object{entries{like: others}}}
	}
	for _, atom := range c.arg(0) {
		switch a := atom.(type) {
		case *object:
			a.like = union(a.like, others)
		case *node:
			c.changed = true
			a.written.like = union(a.written.like, others)
		}
	}
	return union(c.arg(0), others)
}

func keys(c *call) value {
	names, _ := union(c.args...).ranged()
	union(c.args...).mark(Map | read)
	return listOf(names)
}

func values(c *call) value {
	_, elements := c.arg(0).ranged()
	c.arg(0).mark(read)
	return listOf(elements)
}

func join(c *call) value {
	_, elements := c.arg(1).ranged()
	out := elements.print()
	out.add(dependent(c.arg(1), direct, List|read)[0].(*text))
	out.known, out.unknown = nil, true
	return value{out}
}

// concat is a list with the elements of others, or with one more.
func concat(c *call) value {
	lists := c.args
	var more value
	if c.name != "concat" {
		lists, more = c.args[:min(1, len(c.args))], c.arg(1)
	}
	_, elements := union(lists...).ranged()
	union(lists...).mark(List | read)
	return listOf(union(elements, more))
}
