package schemapage

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTable: each form that a key may have.
func TestTable(t *testing.T) {
	got, err := Table([]byte(`{
  "description": "A *document*.", "required": ["version", "of"],
  "properties": {
    "version": {"const": 1},
    "of": {"description": "Either.", "oneOf": [{"type": "string"}, {"$ref": "#/$defs/number"}, {"type": "number"}, {"$ref": "#/$defs/node"}]},
    "nodes": {"description": "Some of a|b, see `+"`x[*]|y`"+`.", "type": "array", "items": {"$ref": "#/$defs/node"}},
    "table": {"type": "array", "description": "Rows.", "items": {"type": "array", "items": {"type": "object", "properties": {"cell": {"type": "boolean", "description": "One."}}}}},
    "named": {"type": "object", "description": "By name.", "additionalProperties": {"enum": ["a", "b"], "description": "Its kind."}},
    "outputs": {"type": "array", "items": {"type": "string"}, "default": ["x", "y"], "description": "Where to."},
    "day": {"type": ["string", "null"], "description": "Free."},
    "until": {"type": "string", "format": "date", "default": "2030-01-31", "description": "The last."},
    "what": {"description": "Unknown."}
  },
  "$defs": {"number": {"type": "integer"}, "node": {
    "description": "A node.", "type": "object", "additionalProperties": false, "required": ["name"], "oneOf": [{"required": ["below"]}, {}],
    "properties": {"name": {"type": "string", "description": "Its name."}, "below": {"type": "array", "description": "More.", "items": {"$ref": "#/$defs/node"}}}
  }}
}`), "default", "must be given")
	if err != nil {
		t.Fatal(err)
	}
	const want = "| key | type | default | what it is |\n|---|---|---|---|\n" +
		"| `version` | `1` | must be given | Always this. |\n" +
		"| `of` | text or number or map | must be given | Either. |\n" +
		"| `of.name` | text | must be given | Its name. |\n" +
		"| `of.below` | list of maps |  | More. |\n" +
		"| `nodes` | list of maps |  | Some of a\\|b, see `x[*]\\|y`. |\n" +
		"| `nodes[].name` | text | must be given | Its name. |\n" +
		"| `nodes[].below` | list of maps |  | More. |\n" +
		"| `table` | list of lists of maps |  | Rows. |\n" +
		"| `table[][].cell` | true or false |  | One. |\n" +
		"| `named` | map |  | By name. |\n" +
		"| `named.<name>` | `a`, `b` |  | Its kind. |\n" +
		"| `outputs` | list of texts | `x`, `y` | Where to. |\n" +
		"| `day` | text or null |  | Free. |\n" +
		"| `until` | date | `2030-01-31` | The last. |\n" +
		"| `what` | any |  | Unknown. |\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestNotUnderstood: a schema of which a row would be wrong makes no table.
func TestNotUnderstood(t *testing.T) {
	for schema, want := range map[string]string{
		`{`:            "read schema: yaml: line 1: did not find expected node content",
		`{"$id": "x"}`: "read schema: x has no keys",
		`{"properties": {"a": {"$ref": "#/$defs/b"}}}`:                                                              "a: there is no #/$defs/b",
		`{"properties": {"a": {"$ref": "other.json"}}, "$defs": {}}`:                                                "a: there is no other.json",
		`{"properties": {"a": {"type": "float"}}}`:                                                                  `a: the type "float" is not known`,
		`{"properties": {"a": {"type": "array", "items": {"type": "object", "properties": {"b": {"type": "x"}}}}}}`: `a[].b: the type "x" is not known`,
	} {
		got, err := Table([]byte(schema), "there", "always")
		if err == nil || err.Error() != want || got != "" {
			t.Errorf("%s: %q, error %v, want %s", schema, got, err, want)
		}
	}
}
