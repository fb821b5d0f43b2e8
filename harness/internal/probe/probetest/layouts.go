package probetest

import (
	"fmt"
	"strings"
)

// A way is one of several to write the same.
type way[F any] struct {
	name  string
	write F
}

// sinks are expressions of a mode that is auto when it is opened. What else it can
// be is skip.
var sinks = []way[func(*plan) string]{
	{"a literal", func(*plan) string { return `"auto"` }},
	{"a literal", func(*plan) string { return `"auto"` }},
	{"another literal", func(*plan) string { return `"apply"` }},
	{"a table", func(p *plan) string {
		w, o := p.words()
		return fmt.Sprintf(`get (dict %q "skip" %q "auto") %s | default "skip"`, w, o, p.place(w, o))
	}},
	{"a table of tables", func(p *plan) string {
		w, o := p.words()
		return fmt.Sprintf(`dig %s "controllers" "skip" (dict %q (dict "server" "auto") %q (dict "controllers" "auto"))`, p.place(w, o), w, o)
	}},
	{"a list", func(p *plan) string { return fmt.Sprintf(`index (list "skip" "skip" "auto") (int %s)`, p.place(0, 2)) }},
	{"an unset value", func(p *plan) string { return p.unset("auto") + ` | default "skip"` }},
	{"a template by name", func(p *plan) string {
		w, o := p.words()
		p.define("mode."+w, "skip\n")
		p.define("mode."+o, "auto\n")
		return fmt.Sprintf(`include (printf "agents.mode.%%s" %s) $ | trim`, p.place(w, o))
	}},
	{"a file", func(p *plan) string {
		w, o := p.words()
		p.files["modes/"+w+".txt"], p.files["modes/"+o+".txt"] = "skip\n", "auto\n"
		return fmt.Sprintf(`$.Files.Get (printf "modes/%%s.txt" %s) | trim | default "skip"`, p.place(w, o))
	}},
}

// nestings write statements that print a mode: skip, or under the conditions what
// the sink says.
var nestings = []way[func(conditions []string, sink string) string]{
	{"and", func(conditions []string, sink string) string {
		return fmt.Sprintf("{{- if %s -}}\n%s\n{{- else -}}\nskip\n{{- end -}}\n", all(conditions), printed(sink))
	}},
	{"nested", func(conditions []string, sink string) string {
		out, indent := "{{- $mode := \"skip\" -}}\n", ""
		for _, condition := range conditions {
			out += fmt.Sprintf("%s{{- if %s -}}\n", indent, condition)
			indent += "  "
		}
		out += fmt.Sprintf("%s{{- $mode = %s -}}\n", indent, sink)
		for range conditions {
			indent = indent[2:]
			out += indent + "{{- end -}}\n"
		}
		return out + "{{- $mode -}}\n"
	}},
	{"else if", func(conditions []string, sink string) string {
		out := ""
		for i, condition := range conditions {
			word := "else if"
			if i == 0 {
				word = "if"
			}
			out += fmt.Sprintf("{{- %s not (%s) -}}\nskip\n", word, condition)
		}
		return out + fmt.Sprintf("{{- else -}}\n%s\n{{- end -}}\n", printed(sink))
	}},
	{"or", func(conditions []string, sink string) string {
		var closed []string
		for _, condition := range conditions {
			closed = append(closed, fmt.Sprintf("(not (%s))", condition))
		}
		return fmt.Sprintf("{{- if or %s -}}\nskip\n{{- else -}}\n%s\n{{- end -}}\n", strings.Join(closed, " "), printed(sink))
	}},
	{"ternary", func(conditions []string, sink string) string {
		return fmt.Sprintf("{{- $open := not (not (%s)) -}}\n{{- ternary %s \"skip\" $open -}}\n", all(conditions), operand(sink))
	}},
	{"range", func(conditions []string, sink string) string {
		return fmt.Sprintf("{{- range $component := list \"server\" \"controllers\" -}}\n{{- if eq $component \"controllers\" -}}\n"+
			"{{- if %s -}}\n%s\n{{- else -}}\nskip\n{{- end -}}\n{{- end -}}\n{{- end -}}\n", at(all(conditions), "$"), printed(at(sink, "$")))
	}},
}

// printed prints an expression.
func printed(expression string) string {
	if strings.HasPrefix(expression, `"`) {
		return strings.Trim(expression, `"`)
	}
	return "{{- " + expression + " -}}"
}

// operand is an expression as one of a function's operands.
func operand(expression string) string {
	if strings.HasPrefix(expression, `"`) {
		return expression
	}
	return "(" + expression + ")"
}

