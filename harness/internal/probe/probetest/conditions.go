package probetest

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// A condition is one way in which a template decides. At a fresh place, or two, of
// the values it gives an expression that is false with the default there and true
// with what opens it, and one that looks alike and is never true.
type condition struct {
	function string
	write    func(*plan) (holds, never string)
}

// never is for conditions that nothing looks like.
func never(holds string) string { return fmt.Sprintf("and (%s) (not (%[1]s))", holds) }

// contradicted gives a condition with a look-alike that is false by logic alone.
func contradicted(function string, write func(*plan) string) condition {
	return condition{function, func(p *plan) (string, string) {
		holds := write(p)
		return holds, never(holds)
	}}
}

// text is a condition on a text. The formats hold the place and the wanted word,
// which is in lower case; value makes of a word what stands in the values.
func text(function, holds, never string, value func(word string) any) condition {
	return condition{function, func(p *plan) (string, string) {
		usual, wanted := p.words()
		place := p.place(value(usual), value(wanted))
		return fmt.Sprintf(holds, place, wanted), fmt.Sprintf(never, place, wanted)
	}}
}

func same(word string) any { return word }

// number is a condition on a number. The formats hold the place and a bound.
func number(function, holds, never string, usual, opens func(bound int) any) condition {
	return condition{function, func(p *plan) (string, string) {
		bound := 3 + p.rand.IntN(60)
		place := p.place(usual(bound), opens(bound))
		return fmt.Sprintf(holds, place, bound), fmt.Sprintf(never, place, bound)
	}}
}

func above(n int) func(int) any { return func(bound int) any { return bound + n } }

