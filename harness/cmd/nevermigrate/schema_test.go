package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestSchemasDescribe: each schema has a name of its own by which tools tell it, and
// says what each of its properties is.
func TestSchemasDescribe(t *testing.T) {
	for _, schema := range schemas {
		var root map[string]any
		if err := json.Unmarshal(schema.text, &root); err != nil {
			t.Fatalf("%s: %v", schema.name, err)
		}
		if want := "https://github.com/proompteng/nevermigrate/" + schema.name + ".schema.json"; root["$id"] != want {
			t.Errorf("%s: $id is %v, want %s", schema.name, root["$id"], want)
		}
		for _, key := range []string{"title", "description"} {
			if root[key] == nil {
				t.Errorf("%s: no %s", schema.name, key)
			}
		}
		definitions, _ := root["$defs"].(map[string]any)
		for _, place := range undescribed(root, definitions, "") {
			t.Errorf("%s: %s has no description", schema.name, place)
		}
	}
}

// undescribed lists the properties of a schema that neither they nor what they refer
// to describe.
func undescribed(node any, definitions map[string]any, place string) []string {
	var found []string
	switch node := node.(type) {
	case []any:
		for i, item := range node {
			found = append(found, undescribed(item, definitions, fmt.Sprintf("%s[%d]", place, i))...)
		}
	case map[string]any:
		properties, _ := node["properties"].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			property, _ := properties[name].(map[string]any)
			ref, _ := property["$ref"].(string)
			referred, _ := definitions[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
			if property["description"] == nil && property["const"] == nil && referred["description"] == nil {
				found = append(found, place+"."+name)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(node)) {
			if key == "if" || key == "not" || key == "then" || key == "else" {
				continue // conditions on properties that are described elsewhere
			}
			found = append(found, undescribed(node[key], definitions, place+"."+key)...)
		}
	}
	return found
}
