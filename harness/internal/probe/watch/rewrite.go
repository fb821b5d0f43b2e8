package watch

import (
	"fmt"
	"strings"
	"text/template/parse"
)

// The functions that a rewritten template calls. Each gives back what it gets,
// so that the output stays as it is.
const (
	fileHook   = "watch_file"   // the execution of a file begins
	readHook   = "watch_read"   // fields of a value are about to be read
	argHook    = "watch_arg"    // an argument of a call
	callHook   = "watch_call"   // the result of a call
	branchHook = "watch_branch" // what a branch goes by
	setHook    = "watch_set"    // what a variable, or the dot of a template, is
	printHook  = "watch_print"  // what is printed
)

// rewriter writes one file's templates again, with the hooks in them.
type rewriter struct {
	chart    *Chart
	file     string
	text     string
	template string   // the one that is being written
	dots     []string // what tells whence the dot comes, the innermost last
	within   []int    // the branches around
	out      strings.Builder
}

// rewrite gives the text of a file with hooks in it, and that of what it defines
// alone. A text that is no template is given back: Helm says what is wrong with it.
func (c *Chart) rewrite(file, text string) (whole, defined string) {
	tree, trees := parsed(file, text)
	if tree == nil {
		return text, text
	}
	w := &rewriter{chart: c, file: file, text: text}
	for _, name := range sortedKeys(trees) {
		if name == file {
			continue
		}
		fmt.Fprintf(&w.out, "{{define %q}}", name)
		w.body(name, trees[name].Root)
		w.out.WriteString("{{end}}")
	}
	defined = w.out.String()
	if tree.Root != nil && !parse.IsEmptyTree(tree.Root) {
		if file != "" {
			fmt.Fprintf(&w.out, "{{%s %q}}", fileHook, file)
		}
		w.body(file, tree.Root)
	}
	return w.out.String(), defined
}

// silence gives the text of a guard whose templates write nothing.
func (c *Chart) silence(file, text string) string {
	_, trees := parsed(file, text)
	var b strings.Builder
	for _, name := range sortedKeys(trees) {
		if name != file {
			c.guards[name] = true
			fmt.Fprintf(&b, "{{define %q}}{{/* nothing */}} {{- end}}", name)
		}
	}
	return b.String()
}

// parsed is a template file without a look at its functions; nil when it cannot be
// parsed.
func parsed(file, text string) (*parse.Tree, map[string]*parse.Tree) {
	tree := parse.New(file)
	tree.Mode = parse.SkipFuncCheck
	trees := map[string]*parse.Tree{}
	if _, err := tree.Parse(text, "", "", trees); err != nil {
		return nil, nil
	}
	return tree, trees
}

func (w *rewriter) body(name string, list *parse.ListNode) {
	w.template, w.dots = name, []string{dotOf(name)}
	w.list(list)
}

// dotOf is the name under which is kept whence a template's dot comes.
func dotOf(template string) string { return "dot of " + template }

func (w *rewriter) list(list *parse.ListNode) {
	if list == nil {
		return
	}
	for i, node := range list.Nodes {
		switch node := node.(type) {
		case *parse.TextNode:
			text := string(node.Text)
			w.chart.note(w.template, text)
			// A brace before an action would become part of its delimiter.
			if i+1 < len(list.Nodes) && strings.HasSuffix(text, "{") {
				text = strings.TrimSuffix(text, "{") + `{{"{"}}`
			}
			w.out.WriteString(text)
		case *parse.ActionNode:
			w.action(node)
		case *parse.IfNode:
			w.branch("if", If, &node.BranchNode)
		case *parse.WithNode:
			w.branch("with", With, &node.BranchNode)
		case *parse.RangeNode:
			w.branch("range", Range, &node.BranchNode)
		case *parse.TemplateNode:
			w.chart.includes(w.template, node.Name)
			if node.Pipe == nil {
				w.out.WriteString(node.String())
				continue
			}
			site := w.site(Set, node.Pipe)
			w.chart.callers[node.Name] = append(w.chart.callers[node.Name], site.ID)
			site.Variables = []string{dotOf(node.Name)}
			w.from(site, node.Pipe)
			fmt.Fprintf(&w.out, "{{template %q %s | %s %d}}", node.Name, w.commands(node.Pipe), setHook, site.ID)
		default:
			w.out.WriteString(node.String()) // break, continue
		}
	}
}

