package surface

import (
	"fmt"
	"maps"
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

// arg is the argument i, nil when there is none; -1 is the last one.
func (c *call) arg(i int) value {
	if i < 0 {
		i += len(c.args)
	}
	if i < 0 || i >= len(c.args) {
		return nil
	}
	return c.args[i]
}

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
	add(calculated, "and", "or", "coalesce")
	add(defaulted, "default")
	add(ternary, "ternary")
	add(tested, "not", "empty", "all", "any", "deepEqual", "len", "kindOf", "typeOf")
	add(kindIs, "kindIs", "typeIs", "typeIsLike")
	add(compared, "eq", "ne")
	add(has, "has")
	add(hasKey, "hasKey")

	add(include, "include")
	add(tpl, "tpl")
	add(whole, "toYaml", "toYamlPretty", "toJson", "toPrettyJson", "toRawJson", "toToml")
	add(parsed, "fromYaml", "fromYamlArray", "fromJson", "fromJsonArray", "fromToml")
	add(layout, "nindent", "indent", "trim", "trimAll", "trimSuffix", "trimPrefix", "nospace", "quote", "squote",
		"toString", "print", "println", "printf", "cat", "upper", "lower", "replace", "regexReplaceAll",
		"regexReplaceAllLiteral", "wrap", "wrapWith", "html", "js", "urlquery")
	add(digest, "sha1sum", "sha256sum", "sha512sum", "adler32sum", "b64enc", "b32enc", "htpasswd", "bcrypt", "encryptAES")
	add(last, "required")
	add(nothing, "fail", "lookup")

	add(dict, "dict")
	add(set, "set")
	add(get, "get")
	add(index, "index")
	add(dig, "dig")
	add(pluck, "pluck")
	add(pick, "pick")
	add(copied, "omit", "deepCopy")
	add(first, "unset")
	add(merge, "merge", "mergeOverwrite")
	add(keys, "keys")
	add(values, "values")

	add(list, "list", "tuple")
	add(join, "join")
	add(elements, "first", "last")
	add(same, "rest", "initial", "reverse", "uniq", "compact", "sortAlpha", "slice", "without", "toStrings")
	add(appended, "append", "push", "prepend")
	add(concat, "concat")
	add(chunk, "chunk")
	return all
}

