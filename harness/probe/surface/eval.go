package surface

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"
)

// A machine executes templates with places instead of values: it takes every
// branch, and marks at the places what is done with them.
type machine struct {
	definitions map[string]definition
	functions   map[string]function
	file        string // being rendered
	units       []*unit
	users       map[*unit]map[string]bool // files that execute templates of a chart, or look whether it is there
	stack       []string                  // templates being executed
	steps       int
	changed     bool // a template changed the values, or what all templates see
	notes       map[string]bool
	parsed      map[string]map[string]*parse.Tree // templates that stand in values
	turns       map[*parse.RangeNode]int
}

const (
	// deepest is how often a template can be inside itself before its argument
	// counts as written whole.
	deepest = 3
	// mostSteps is far above what real charts need (up to 72,000).
	mostSteps = 300_000
)

// A frame is the execution of one template.
type frame struct {
	*machine
	def       definition
	dollar    value
	variables []variable
}

type variable struct {
	name  string
	value *value
}

func (m *machine) note(at Source, format string, args ...any) {
	m.notes[fmt.Sprintf("%s:%d: %s", at.File, at.Line, fmt.Sprintf(format, args...))] = true
}

// execute gives what the template writes for dot. The verdict of a chart guard on
// what other templates write can be any text, where the guard asks for it.
func (m *machine) execute(name string, def definition, dot value, from Source) *text {
	if def.verdict && from.File == def.file.shown {
		return &text{unknown: true}
	}
	inside := 0
	for _, n := range m.stack {
		if n == name {
			inside++
		}
	}
	if inside >= deepest || m.steps > mostSteps {
		if m.steps > mostSteps {
			m.note(from, "the templates are too large to be followed to the end")
		} else if within := len(m.stack) > 0; within && hasPlaces(dot) {
			m.note(from, "the template %q contains itself: it is followed %d times, and what it is given below that counts as written whole", name, deepest)
		}
		dot.visit(func(n *node) { n.read = true })
		return &text{whole: dot, unknown: true}
	}
	m.uses(def.file.unit)
	m.stack = append(m.stack, name)
	defer func() { m.stack = m.stack[:len(m.stack)-1] }()
	f := &frame{machine: m, def: def, dollar: dot}
	f.declare("$", dot)
	out := newText("")
	f.walk(def.tree.Root, dot, out)
	size := len(out.printed) + len(out.whole)
	m.steps += size * size / 50 // what it costs to go on with that much
	return out
}

// uses remembers that what is being rendered depends on a chart being there.
func (m *machine) uses(u *unit) {
	if m.users[u] == nil {
		m.users[u] = map[string]bool{}
	}
	m.users[u][m.file] = true
}

func hasPlaces(v value) (has bool) {
	v.direct(func(*node) { has = true })
	return has
}

func (f *frame) declare(name string, v value) {
	f.variables = append(f.variables, variable{name, &v})
}

// assign adds to what a variable can be: a branch may not be taken, and a loop
// may have no turn.
func (f *frame) assign(name string, v value) {
	for _, declared := range slices.Backward(f.variables) {
		if declared.name == name {
			*declared.value = union(*declared.value, v)
			return
		}
	}
}

func (f *frame) variable(name string) value {
	for _, declared := range slices.Backward(f.variables) {
		if declared.name == name {
			return *declared.value
		}
	}
	return nil
}

// scope runs run and takes away the variables that it declared.
func (f *frame) scope(run func()) {
	mark := len(f.variables)
	run()
	f.variables = f.variables[:mark]
}

func (f *frame) here(n parse.Node) Source { return f.def.file.at(n.Position()) }

// walk executes n and adds to out what it writes.
func (f *frame) walk(n parse.Node, dot value, out *text) {
	if list, ok := n.(*parse.ListNode); ok && list == nil {
		return // there is no else
	}
	f.steps++
	if f.steps > mostSteps {
		f.note(f.here(n), "the templates are too large to be followed to the end")
		return
	}
	switch n := n.(type) {
	case *parse.ListNode:
		for _, below := range n.Nodes {
			f.walk(below, dot, out)
		}
	case *parse.TextNode:
		text := newText(string(n.Text))
		text.words = strings.TrimSpace(string(n.Text)) != ""
		out.write(text)
	case *parse.ActionNode:
		v := f.pipe(n.Pipe, dot)
		if len(n.Pipe.Decl) == 0 {
			written := f.print(v)
			f.name(n, written)
			out.write(written)
		}
	case *parse.TemplateNode:
		var v value
		if n.Pipe != nil {
			v = f.pipe(n.Pipe, dot)
		}
		written := f.include(n.Name, v, f.here(n))
		f.name(n, written)
		out.write(written)
	case *parse.IfNode:
		f.branch(&n.BranchNode, dot, out, false)
	case *parse.WithNode:
		f.branch(&n.BranchNode, dot, out, true)
	case *parse.RangeNode:
		f.loop(n, dot, out)
	}
}

// name marks the places whose text is a name, when n writes one.
func (f *frame) name(n parse.Node, written *text) {
	if f.def.file.fixed == nil && f.def.file.names.at(n.Position()) {
		value{written}.direct(func(n *node) { n.name = true })
	}
}