func (w *rewriter) action(node *parse.ActionNode) {
	switch pipe := node.Pipe; {
	case len(pipe.Decl) > 0:
		site := w.site(Set, pipe)
		site.Variables = []string{w.variable(pipe.Decl[0].Ident[0])}
		w.from(site, pipe)
		fmt.Fprintf(&w.out, "{{%s%s | %s %d}}", declared(pipe), w.commands(pipe), setHook, site.ID)
	case isLiteral(pipe):
		w.out.WriteString(node.String())
	default:
		site := w.site(Print, pipe)
		w.from(site, pipe)
		fmt.Fprintf(&w.out, "{{%s | %s %d}}", w.commands(pipe), printHook, site.ID)
	}
}

// declared is the head of a pipeline that declares or sets variables.
func declared(pipe *parse.PipeNode) string {
	var names []string
	for _, variable := range pipe.Decl {
		names = append(names, variable.String())
	}
	if len(names) == 0 {
		return ""
	}
	sign := " := "
	if pipe.IsAssign {
		sign = " = "
	}
	return strings.Join(names, ", ") + sign
}

func (w *rewriter) branch(word string, kind Kind, node *parse.BranchNode) {
	site := w.site(kind, node.Pipe)
	w.from(site, node.Pipe)
	for _, variable := range node.Pipe.Decl {
		site.Variables = append(site.Variables, w.variable(variable.Ident[0]))
	}
	fmt.Fprintf(&w.out, "{{%s %s%s | %s %d}}", word, declared(node.Pipe), w.commands(node.Pipe), branchHook, site.ID)
	w.within = append(w.within, site.ID)
	if kind != If {
		dot := fmt.Sprintf("dot at %d", site.ID)
		site.dot = dot
		w.dots = append(w.dots, dot)
		w.list(node.List)
		w.dots = w.dots[:len(w.dots)-1]
	} else {
		w.list(node.List)
	}
	if node.ElseList != nil {
		w.out.WriteString("{{else}}")
		w.list(node.ElseList)
	}
	w.within = w.within[:len(w.within)-1]
	w.out.WriteString("{{end}}")
}

// variable is the name under which is kept whence a variable's value comes.
func (w *rewriter) variable(name string) string {
	if name == "$" {
		return dotOf(w.template)
	}
	return name + " of " + w.template
}

func (w *rewriter) site(kind Kind, node parse.Node) *Site {
	pos := int(node.Position())
	if pipe, ok := node.(*parse.PipeNode); ok && len(pipe.Cmds) > 0 {
		pos = int(pipe.Cmds[0].Pos)
	}
	site := w.chart.newSite(kind)
	site.File, site.Template, site.Text = w.file, w.template, node.String()
	site.Line = 1 + strings.Count(w.text[:min(pos, len(w.text))], "\n")
	if n := len(w.within); n > 0 {
		site.Within = w.within[n-1]
	}
	return site
}

// from notes whence the value of a pipeline comes when no hook tells.
func (w *rewriter) from(site *Site, pipe *parse.PipeNode) {
	site.Args = []Arg{w.plain(pipe)}
}

// plain is what is known of an argument by its syntax.
func (w *rewriter) plain(node parse.Node) Arg {
	switch node := node.(type) {
	case *parse.PipeNode:
		if len(node.Cmds) == 1 && len(node.Cmds[0].Args) == 1 {
			return w.plain(node.Cmds[0].Args[0])
		}
	case *parse.DotNode:
		return Arg{from: w.dots[len(w.dots)-1]}
	case *parse.VariableNode:
		if len(node.Ident) == 1 {
			return Arg{from: w.variable(node.Ident[0])}
		}
	case *parse.StringNode:
		return Arg{Literal: true, Value: node.Text}
	case *parse.BoolNode:
		return Arg{Literal: true, Value: node.True}
	case *parse.NilNode:
		return Arg{Literal: true}
	case *parse.NumberNode:
		switch {
		case node.IsInt:
			return Arg{Literal: true, Value: float64(node.Int64)}
		case node.IsFloat:
			return Arg{Literal: true, Value: node.Float64}
		}
	}
	return Arg{}
}