// scalar is a function that makes a scalar of scalars.
func scalar(c *call) value {
	out := &text{unknown: true}
	for _, arg := range c.args {
		t := c.print(arg)
		out.printed = out.printed.with(t.printed...)
		t.whole.visit(func(n *node) { out.printed = out.printed.with(n) })
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
		t := c.print(arg)
		out.printed = out.printed.with(t.printed...)
		out.whole = out.whole.with(t.whole...)
		out.words = out.words || t.words
	}
	switch c.name {
	case "nindent", "indent", "trim", "toString":
		// Only the layout of the last argument: no words come from the others.
		t := c.print(c.arg(-1))
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
	end := args[len(args)-1].(string)
	switch c.name {
	case "print":
		var all strings.Builder
		for _, arg := range args {
			all.WriteString(arg.(string))
		}
		return all.String(), true
	case "printf":
		format := args[0].(string)
		if strings.Count(format, "%") == strings.Count(format, "%s") {
			return fmt.Sprintf(format, args[1:]...), true
		}
	case "lower":
		return strings.ToLower(end), true
	case "upper":
		return strings.ToUpper(end), true
	}
	return "", false
}

// digest is a function whose result depends on a text that cannot be seen in
// it.
func digest(c *call) value {
	out := &text{unknown: true}
	for _, arg := range c.args {
		arg.visit(func(n *node) {
			n.read = true
			out.printed = out.printed.with(n)
		})
	}
	return value{out}
}

// tested is a function whose result depends on what its arguments are.
func tested(c *call) value {
	out := &text{unknown: true}
	for _, arg := range c.args {
		arg.direct(func(n *node) {
			n.read = true
			out.printed = out.printed.with(n)
		})
	}
	if c.name == "not" {
		decides(value{out})
	}
	return value{out}
}

// calculated is a function that gives one of its arguments.
func calculated(c *call) value {
	for _, arg := range c.args {
		decides(arg)
	}
	return union(c.args...)
}

func defaulted(c *call) value {
	decides(c.arg(-1))
	return union(c.args...)
}

func ternary(c *call) value {
	decides(c.arg(2))
	return union(c.arg(0), c.arg(1))
}

// readAs marks what is read as a value of a kind.
func readAs(v value, kind Kind) {
	v.direct(func(n *node) {
		n.kinds |= kind
		n.read = true
	})
}

func kindIs(c *call) value {
	known, _ := c.arg(0).strings()
	c.arg(1).direct(func(n *node) {
		n.read = true
		for _, kind := range known {
			switch {
			case kind == "map" || strings.HasPrefix(kind, "map["):
				n.kinds |= Map
			case kind == "slice" || strings.HasPrefix(kind, "[]"):
				n.kinds |= List
			case kind == "invalid":
			default:
				n.kinds |= Scalar
			}
		}
	})
	return tested(&call{c.frame, c.name, c.node, c.args[min(1, len(c.args)):]})
}

func compared(c *call) value {
	for i, arg := range c.args {
		for j, other := range c.args {
			known, _ := other.strings()
			if i == j {
				continue
			}
			arg.direct(func(n *node) {
				for _, text := range known {
					n.addCompared(text)
				}
			})
		}
	}
	return scalar(c)
}

func has(c *call) value {
	_, inside := ranged(c.arg(1))
	c.arg(1).direct(func(n *node) { n.kinds |= List })
	return compared(&call{c.frame, c.name, c.node, []value{c.arg(0), inside}})
}

func hasKey(c *call) value {
	found := c.below(c.arg(0), c.arg(1))
	decides(found)
	c.arg(0).direct(func(n *node) { n.kinds |= Map })
	out := &text{unknown: true}
	union(found, c.arg(0), c.arg(1)).direct(func(n *node) {
		n.read = true
		out.printed = out.printed.with(n)
	})
	return value{out}
}

func include(c *call) value {
	names, all := c.arg(0).strings()
	chooses(c.arg(0))
	if !all {
		c.note(c.at(), "the name of the template to include is not known")
	}
	var found value
	for _, name := range names {
		found = found.with(c.include(name, c.arg(1), c.at()))
	}
	return found
}

// tpl executes the templates that are known: literals, files, and the chart's
// own values. Whatever else is set there is written as it stands.
func tpl(c *call) value {
	out := &text{unknown: true}
	var sources []string
	known := false
	take := func(n *node) {
		known = true
		n.template, n.read = true, true
		out.whole = out.whole.with(n)
		sources = append(sources, templatesIn(n.def)...)
	}
	seen := map[any]bool{}
	var visit func(v value)
	visit = func(v value) {
		for _, atom := range v {
			switch a := atom.(type) {
			case literal:
				known = true
				sources = append(sources, string(a))
			case *text:
				known = known || a.words
				sources = append(sources, a.known...)
				a.printed.walk(seen, take, nil)
				a.whole.walk(seen, take, visitText(&visit))
			default:
				value{a}.walk(seen, take, visitText(&visit))
			}
		}
	}
	visit(c.arg(0))
	if !known {
		c.note(c.at(), "where the text that tpl executes comes from is not known")
	}
	at := c.at()
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
			if trees != nil {
				own := newFile(c.def.file.unit, name, at.File, source)
				own.fixed = &at
				define(c.definitions, trees, own, nil)
			}
		}
		if def, ok := c.definitions[name]; ok {
			written := c.execute(name, def, c.arg(1), at)
			out.printed = out.printed.with(written.printed...)
			out.whole = out.whole.with(written.whole...)
			out.words = out.words || written.words
		}
	}
	return value{out}
}

func visitText(visit *func(v value)) func(t *text) {
	return func(t *text) { (*visit)(value{t}) }
}

