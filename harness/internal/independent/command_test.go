package independent

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/mode"
)

// TestStartsMigrating: what the judge says of commands, which the policy denies
// whenever the judge says that they migrate.
func TestStartsMigrating(t *testing.T) {
	const name = "JANGAR_MIGRATIONS"
	skip := map[string]any{"name": name, "value": "skip"}
	variable := func(name, value string) any { return map[string]any{"name": name, "value": value} }
	sh := func(script string) []any { return []any{"sh", "-c", script} }
	from := map[string]any{"name": "FROM", "valueFrom": map[string]any{"secretKeyRef": map[string]any{"name": "s", "key": "k"}}}
	for i, test := range []struct {
		command []any
		env     []any
		want    bool
	}{
		{[]any{"node", "server.js"}, nil, false},
		{[]any{"env", name + "=auto", "node"}, nil, true},
		{[]any{"env", name + "=skip", "node"}, nil, false},
		{[]any{"env", "-i", "PATH=/bin", "node"}, nil, true},
		{[]any{"env", "-i", name + "=skip", "node"}, nil, false},
		{[]any{"env", "-u", "A", "-u" + name, "node"}, nil, true},
		{[]any{"env", "--unset=" + name, "--", "node"}, nil, true},
		{[]any{"env", "-u", name}, nil, false},
		{[]any{"env", "-S", "-i node"}, nil, false},
		{[]any{"env", "-u", name, "sh", "-c", "exec node"}, nil, true},
		{sh(name + "=auto exec node"), nil, true},
		{sh(name + "=auto; exec node"), nil, true},
		{sh("export A=b " + name + "='auto' && node server.js"), nil, true},
		{sh("echo start\nunset " + name + "\nexec node"), nil, true},
		{sh("unset -f " + name + "; node"), nil, false},
		{sh("unset " + name), nil, false},
		{sh(name + "=auto echo x; node"), nil, false},
		{sh(name + "=skip node"), nil, false},
		{sh(name + "=$MODE node"), nil, false},
		{sh("if true; then " + name + "=auto; fi; node"), nil, false},
		{sh("echo '" + name + "=auto'; node"), nil, false},
		{sh("# " + name + "=auto\nnode"), nil, false},
		{[]any{"sh", "-eu", "-c", name + "=auto node"}, nil, true},
		{[]any{"/bin/bash", "-ec", "exec env " + name + "=auto node"}, nil, true},
		{[]any{"sh", "/start.sh"}, nil, false},
		{sh("$(PRE) node"), []any{variable("PRE", "export "+name+"=auto;")}, true},
		{sh("$$(PRE) node"), []any{variable("PRE", "export "+name+"=auto;")}, false},
		{sh("$(PRE) node"), []any{variable("A", "auto"), variable("PRE", name+"=$(A)")}, true},
		{sh("$(FROM) " + name + "=auto node"), []any{from}, false},
		{sh("$(PRE) node"), []any{variable("PRE", name+"=auto"), map[string]any{"name": "PRE", "valueFrom": from["valueFrom"]}}, false},
		{[]any{"env", 5, "node"}, nil, false},
		{nil, nil, false},
	} {
		container := map[string]any{"name": "c", "command": test.command, "env": append([]any{skip}, test.env...)}
		if got := (Rules{Mode: mode.Defaults()}).StartsMigrating(container); got != test.want {
			t.Errorf("%d: %q: got %v", i, test.command, got)
		}
		denied := false
		query := "count([x | some x in data.lib.process.changes(%s, \"c\")]) > 0"
		if err := defaultEvaluator(t).Value(t.Context(), fmt.Sprintf(query, inRego(t, container)), &denied); err != nil {
			t.Fatal(err)
		}
		if test.want && !denied {
			t.Errorf("%d: %q: the policy passes what clearly migrates", i, test.command)
		}
	}
}

func inRego(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