// layouts write the workloads, with the conditions before the controllers' mode. A
// guard lets nothing but skip pass.
var layouts = []way[func(p *plan, conditions []string, guarded bool)]{
	{"named template", func(p *plan, conditions []string, guarded bool) {
		p.deployments(fmt.Sprintf("- name: JANGAR_MIGRATIONS\n  value: {{ include %q . | quote }}\n", p.mode(conditions, guarded)))
	}},
	{"environment in a named template", func(p *plan, conditions []string, guarded bool) {
		mode := p.mode(conditions, guarded)
		name := p.define("controllers.env", fmt.Sprintf("- name: PORT\n  value: \"8080\"\n- name: JANGAR_MIGRATIONS\n  value: {{ include %q . }}\n", mode))
		p.deployments(fmt.Sprintf("{{- include %q . | nindent 12 }}\n", name))
	}},
	{"both in a loop", func(p *plan, conditions []string, guarded bool) {
		mode := p.mode(conditions, guarded)
		text := deployment("{{ $name }}", p.env+fmt.Sprintf(
			"- name: JANGAR_MIGRATIONS\n  {{- if hasSuffix \"-controllers\" $name }}\n  value: {{ include %q $ }}\n  {{- else }}\n  value: auto\n  {{- end }}\n", mode))
		p.files["templates/deployments.yaml"] = "{{- range $name := list \"agents\" \"agents-controllers\" }}\n---\n" + text + "{{- end }}\n"
	}},
	{"list of extra entries", func(p *plan, conditions []string, guarded bool) {
		p.functions = append(p.functions, "range over entries")
		list := p.place([]any{}, []any{map[string]any{"name": "JANGAR_MIGRATIONS", "value": "auto"}})
		guard := ""
		if guarded {
			guard = "{{- if eq (required \"an entry has a name\" .name) \"JANGAR_MIGRATIONS\" }}\n{{- fail \"JANGAR_MIGRATIONS is set by the chart\" }}\n{{- end }}\n"
		}
		p.deployments(at(fmt.Sprintf("- name: JANGAR_MIGRATIONS\n  value: skip\n{{- if %s }}\n{{- range %s }}\n%s- name: {{ .name | quote }}\n  value: {{ .value | quote }}\n{{- end }}\n{{- end }}\n",
			all(conditions), list, guard), ""))
	}},
	{"merged maps", func(p *plan, conditions []string, guarded bool) {
		p.functions = append(p.functions, "mergeOverwrite")
		vars := p.place(map[string]any{"PORT": "8080"}, map[string]any{"JANGAR_MIGRATIONS": "auto"})
		guard := ""
		if guarded {
			guard = "{{- $_ := set $env \"JANGAR_MIGRATIONS\" \"skip\" }}\n"
		}
		p.deployments(at(fmt.Sprintf("{{- $env := dict \"JANGAR_MIGRATIONS\" \"skip\" }}\n{{- if %s }}\n{{- $env = mergeOverwrite $env (deepCopy %s) }}\n{{- end }}\n%s"+
			"{{- range $name, $value := $env }}\n- name: {{ $name | quote }}\n  value: {{ $value | quote }}\n{{- end }}\n", all(conditions), vars, guard), ""))
	}},
}

// mode defines a named template that gives the controllers' mode, and returns its
// name.
func (p *plan) mode(conditions []string, guarded bool) string {
	sink, nesting := pick(p, sinks), pick(p, nestings)
	p.functions = append(p.functions, nesting.name, sink.name)
	body := nesting.write(conditions, sink.write(p))
	if !guarded {
		return p.define("controllers.migrations", body)
	}
	inner := p.define("controllers.wanted", body)
	return p.define("controllers.migrations", fmt.Sprintf(
		"{{- $mode := include %q . | trim -}}\n{{- if ne $mode \"skip\" -}}\n{{- fail \"the controllers do not migrate\" -}}\n{{- end -}}\n{{- $mode -}}\n", inner))
}

// deployments writes the server and the controllers, with the environment of the
// controllers. One of four has its controllers off by default.
func (p *plan) deployments(env string) {
	p.files["templates/deployment.yaml"] = deployment("agents", p.env+"- name: JANGAR_MIGRATIONS\n  value: auto\n")
	text := deployment("{{ .Release.Name }}-controllers", p.env+env)
	if p.one(4) {
		p.functions = append(p.functions, "off by default")
		put(p.defaults, []string{"controllers", "enabled"}, false)
		put(p.hole, []string{"controllers", "enabled"}, true)
		text = "{{- if .Values.controllers.enabled }}\n" + text + "{{- end }}\n"
	}
	p.files["templates/deployment-controllers.yaml"] = text
}

// deployment is one of a name, with the lines of its environment.
func deployment(name, env string) string {
	indented := strings.ReplaceAll(strings.TrimSuffix(env, "\n"), "\n", "\n            ")
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata:
  name: %[1]s
  labels:
    app.kubernetes.io/name: %[1]s
spec:
  selector:
    matchLabels:
      app.kubernetes.io/name: %[1]s
  template:
    metadata:
      labels:
        app.kubernetes.io/name: %[1]s
    spec:
      containers:
        - name: main
          image: registry.example.com/agents/control-plane:2.7.1
          env:
            %[2]s
`, name, indented)
}