// templatesIn are the strings in a value that are templates.
func templatesIn(v any) []string {
	switch v := v.(type) {
	case string:
		if strings.Contains(v, "{{") {
			return []string{v}
		}
	case []any:
		var all []string
		for _, element := range v {
			all = append(all, templatesIn(element)...)
		}
		return all
	case map[string]any:
		var all []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			all = append(all, templatesIn(v[key])...)
		}
		return all
	}
	return nil
}

func whole(c *call) value {
	out := &text{unknown: true}
	for _, atom := range c.arg(-1) {
		switch a := atom.(type) {
		case *node:
			a.read = true
			out.whole = out.whole.with(a)
		case *text:
			out.printed = out.printed.with(a.printed...)
			out.whole = out.whole.with(a.whole...)
			out.words = out.words || a.words
		case literal:
			out.words = true
		default:
			out.whole = out.whole.with(a)
		}
	}
	return value{out}
}

// parsed is what is written in a text. A value that is alone in it is that
// value again; of any other text the parts stand for whatever is asked of it.
func parsed(c *call) value {
	var found value
	for _, atom := range c.arg(-1) {
		switch a := atom.(type) {
		case *text:
			if !a.words {
				found = found.with(a.whole...)
				if len(a.printed) > 0 {
					found = found.with(&text{printed: a.printed, unknown: true})
				}
				continue
			}
			found = found.with(a)
		case *node: // a text in the values
			a.kinds |= Scalar
			a.read = true
			found = found.with(a)
		}
	}
	return found
}

func last(c *call) value    { return c.arg(-1) }
func first(c *call) value   { return c.arg(0) }
func same(c *call) value    { return listOf(c, c.arg(-1), c.arg(0)) }
func nothing(c *call) value { scalar(c); return nil }

// listOf is the list among the arguments of a function: the last one in most,
// the first one in slice, without …
func listOf(c *call, last, first value) value {
	v := last
	if c.name == "slice" || c.name == "without" {
		v = first
	}
	v.direct(func(n *node) { n.read = true })
	return v
}

func dict(c *call) value {
	o := &object{}
	for i := 0; i < len(c.args); i += 2 {
		c.putInto(o, c.arg(i), c.arg(i+1))
	}
	return value{o}
}

// putInto sets a field of an object. An entry of a map that is set under its
// own key leaves the object like that map.
func (c *call) putInto(o *object, key, v value) {
	known, all := key.strings()
	for _, k := range known {
		o.put(k, v)
	}
	if all {
		return
	}
	for _, atom := range v {
		if n, ok := atom.(*node); ok && n.parent != nil && n.parent.elem == n && slices.Contains(key, any(keyOf{n.parent})) {
			o.like = o.like.with(n.parent)
			continue
		}
		o.any = o.any.with(atom)
	}
}

func set(c *call) value {
	known, all := c.arg(1).strings()
	for _, atom := range c.arg(0) {
		switch a := atom.(type) {
		case *object:
			c.putInto(a, c.arg(1), c.arg(2))
		case *node:
			c.changed = true
			if a.set == nil {
				a.set = map[string]value{}
			}
			for _, k := range known {
				a.set[k] = union(a.set[k], c.arg(2))
			}
			if !all {
				a.setAny = union(a.setAny, c.arg(2))
			}
		}
	}
	return c.arg(0)
}

// element is what is in a list at a place.
func element(v value, i int) value {
	if s, ok := single[*sequence](v); ok && i >= 0 && i < len(s.items) {
		return s.items[i]
	}
	v.direct(func(n *node) { n.read = true })
	_, elements := ranged(v)
	return elements
}

// below is what is in v under a key that an expression gives.
func (c *call) below(v, key value) value {
	known, all := key.strings()
	chooses(key)
	var found value
	for _, k := range known {
		if i, err := strconv.Atoi(k); err == nil {
			found = union(found, element(v, i))
			continue
		}
		found = union(found, c.field(v, k, c.at()))
	}
	if !all {
		_, elements := ranged(v)
		for _, atom := range elements {
			if n, ok := atom.(*node); ok {
				n.addSource(c.at())
			}
		}
		c.noteKey(v, key)
		found = union(found, elements)
	}
	return found
}

