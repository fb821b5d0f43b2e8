package evaluate

import (
	"encoding/json"
	"os"
	"testing"
	"time"
	"syscall"
	"fmt"
	"strings"
)

func TestZZ(t *testing.T) {
	e, err := New(t.Context(), nil, nil)
	if err != nil { t.Fatal(err) }
	text, _ := os.ReadFile("/tmp/w/rego-small.json")
	var input map[string]any
	json.Unmarshal(text, &input)
	cpu := func() time.Duration { var u syscall.Rusage; syscall.Getrusage(0, &u); return time.Duration(u.Utime.Nano()+u.Stime.Nano()) }
	full, _ := objectQuery(e.engine)
	for range 2 {
	for _, q := range append(strings.Split("1|x := input.kind|x := data.lib.document._document|x := data.lib.document._top|x := data.lib.document._expanded|x := data.lib.document.objects|x := data.lib.kind.pods(input.kind, input)|x := data.lib.kind.is_known(input.kind, input)|x := data.lib.kind.group(input)|x := data.lib.workload._object_names(input, {\"template\": [\"spec\",\"template\"], \"spec\": [\"spec\",\"template\",\"spec\"]})|x := data.lib.workload._readable_labels(data.lib.workload._metadata(input, {\"template\": [\"spec\",\"template\"], \"spec\": [\"spec\",\"template\",\"spec\"]}))|x := data.lib.workload._metadata(input, {\"template\": [\"spec\",\"template\"], \"spec\": [\"spec\",\"template\",\"spec\"]})|x := data.lib.workload._containers({\"kind\": input.kind, \"object\": input, \"path\": \"\"}, [\"spec\",\"template\",\"spec\"], input.spec.template.spec)|x := data.lib.workload._container(input.spec.template.spec.containers[0], \"container\", \"x\")|x := data.lib.workload._is_exempt(\"registry.example.com/app:1\")|x := data.lib.workload._unreadable({\"kind\": input.kind, \"object\": input, \"path\": \"\"}, {\"template\": [\"spec\",\"template\"], \"spec\": [\"spec\",\"template\",\"spec\"]}, input.spec.template.spec)|x := data.lib.workload._missing({\"kind\": input.kind, \"object\": input, \"path\": \"\"}, {\"template\": [\"spec\",\"template\"], \"spec\": [\"spec\",\"template\",\"spec\"]}, input.spec.template.spec)|x := data.lib.workload._workload({\"kind\": input.kind, \"object\": input, \"path\": \"\"}, {\"template\": [\"spec\",\"template\"], \"spec\": [\"spec\",\"template\",\"spec\"]})|x := data.lib.plain.keeps({}, {\"spec\": input.spec.template.spec.containers[0]})|x := data.lib.env.names(input.spec.template.spec.containers[0])|x := data.lib.value.text(input.kind)|x := is_string(input.kind)|x := data.lib.kind.lists", "|"), full) {
		p, err := e.prepare(t.Context(), wrap(q))
		if err != nil { t.Fatal(err) }
		a := &asker{query: p, memory: newMemory(constantsOf(e.engine.Compiler(), e.policy.rules))}
		a.ask(t.Context(), input)
		n := 1000
		s := cpu()
		for range n { if _, err := a.ask(t.Context(), input); err != nil && q != "x" { t.Log(q, err); break } }
		fmt.Printf("%6.1f %s\n", float64((cpu()-s).Microseconds())/float64(n), q)
	}}
}

func wrap(q string) string {
	if strings.HasPrefix(q, "x := ") {
		return "count([1 | " + q + "])"
	}
	return q
}