func (f *frame) branch(n *parse.BranchNode, dot value, out *text, with bool) {
	f.scope(func() {
		condition := f.pipe(n.Pipe, dot)
		decides(condition)
		inner := dot
		if with {
			inner = condition
		}
		taken, other := newText(""), newText("")
		f.scope(func() { f.walk(n.List, inner, taken) })
		f.scope(func() { f.walk(n.ElseList, dot, other) })
		out.write(either(taken, other))
	})
}

// decides marks what a condition looks at.
func decides(v value) {
	v.direct(func(n *node) { n.decides, n.read = true, true })
}

func (f *frame) loop(n *parse.RangeNode, dot value, out *text) {
	f.scope(func() {
		over := f.pipe(n.Pipe, dot)
		keys, elements := ranged(over)
		over.direct(func(n *node) { n.read = true })
		body := newText("")
		for turn := range f.turnsOf(n) {
			before := f.deepestVariable()
			f.scope(func() {
				names := n.Pipe.Decl
				bind := f.declare
				if n.Pipe.IsAssign {
					bind = f.assign
				}
				if len(names) > 0 {
					bind(names[len(names)-1].Ident[0], elements)
				}
				if len(names) > 1 {
					bind(names[0].Ident[0], keys)
				}
				f.walk(n.List, elements, body)
			})
			if turn > 0 && f.deepestVariable() > before {
				f.note(f.here(n), "a variable goes deeper into the values with every turn of the loop: it is followed for %d turns", turn+1)
			}
		}
		other := newText("")
		f.scope(func() { f.walk(n.ElseList, dot, other) })
		written := either(body, other)
		if body.words || len(body.printed)+len(body.whole) > 0 {
			written.known, written.unknown = nil, true
		}
		out.write(written)
	})
}

// turnsOf is how often the body of a loop must be walked: once more when a
// turn can see what the one before it has assigned.
func (f *frame) turnsOf(n *parse.RangeNode) int {
	turns, ok := f.turns[n]
	if !ok {
		turns = 1
		if carries(n.List) {
			turns = 2
		}
		f.turns[n] = turns
	}
	return turns
}

