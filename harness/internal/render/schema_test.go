package render

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func TestSchemasCompileATextOnce(t *testing.T) {
	var schemas Schemas
	text := func(i int) []byte { return fmt.Appendf(nil, `{"properties": {"a": {"maximum": %d}}}`, i) }
	compiled := make([]*jsonschema.Schema, 8)
	var wait sync.WaitGroup
	for i := range compiled {
		wait.Go(func() { compiled[i] = schemas.of(text(0)).compiled })
	}
	wait.Wait()
	for _, one := range compiled {
		if one == nil || one != compiled[0] {
			t.Error("one text was compiled twice")
		}
	}
	for i := range 3 * maxSchemas {
		s := schemas.of(text(i))
		if err := s.validate(map[string]any{"a": i}); err != nil {
			t.Errorf("schema %d: %v", i, err)
		}
		if err := s.validate(map[string]any{"a": i + 1}); err == nil {
			t.Errorf("schema %d is another one's", i)
		}
		if len(schemas.known) > maxSchemas {
			t.Fatalf("%d schemas are kept", len(schemas.known))
		}
	}
	if (*Schemas)(nil).of(text(0)).compiled == nil {
		t.Error("without Schemas nothing is compiled")
	}
}

// TestSharedSchema: apps that share what is compiled are told the same as one alone.
func TestSharedSchema(t *testing.T) {
	const values = "  valuesInline: {word: 1}\n-- charts/app/values.schema.json --\n"
	for _, schema := range []string{
		`{"properties": {"word": {"type": "string"}}}`,
		`{"properties": {"word": {"$ref": "https://example.com/schema.json"}}}`,
		`{"pattern": "(?!Go cannot compile this)"}`,
		`{"properties": `,
	} {
		dir := write(t, minimalApp+values+schema+"\n")
		_, want := App(t.Context(), dir, Options{})
		if want == nil {
			t.Fatalf("%s: rendered", schema)
		}
		shared := Options{Schemas: &Schemas{}}
		for range 2 {
			_, err := App(t.Context(), dir, shared)
			if err == nil {
				t.Fatalf("%s: rendered", schema)
			}
			if diff := cmp.Diff(want.Error(), err.Error()); diff != "" {
				t.Errorf("%s (-alone +shared):\n%s", schema, diff)
			}
		}
	}
}