// conditions are all of them, each with the function that it is about.
var conditions = []condition{
	text("eq", `eq %s %q`, `eq (upper %s) %q`, same),
	text("eq of several", `eq %s "none" %q`, `eq (print %s "-") "none" %q`, same),
	text("lower", `eq (lower %s) %q`, `eq (lower %s | upper) %q`, func(w string) any { return strings.ToUpper(w) }),
	text("trim", `%s | trim | eq %q`, `%s | trim | upper | eq %q`, func(w string) any { return " " + w }),
	text("contains", `contains %[2]q %[1]s`, `contains %[2]q (upper %[1]s)`, func(w string) any { return "eu-" + w + "-1" }),
	text("hasPrefix", `hasPrefix %[2]q %[1]s`, `hasPrefix %[2]q (trunc 3 %[1]s)`, func(w string) any { return w + "-1" }),
	text("hasSuffix", `hasSuffix %[2]q %[1]s`, `hasSuffix %[2]q (trunc 3 %[1]s)`, func(w string) any { return "a-" + w }),
	text("regexMatch", `regexMatch "^%[2]s-[0-9]+$" %[1]s`, `regexMatch "^%[2]s-[0-9]+$" (upper %[1]s)`, func(w string) any { return w + "-12" }),
	text("regexFind", `regexFind "[a-z]+$" %s | eq %q`, `regexFind "[A-Z]+$" %s | eq %q`, func(w string) any { return "0-" + w }),
	text("replace", `eq (replace "_" "" %s) %q`, `eq (replace "_" "" %s | upper) %q`, func(w string) any { return w[:2] + "_" + w[2:] }),
	text("trimSuffix", `%s | trimSuffix ".local" | eq %q`, `%s | trimSuffix ".local" | trunc 3 | eq %q`, func(w string) any { return w + ".local" }),
	text("b64dec", `eq (b64dec %s) %q`, `eq (b64dec %s | upper) %q`, func(w string) any { return base64.StdEncoding.EncodeToString([]byte(w)) }),
	text("printf", `eq (printf "%%s/%%s" %s $.Chart.Name) "%s/agents"`, `eq (printf "%%s/%%s" %s $.Chart.Name) "%s/server"`, same),
	text("splitList", `has %[2]q (splitList "," %[1]s)`, `has %[2]q (splitList "," (upper %[1]s))`, func(w string) any { return "metrics," + w }),
	text("join", `eq (join "+" %s) "base+%s"`, `eq (join "+" %s | upper) "base+%s"`, func(w string) any { return []any{"base", w} }),
	text("has", `has %[2]q %[1]s`, `has %[2]q (without %[1]s %[2]q)`, func(w string) any { return []any{"server", w} }),
	text("has in a literal list", `has %s (list "none" %q)`, `has (upper %s) (list "none" %q)`, same),
	text("without", `without %s "server" | has %q`, `without %[1]s "server" %[2]q | has %[2]q`, func(w string) any { return []any{"server", w} }),
	text("first", `eq (first %s) %q`, `eq (prepend %s "server" | first) %q`, func(w string) any { return []any{w, "server"} }),
	text("last", `eq (last %s) %q`, `eq (append %s "server" | last) %q`, func(w string) any { return []any{"server", w} }),
	text("keys", `has %[2]q (keys %[1]s)`, `has %[2]q (keys (omit %[1]s %[2]q))`, func(w string) any { return map[string]any{w: map[string]any{}} }),
	text("fromJson", `eq (get (fromJson %s) "phase" | toString) %q`, `eq (get (fromJson %s) "phase" | toString | upper) %q`, func(w string) any { return fmt.Sprintf(`{"phase": %q}`, w) }),
	text("fromYaml", `eq (get (fromYaml %s) "phase" | toString) %q`, `eq (get (fromYaml %s) "phase" | toString | upper) %q`, func(w string) any { return "phase: " + w + "\n" }),
	text("tpl", `eq (tpl %s $) "agents-%s"`, `eq (tpl %s $ | upper) "agents-%s"`, func(w string) any { return "{{ .Chart.Name }}-" + w }),
	text("default", `eq (%s | default "none") %q`, `eq (%s | default "none" | upper) %q`, same),
	text("ternary", `ternary "on" "off" (eq %s %q) | eq "on"`, `ternary "on" "off" (eq %s %q) | eq "neither"`, same),

	number("gt", `gt (int %s) %d`, `gt (min %[2]d (int %[1]s)) %[2]d`, above(-1), above(2)),
	number("ge", `ge (int %s) %d`, `ge (min 2 (int %s)) %d`, above(-1), above(0)),
	number("lt", `lt (int %s) %d`, `lt (max %[2]d (int %[1]s)) %[2]d`, above(5), above(-1)),
	number("le", `le (int64 %s) %d`, `le (max 100 (int64 %s)) %d`, above(1), above(0)),
	number("eq of a number", `eq (int %s) %d`, `eq (min 2 (int %s)) %d`, above(1), above(0)),
	number("mod", `eq (mod (int %s) 100) %d`, `eq (mod (int %s) 2) %d`, above(1), above(200)),
	number("add", `ge (add 10 %[1]s) (add 10 %[2]d)`, `ge (add 10 (min 1 %[1]s)) (add 10 %[2]d)`, above(-1), above(0)),
	number("mul", `gt (mul 2 %s) (mul 2 %d)`, `gt (mul 2 (min 1 %s)) (mul 2 %d)`, above(0), above(1)),
	number("atoi", `eq (atoi %s) %d`, `eq (atoi %s | min 2) %d`, func(b int) any { return fmt.Sprint(b + 1) }, func(b int) any { return fmt.Sprint(b) }),
	number("semverCompare", `semverCompare "<%[2]d.0.0" %[1]s`, `semverCompare "<%[2]d.0.0, >=99.0.0" %[1]s`,
		func(b int) any { return fmt.Sprintf("%d.4.1", b) }, func(b int) any { return fmt.Sprintf("%d.9.3", b-1) }),
	number("int of regexFind", `gt (int (regexFind "[0-9]+$" %s)) %d`, `gt (min 2 (int (regexFind "[0-9]+$" %s))) %d`,
		func(b int) any { return fmt.Sprintf("pool-%d", b-2) }, func(b int) any { return fmt.Sprintf("pool-%d", b+1) }),

	contradicted("a switch", func(p *plan) string { return p.place(false, true) }),
	contradicted("not", func(p *plan) string { return "not " + p.place(true, false) }),
	contradicted("ne", func(p *plan) string { w, o := p.words(); return fmt.Sprintf("ne %s %q", p.place(w, o), w) }),
	contradicted("empty", func(p *plan) string { w, _ := p.words(); return "empty " + p.place(w, "") }),
	contradicted("len", func(p *plan) string {
		return fmt.Sprintf("gt (len %s) 1", p.place([]any{"server"}, []any{"server", "controllers"}))
	}),
	contradicted("kindIs", func(p *plan) string {
		w, _ := p.words()
		return fmt.Sprintf(`kindIs "map" %s`, p.place(w, map[string]any{"run": w}))
	}),
	contradicted("typeIs", func(p *plan) string { w, _ := p.words(); return fmt.Sprintf(`typeIs "bool" %s`, p.place(w, true)) }),
	contradicted("unset", func(p *plan) string { return p.unset(true) }),
	contradicted("hasKey", func(p *plan) string {
		w, _ := p.words()
		return fmt.Sprintf("hasKey %s %q", p.place(map[string]any{}, map[string]any{w: true}), w)
	}),
	contradicted("dig", func(p *plan) string {
		w, o := p.words()
		return fmt.Sprintf("dig %q %q false %s", w, o, p.place(map[string]any{}, map[string]any{w: map[string]any{o: true}}))
	}),
	contradicted("or", func(p *plan) string {
		w, o := p.words()
		return fmt.Sprintf(`or (eq $.Chart.Name "server") (eq %s %q)`, p.place(w, o), o)
	}),
	contradicted("coalesce", func(p *plan) string {
		w, o := p.words()
		return fmt.Sprintf("coalesce %s %q | eq %q", p.unset(o), w, o)
	}),
	contradicted("range", func(p *plan) string {
		w, o := p.words()
		list := p.place([]any{map[string]any{"name": w}}, []any{map[string]any{"name": w}, map[string]any{"name": o}})
		return p.helper(fmt.Sprintf("{{- range %s -}}\n{{- if eq .name %q -}}\ntrue\n{{- end -}}\n{{- end -}}\n", list, o))
	}),
}
