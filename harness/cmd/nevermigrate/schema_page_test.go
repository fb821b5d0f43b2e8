package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/config"
	"github.com/proompteng/nevermigrate/harness/internal/generated"
	"github.com/proompteng/nevermigrate/harness/internal/schemapage"
)

// TestSchemaPages: the table of keys in docs/configuration.md and docs/report-reference.md
// are what the schemas say. With -update it writes them.
func TestSchemaPages(t *testing.T) {
	reference := "# The keys of each JSON output\n\nWhat `nevermigrate schema NAME` prints, as tables; [reports.md](reports.md) says what the reports are for. This page is made of the schemas. A key that is not always there is left out where it has nothing to say.\n"
	for _, schema := range schemas {
		column, required := "there", "always"
		if schema.name == "config" {
			column, required = "default", "must be given"
		}
		table, err := schemapage.Table(schema.text, column, required)
		if err != nil {
			t.Fatalf("%s: %v", schema.name, err)
		}
		if schema.name == "config" {
			generated.Between(t, *update, "docs/configuration.md", "<!-- keys -->\n", "<!-- end of keys -->\n", table)
			continue
		}
		about, err := schemapage.Description(schema.text)
		if err != nil {
			t.Fatalf("%s: %v", schema.name, err)
		}
		reference += fmt.Sprintf("\n## %s\n\n%s\n\n%s", schema.name, about, table)
	}
	generated.Whole(t, *update, "docs/report-reference.md", reference)
}

// TestConfigDefaults: the defaults that the schema of the configuration names are those
// in force without one.
func TestConfigDefaults(t *testing.T) {
	var schema struct {
		Properties map[string]struct{ Default any }
	}
	if err := json.Unmarshal(config.Schema, &schema); err != nil {
		t.Fatal(err)
	}
	got := map[string][]any{}
	for key, property := range schema.Properties {
		if list, ok := property.Default.([]any); ok {
			got[key] = list
		} else if property.Default != nil {
			got[key] = []any{property.Default}
		}
	}
	t.Chdir(t.TempDir())
	var stdout, stderr bytes.Buffer
	if status := run(t.Context(), []string{"config", "-o", "json"}, nil, &stdout, &stderr); status != 0 {
		t.Fatalf("exit status %d: %s", status, stderr.String())
	}
	var printed struct {
		Values []struct {
			Key   string
			Value any
		}
	}
	if err := json.Unmarshal(stdout.Bytes(), &printed); err != nil {
		t.Fatal(err)
	}
	want := map[string][]any{}
	for _, value := range printed.Values {
		want[value.Key] = append(want[value.Key], value.Value)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("defaults (-in force +schema):\n%s", diff)
	}
}
