package render

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
)

// refuseOutsideSchemas refuses a values.schema.json, also a subchart's, that
// refers to another document. Helm would load it from the network or from
// anywhere in the file system.
func refuseOutsideSchemas(c *chartv2.Chart) error {
	if outside := outsideReferences(c.Schema); len(outside) > 0 {
		return fmt.Errorf("values.schema.json of chart %s refers to %q: rendering loads no other document; copy it into the schema under \"$defs\"", c.Name(), outside[0])
	}
	for _, dependency := range c.Dependencies() {
		if err := refuseOutsideSchemas(dependency); err != nil {
			return err
		}
	}
	return nil
}

// outsideReferences lists, sorted, what a JSON Schema refers to outside of
// itself. A text that is no JSON has none: it is Helm's to complain about.
func outsideReferences(text []byte) []string {
	var schema any
	if len(text) == 0 || json.Unmarshal(text, &schema) != nil {
		return nil
	}
	own := ""
	if root, ok := schema.(map[string]any); ok {
		own, _ = root["$id"].(string)
		own = strings.TrimSuffix(own, "#")
	}
	var outside []string
	visitStrings(schema, func(key, value string) {
		document, _, _ := strings.Cut(value, "#")
		switch key {
		case "$ref", "$dynamicRef", "$recursiveRef":
			if document != "" && document != own {
				outside = append(outside, value)
			}
		case "$schema":
			if !knownMetaSchema(document) {
				outside = append(outside, value)
			}
		}
	})
	slices.Sort(outside)
	return outside
}

// knownMetaSchema reports whether Helm's schema library has the document built in.
func knownMetaSchema(url string) bool {
	_, path, found := strings.Cut(url, "://json-schema.org/")
	if !found {
		return url == ""
	}
	switch strings.TrimSuffix(path, "/") {
	case "schema", "draft-04/schema", "draft-06/schema", "draft-07/schema", "draft/2019-09/schema", "draft/2020-12/schema":
		return true
	}
	return false
}

// visitStrings calls visit for each key of a map that has a string, or a list
// with strings, as its value, at any depth.
func visitStrings(node any, visit func(key, value string)) {
	switch node := node.(type) {
	case map[string]any:
		for key, value := range node {
			switch value := value.(type) {
			case string:
				visit(key, value)
			case []any:
				for _, item := range value {
					if text, ok := item.(string); ok {
						visit(key, text)
					}
				}
				visitStrings(value, visit)
			default:
				visitStrings(value, visit)
			}
		}
	case []any:
		for _, value := range node {
			visitStrings(value, visit)
		}
	}
}