func carries(n parse.Node) bool {
	text := n.String()
	for _, word := range []string{" = ", "set ", "merge", "Merge", "include", "template", "tpl "} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// deepestVariable is how deep in the values the variables go.
func (f *frame) deepestVariable() int {
	deepest := 0
	for _, v := range f.variables {
		for _, atom := range *v.value {
			if n, ok := atom.(*node); ok {
				deepest = max(deepest, n.depth())
			}
		}
	}
	return deepest
}

// ranged are the keys and the elements of v.
func ranged(v value) (keys, elements value) {
	seen := map[any]bool{}
	var visit func(v value)
	visit = func(v value) {
		for _, atom := range v {
			if seen[atom] {
				continue
			}
			seen[atom] = true
			switch a := atom.(type) {
			case *node:
				keys = keys.with(keyOf{a})
				elements = elements.with(elementsOf(a)...)
			case *object:
				for _, key := range sortedKeys(a.fields) {
					keys = keys.with(literal(key))
					elements = elements.with(a.fields[key]...)
				}
				elements = elements.with(a.any...)
				visit(a.like)
			case *sequence:
				elements = elements.with(a.elem...)
			case *text:
				elements = elements.with(a)
			}
		}
	}
	visit(v)
	return keys, elements
}

// elementsOf are the elements of what is set at n.
func elementsOf(n *node) value {
	n.ranged()
	all := value{n.element()}
	for _, other := range n.element().also {
		other.parent.ranged()
		all = all.with(other)
	}
	all = union(all, n.setAny)
	for _, key := range sortedKeys(n.set) {
		all = union(all, n.set[key])
	}
	_, more := ranged(n.like)
	return union(all, more)
}

func (n *node) ranged() {
	if n.kinds&(Map|List) == 0 {
		n.kinds |= Map | List
	}
}

// field is what is below v under a key.
func (m *machine) field(v value, key string, at Source) value {
	found := inside(v, key, map[any]bool{})
	for _, atom := range found {
		if n, ok := atom.(*node); ok {
			n.addSource(at)
			n.addFile(m.file)
		}
	}
	return found
}

func inside(v value, key string, seen map[any]bool) value {
	var found value
	for _, atom := range v {
		if seen[atom] {
			continue
		}
		seen[atom] = true
		switch a := atom.(type) {
		case *node:
			a.kinds |= Map
			c := a.child(key)
			found = found.with(c)
			for _, other := range c.also {
				other.parent.kinds |= Map
				found = found.with(other)
			}
			found = union(found, a.set[key], a.setAny, inside(a.like, key, seen))
		case *object:
			found = union(found, a.fields[key], a.any, inside(a.like, key, seen))
		case *text:
			// Of a text that is parsed again: the scalars in it, and, where a
			// value was not alone in it, that value as a whole.
			found = found.with(a)
			if len(a.whole) > 0 {
				found = union(found, inside(a.whole, key, seen))
			}
		}
	}
	return found
}

// print is what an action writes that gives v.
func (f *frame) print(v value) *text {
	out := &text{unknown: true}
	if known, all := v.strings(); all && len(known) <= mostStrings {
		out.known, out.unknown = known, false
	}
	for _, atom := range v {
		switch a := atom.(type) {
		case *node:
			a.kinds |= Scalar
			a.read = true
			out.printed = out.printed.with(a)
		case literal:
			out.words = true
		case keyOf:
			a.node.read = true
			out.words = true
		case *text:
			out.printed = out.printed.with(a.printed...)
			out.whole = out.whole.with(a.whole...)
			out.words = out.words || a.words
		case *object, *sequence:
			out.whole = out.whole.with(a)
		}
	}
	return out
}

func (f *frame) pipe(p *parse.PipeNode, dot value) value {
	var v value
	for i, c := range p.Cmds {
		v = f.command(c, dot, v, i > 0)
	}
	for _, d := range p.Decl {
		if p.IsAssign {
			f.assign(d.Ident[0], v)
		} else {
			f.declare(d.Ident[0], v)
		}
	}
	return v
}

// command evaluates a command. piped is the argument that a pipeline adds, when
// more is true.
func (f *frame) command(c *parse.CommandNode, dot, piped value, more bool) value {
	f.steps++
	args := func() []value {
		var all []value
		for _, n := range c.Args[1:] {
			all = append(all, f.argument(n, dot))
		}
		if more {
			all = append(all, piped)
		}
		return all
	}
	switch first := c.Args[0].(type) {
	case *parse.IdentifierNode:
		return f.call(first, args())
	case *parse.FieldNode, *parse.ChainNode, *parse.VariableNode:
		receiver := f.argument(c.Args[0], dot)
		given := args()
		if len(given) == 0 {
			return receiver
		}
		return f.method(first, receiver, given)
	}
	return f.argument(c.Args[0], dot)
}

// argument evaluates an operand.
func (f *frame) argument(n parse.Node, dot value) value {
	switch n := n.(type) {
	case *parse.DotNode:
		return dot
	case *parse.FieldNode:
		return f.chain(n, dot, n.Ident)
	case *parse.VariableNode:
		return f.chain(n, f.variable(n.Ident[0]), n.Ident[1:])
	case *parse.ChainNode:
		return f.chain(n, f.argument(n.Node, dot), n.Field)
	case *parse.PipeNode:
		return f.pipe(n, dot)
	case *parse.IdentifierNode:
		return f.call(n, nil)
	case *parse.StringNode:
		return value{literal(n.Text)}
	case *parse.NumberNode:
		return value{literal(n.Text)}
	case *parse.BoolNode:
		return value{literal(strconv.FormatBool(n.True))}
	}
	return nil
}

// chain is what is below v under one key after the other.
func (f *frame) chain(n parse.Node, v value, keys []string) value {
	at := f.here(n)
	for i, key := range keys {
		if files, ok := single[files](v); ok {
			return value{fileMethod{files, key}}
		}
		if key == "AsMap" && isValues(v) {
			continue // a method of Helm's type of .Values
		}
		if key == "Subcharts" || key == "Dependencies" {
			for _, u := range f.units {
				f.uses(u) // one that is disabled is not among them
			}
		}
		source := at
		if i < len(keys)-1 {
			source = Source{} // the last one is what is read
		}
		found := f.field(v, key, source)
		if key == "Values" && len(found) == 0 {
			f.note(at, "%s: what it belongs to is not known", n)
		}
		v = found
	}
	return v
}

func isValues(v value) bool {
	n, ok := single[*node](v)
	return ok && n.unitRoot
}

// single is the only atom of v, if it is of the type.
func single[T any](v value) (T, bool) {
	var none T
	if len(v) != 1 {
		return none, false
	}
	a, ok := v[0].(T)
	return a, ok
}

type fileMethod struct {
	files files
	name  string
}

// method calls a method: only those of .Files matter.
func (f *frame) method(n parse.Node, receiver value, args []value) value {
	m, ok := single[fileMethod](receiver)
	if !ok {
		for _, v := range args {
			v.direct(func(n *node) { n.read = true })
		}
		if values, ok := single[*node](receiver); ok {
			f.note(f.here(n), "%s: a method of the values is not followed", n)
			values.read = true
		}
		return nil
	}
	if m.name == "Get" && len(args) == 1 {
		if known, all := args[0].strings(); all {
			var content value
			for _, name := range known {
				for _, file := range m.files.unit.chart.Files {
					if file != nil && file.Name == name {
						content = content.with(literal(file.Data))
					}
				}
			}
			return content
		}
	}
	return value{&text{words: true, unknown: true}}
}

// include executes a template by its name.
func (f *frame) include(name string, dot value, at Source) *text {
	def, ok := f.definitions[name]
	if !ok {
		f.note(at, "there is no template %q", name)
		return &text{unknown: true}
	}
	written := f.execute(name, def, dot, at)
	for under := def.under; under != nil; under = under.under {
		written = either(written, f.execute(name, *under, dot, at))
	}
	return written
}