// chooses marks what is used as a key, or as the name of a template.
func chooses(key value) {
	key.direct(func(n *node) {
		n.kinds |= Scalar
		n.decides, n.read = true, true
	})
}

// noteKey notes a key that is put together. A key of a map of the values is
// no more than that: any key.
func (c *call) noteKey(v, key value) {
	for _, atom := range key {
		switch atom.(type) {
		case keyOf, *node, literal:
			continue
		}
		v.direct(func(n *node) {
			c.note(c.at(), "a key below %s is put together: any key counts", n)
		})
		return
	}
}

func get(c *call) value { return c.below(c.arg(0), c.arg(1)) }

func index(c *call) value {
	v := c.arg(0)
	for _, key := range c.args[min(1, len(c.args)):] {
		v = c.below(v, key)
	}
	return v
}

func dig(c *call) value {
	if len(c.args) < 3 {
		return nil
	}
	v := c.arg(-1)
	for _, key := range c.args[:len(c.args)-2] {
		v = c.below(v, key)
	}
	decides(v)
	return union(v, c.arg(-2))
}

func pluck(c *call) value {
	var all value
	for _, from := range c.args[min(1, len(c.args)):] {
		all = union(all, c.below(from, c.arg(0)))
	}
	return value{&sequence{elem: all}}
}

func pick(c *call) value {
	o := &object{}
	for _, key := range c.args[min(1, len(c.args)):] {
		known, all := key.strings()
		for _, k := range known {
			o.put(k, c.field(c.arg(0), k, c.at()))
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
	v.direct(func(n *node) { n.read = true })
	if c.name == "deepCopy" {
		v = c.arg(-1)
	}
	if _, ok := single[*sequence](v); ok {
		return v
	}
	return value{&object{like: v}}
}

// merge is the first argument, with what is in the others.
func merge(c *call) value {
	others := union(c.args[min(1, len(c.args)):]...)
	readAs(union(c.args...), Map)
	if len(c.arg(0)) == 0 {
		return value{&object{like: others}}
	}
	for _, atom := range c.arg(0) {
		switch a := atom.(type) {
		case *object:
			a.like = union(a.like, others)
		case *node:
			c.changed = true
			a.like = union(a.like, others)
		}
	}
	return union(c.arg(0), others)
}

func keys(c *call) value {
	var all value
	for _, arg := range c.args {
		names, _ := ranged(arg)
		readAs(arg, Map)
		all = union(all, names)
	}
	return value{&sequence{elem: all}}
}

func values(c *call) value {
	_, inside := ranged(c.arg(0))
	c.arg(0).direct(func(n *node) { n.read = true })
	return value{&sequence{elem: inside}}
}

func list(c *call) value {
	return value{&sequence{elem: union(c.args...), items: c.args}}
}

func elements(c *call) value {
	if s, ok := single[*sequence](c.arg(0)); ok && len(s.items) > 0 {
		if c.name == "first" {
			return s.items[0]
		}
		return s.items[len(s.items)-1]
	}
	return element(c.arg(0), -1)
}

func join(c *call) value {
	_, inside := ranged(c.arg(1))
	out := c.print(inside)
	c.arg(1).direct(func(n *node) {
		n.kinds |= List
		n.read = true
		out.printed = out.printed.with(n)
	})
	out.known, out.unknown = nil, true
	return value{out}
}

func appended(c *call) value {
	_, inside := ranged(c.arg(0))
	readAs(c.arg(0), List)
	return value{&sequence{elem: union(inside, c.arg(1))}}
}

func concat(c *call) value {
	var all value
	for _, arg := range c.args {
		_, inside := ranged(arg)
		readAs(arg, List)
		all = union(all, inside)
	}
	return value{&sequence{elem: all}}
}

func chunk(c *call) value { return value{&sequence{elem: c.arg(-1)}} }
