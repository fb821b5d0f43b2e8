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
}

const (
	// deepest is how often a template can be inside itself before its argument
	// counts as written whole.
	deepest = 3
	// mostSteps is far above what real charts need (up to 72,000).
	mostSteps = 300_000
	// turns is how often the body of a loop is executed: a turn can see what the
	// one before it has assigned.
	turns = 2
)

// A frame is the execution of one template.
type frame struct {
	*machine
	def       definition
	variables []variable
}

type variable struct {
	name  string
	value *value
}

func (m *machine) note(at Source, format string, args ...any) {
	m.notes[fmt.Sprintf("%s:%d: %s", at.File, at.Line, fmt.Sprintf(format, args...))] = true
}

// exhausted reports whether there have been too many steps, and notes that.
func (m *machine) exhausted(at Source) bool {
	if m.steps > mostSteps {
		m.note(at, "the templates are too large to be followed to the end")
	}
	return m.steps > mostSteps
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
	if exhausted := m.exhausted(from); exhausted || inside >= deepest {
		if !exhausted {
			dot.places(direct, func(*node) {
				m.note(from, "the template %q contains itself: it is followed %d times, and what it is given below that counts as written whole", name, deepest)
			})
		}
		dot.places(deep, func(n *node) { n.marks |= read })
		return &text{whole: dot, unknown: true}
	}
	m.uses(def.file.unit)
	m.stack = append(m.stack, name)
	defer func() { m.stack = m.stack[:len(m.stack)-1] }()
	f := &frame{machine: m, def: def}
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

func (f *frame) declare(name string, v value) {
	f.variables = append(f.variables, variable{name, &v})
}

// assign adds to what a variable can be: a branch may not be taken, and a loop
// may have no turn.
func (f *frame) assign(name string, v value) {
	if declared := f.variable(name); declared != nil {
		*declared = union(*declared, v)
	}
}

// variable is nil when there is none of the name.
func (f *frame) variable(name string) *value {
	for _, declared := range slices.Backward(f.variables) {
		if declared.name == name {
			return declared.value
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
	if f.exhausted(f.here(n)) {
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
		if v := f.pipe(n.Pipe, dot); len(n.Pipe.Decl) == 0 {
			f.write(n, v.print(), out)
		}
	case *parse.TemplateNode:
		var v value
		if n.Pipe != nil {
			v = f.pipe(n.Pipe, dot)
		}
		f.write(n, f.include(n.Name, v, f.here(n)), out)
	case *parse.IfNode:
		f.branch(&n.BranchNode, dot, out)
	case *parse.WithNode:
		f.branch(&n.BranchNode, dot, out)
	case *parse.RangeNode:
		f.loop(n, dot, out)
	}
}

// write adds what n writes to out, and marks the places of which it is made when
// it is a name.
func (f *frame) write(n parse.Node, written, out *text) {
	if f.def.file.writesName(n.Position()) {
		value{written}.mark(isName)
	}
	out.write(written)
}

func (f *frame) branch(n *parse.BranchNode, dot value, out *text) {
	f.scope(func() {
		condition := f.pipe(n.Pipe, dot)
		condition.mark(decides | read)
		inner := dot
		if n.NodeType == parse.NodeWith {
			inner = condition
		}
		taken, other := newText(""), newText("")
		f.scope(func() { f.walk(n.List, inner, taken) })
		f.scope(func() { f.walk(n.ElseList, dot, other) })
		out.write(either(taken, other))
	})
}

func (f *frame) loop(n *parse.RangeNode, dot value, out *text) {
	f.scope(func() {
		over := f.pipe(n.Pipe, dot)
		keys, elements := over.ranged()
		over.mark(read)
		body := newText("")
		for turn := range 2 {
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
				f.note(f.here(n), "a variable goes deeper into the values with every turn of the loop: it is followed for %d turns", turns)
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

// deepestVariable is how deep in the values the variables go.
func (f *frame) deepestVariable() int {
	deepest := 0
	for _, v := range f.variables {
		for _, atom := range *v.value {
			if n, ok := atom.(*node); ok {
				deepest = max(deepest, n.depth)
			}
		}
	}
	return deepest
}

func (f *frame) pipe(p *parse.PipeNode, dot value) value {
	var v value
	for i, c := range p.Cmds {
		var piped []value
		if i > 0 {
			piped = []value{v}
		}
		v = f.command(c, dot, piped)
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

// command evaluates a command. Piped is the argument that a pipeline adds, if
// there is one.
func (f *frame) command(c *parse.CommandNode, dot value, piped []value) value {
	f.steps++
	first := c.Args[0]
	var receiver value
	name, isCall := first.(*parse.IdentifierNode)
	if !isCall {
		receiver = f.argument(first, dot)
	}
	var args []value
	for _, n := range c.Args[1:] {
		args = append(args, f.argument(n, dot))
	}
	args = append(args, piped...)
	switch first.(type) {
	case *parse.IdentifierNode:
		return f.call(name, args)
	case *parse.FieldNode, *parse.ChainNode, *parse.VariableNode:
		if len(args) > 0 {
			return f.method(first, receiver, args)
		}
	}
	return receiver
}

// argument evaluates an operand.
func (f *frame) argument(n parse.Node, dot value) value {
	switch n := n.(type) {
	case *parse.DotNode:
		return dot
	case *parse.FieldNode:
		return f.chain(n, dot, n.Ident)
	case *parse.VariableNode:
		var v value
		if declared := f.variable(n.Ident[0]); declared != nil {
			v = *declared
		}
		return f.chain(n, v, n.Ident[1:])
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
		if of, ok := single[*node](v); ok && of.isValues && key == "AsMap" {
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

// field is what is below v under a key.
func (m *machine) field(v value, key string, at Source) value {
	found := v.inside(key)
	for _, atom := range found {
		if n, ok := atom.(*node); ok {
			n.addSource(at)
			n.files[m.file] = true
		}
	}
	return found
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

// method calls a method: only those of .Files matter.
func (f *frame) method(n parse.Node, receiver value, args []value) value {
	m, ok := single[fileMethod](receiver)
	if !ok {
		union(args...).mark(read)
		if values, ok := single[*node](receiver); ok {
			f.note(f.here(n), "%s: a method of the values is not followed", n)
			values.marks |= read
		}
		return nil
	}
	known, all := args[0].strings()
	if m.name != "Get" || len(args) != 1 || !all {
		return value{&text{words: true, unknown: true}}
	}
	var content value
	for _, file := range m.files.unit.chart.Files {
		if slices.Contains(known, file.Name) {
			content = with(content, any(literal(file.Data)))
		}
	}
	return content
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

// print is the text that v becomes when it is written.
func (v value) print() *text {
	out := &text{unknown: true}
	if known, all := v.strings(); all && len(known) <= mostStrings {
		out.known, out.unknown = known, false
	}
	for _, atom := range v {
		switch a := atom.(type) {
		case *node:
			a.marks |= Scalar | read
			out.printed = with(out.printed, any(a))
		case literal:
			out.words = true
		case keyOf:
			a.node.marks |= read
			out.words = true
		case *text:
			out.add(a)
		case *object, *sequence:
			out.whole = with(out.whole, a)
		}
	}
	return out
}
