package probe

import (
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"
)

// entryOf shows a container as far as it is the contract's business: its name,
// and what env says of the variable. The value of no other variable is shown.
func entryOf(container map[string]any, variable string) string {
	shown := map[string]any{"name": container["name"]}
	var note string
	switch env := container["env"].(type) {
	case nil:
		note = "# no env\n"
	case []any:
		entries := declarations(container, variable)
		if entries == nil {
			note = fmt.Sprintf("# env has %d entries, and none is %s\n", len(env), variable)
		} else {
			shown["env"] = entries
		}
	default:
		note = "# env is no list\n"
	}
	text, err := yaml.Marshal(shown)
	if err != nil {
		return err.Error()
	}
	return string(text) + note
}

// declarations are the entries of a container's env for the variable.
func declarations(container map[string]any, variable string) []any {
	var entries []any
	env, _ := container["env"].([]any)
	for _, entry := range env {
		if fields, ok := entry.(map[string]any); ok && fields["name"] == variable {
			entries = append(entries, fields)
		}
	}
	return entries
}

// flow writes a YAML document as JSON on one line.
func flow(text string) string {
	if strings.TrimSpace(text) == "" {
		return ""
	}
	line, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return text
	}
	return string(line)
}