func isLiteral(pipe *parse.PipeNode) bool {
	return len(pipe.Cmds) == 1 && len(pipe.Cmds[0].Args) == 1 && (&rewriter{dots: []string{""}}).plain(pipe.Cmds[0].Args[0]).Literal
}

// commands writes the commands of a pipeline.
func (w *rewriter) commands(pipe *parse.PipeNode) string {
	var all []string
	last := Arg{}
	for i, command := range pipe.Cmds {
		words := command.Args
		identifier, isFunction := words[0].(*parse.IdentifierNode)
		first := w.operand(words[0])
		switch {
		case isFunction && (identifier.Ident == "and" || identifier.Ident == "or"):
			// They do not look at what they need not, so each argument is a branch.
			if i > 0 && !last.Literal {
				all = append(all, fmt.Sprintf("%s %d", branchHook, w.condition(identifier.Ident, pipe.Cmds[i-1], last)))
			}
			for _, word := range words[1:] {
				arg := w.plain(word)
				if arg.Literal {
					first += " " + w.operand(word)
				} else {
					text := w.operand(word)
					first += fmt.Sprintf(" (%s %d %s)", branchHook, w.condition(identifier.Ident, word, arg), text)
				}
			}
			all = append(all, first)
			last = Arg{}
		case isFunction && (len(words) > 1 || i > 0), len(words) > 1, i > 0:
			site := w.site(Call, command)
			site.Function = functionOf(words[0])
			for _, word := range words[1:] {
				arg, text := w.plain(word), w.operand(word)
				if !arg.Literal {
					text = fmt.Sprintf("(%s %d %d %s)", argHook, site.ID, len(site.Args), text)
				}
				site.Args = append(site.Args, arg)
				first += " " + text
			}
			if i > 0 {
				site.Piped = true
				site.Args = append(site.Args, last)
				if !last.Literal {
					all = append(all, fmt.Sprintf("%s %d %d", argHook, site.ID, len(site.Args)-1))
				}
			}
			if len(site.Args) > 0 && site.Args[0].Literal && site.Function == "include" {
				name, _ := site.Args[0].Value.(string)
				w.chart.includes(w.template, name)
				w.chart.callers[name] = append(w.chart.callers[name], site.ID)
			}
			all = append(all, first, fmt.Sprintf("%s %d", callHook, site.ID))
			last = Arg{}
		default:
			all = append(all, first)
			last = w.plain(words[0])
		}
	}
	return strings.Join(all, " | ")
}

func (w *rewriter) condition(word string, node parse.Node, arg Arg) int {
	site := w.site(Part, node)
	site.Function, site.Args = word, []Arg{arg}
	return site.ID
}

// functionOf is the name of what a command calls: a function, or a method with the
// field that it is called on.
func functionOf(word parse.Node) string {
	var fields []string
	switch word := word.(type) {
	case *parse.IdentifierNode:
		return word.Ident
	case *parse.FieldNode:
		fields = word.Ident
	case *parse.VariableNode:
		fields = word.Ident
	case *parse.ChainNode:
		fields = word.Field
	}
	return strings.Join(fields[max(0, len(fields)-2):], ".")
}

// operand writes an argument. Fields are read after a hook has seen of what.
func (w *rewriter) operand(node parse.Node) string {
	read := func(base string, from Arg, fields []string) string {
		site := w.site(Read, node)
		site.Fields, site.Args = fields, []Arg{from}
		return fmt.Sprintf("(%s %d %s).%s", readHook, site.ID, base, strings.Join(fields, "."))
	}
	switch node := node.(type) {
	case *parse.FieldNode:
		return read(".", Arg{from: w.dots[len(w.dots)-1]}, node.Ident)
	case *parse.VariableNode:
		if len(node.Ident) > 1 {
			return read(node.Ident[0], Arg{from: w.variable(node.Ident[0])}, node.Ident[1:])
		}
	case *parse.ChainNode:
		return read(w.operand(node.Node), w.plain(node.Node), node.Field)
	case *parse.PipeNode:
		return "(" + declared(node) + w.commands(node) + ")"
	}
	return node.String()
}
