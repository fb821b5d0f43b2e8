package mergekeys

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/kustomize/kyaml/openapi"
	"sigs.k8s.io/kustomize/kyaml/yaml"
)

var update = flag.Bool("update", false, "write definitions.txt")

// whole is kyaml's own schema.
func whole(tb testing.TB) spec.Definitions {
	tb.Helper()
	openapi.ResetOpenAPI()
	tb.Cleanup(openapi.ResetOpenAPI)
	definitions := maps.Clone(openapi.Schema().Definitions)
	if len(definitions) < 600 {
		tb.Fatalf("kyaml has %d definitions: is this its own schema?", len(definitions))
	}
	return definitions
}

func TestFileIsMadeOfKyamlsSchema(t *testing.T) {
	var b strings.Builder
	definitions := whole(t)
	for name := range kustomizes(t) {
		delete(definitions, name)
	}
	for _, name := range slices.Sorted(maps.Keys(definitions)) {
		definition := definitions[name]
		fmt.Fprintln(&b, name+written(t, definition))
		for _, field := range slices.Sorted(maps.Keys(definition.Properties)) {
			property := definition.Properties[field]
			if len(property.Properties) > 0 {
				t.Fatalf("%s.%s has fields of its own, which the file cannot say", name, field)
			}
			fmt.Fprintln(&b, " "+field+written(t, property))
		}
	}
	if *update {
		if err := os.WriteFile("definitions.txt", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		text = b.String()
	}
	if diff := cmp.Diff(b.String(), text); diff != "" {
		t.Errorf("definitions.txt is not what kyaml's schema says, run scripts/generate:\n%s", diff)
	}
}

// kustomizes are the definitions of kustomize's own kinds, which kyaml has in another
// file. That is small and stays.
func kustomizes(tb testing.TB) spec.Definitions {
	tb.Helper()
	openapi.ResetOpenAPI()
	tb.Cleanup(openapi.ResetOpenAPI)
	openapi.SuppressBuiltInSchemaUse()
	return maps.Clone(openapi.Schema().Definitions)
}

// kindText is APIVERSION,KIND of the extension's form.
func kindText(one any) string {
	kind := one.(map[string]any)
	return strings.TrimPrefix(fmt.Sprintf("%v/%v,%v", kind["group"], kind["version"], kind["kind"]), "/")
}

// written is the rest of a line.
func written(t *testing.T, s spec.Schema) string {
	t.Helper()
	var b strings.Builder
	for _, name := range s.Type {
		b.WriteString(" " + name)
	}
	if saysNothing(s) {
		b.WriteString(" any")
	}
	if s.Ref.String() != "" {
		b.WriteString(" =" + strings.TrimPrefix(s.Ref.String(), refPrefix))
	}
	kinds, _ := s.Extensions[kindsExtension].([]any)
	for _, one := range kinds {
		b.WriteString(" kind=" + kindText(one))
	}
	for _, setting := range []struct{ name, extension string }{{"strategy", strategyExtension}, {"key", keyExtension}} {
		if value, ok := s.Extensions[setting.extension]; ok {
			b.WriteString(fmt.Sprintf(" %s=%v", setting.name, value))
		}
	}
	if keys, ok := s.Extensions[keysExtension].([]any); ok {
		b.WriteString(" keys=" + strings.ReplaceAll(strings.Trim(fmt.Sprint(keys), "[]"), " ", ","))
	}
	if s.Items != nil {
		b.WriteString(" of" + written(t, *s.Items.Schema))
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		if s.Items != nil {
			t.Fatalf("%v is a list and a map, which the file cannot say", s)
		}
		b.WriteString(" map" + written(t, *s.AdditionalProperties.Schema))
	}
	return b.String()
}

// saysNothing reports whether a schema has a description at most.
func saysNothing(s spec.Schema) bool {
	return len(s.Type) == 0 && s.Ref.String() == "" && len(s.Properties) == 0 && s.Items == nil && s.AdditionalProperties == nil
}

// With these definitions in place of its own, kyaml gives the same for every kind and
// each of its fields, by its own functions.
func TestKyamlMergesTheSame(t *testing.T) {
	kinds := map[yaml.TypeMeta]bool{}
	definitions := whole(t)
	for _, definition := range definitions {
		listed, _ := definition.Extensions[kindsExtension].([]any)
		for _, one := range listed {
			apiVersion, kind, _ := strings.Cut(kindText(one), ",")
			kinds[yaml.TypeMeta{APIVersion: apiVersion, Kind: kind}] = true
		}
	}
	type answers struct {
		kinds  map[yaml.TypeMeta]map[string]string
		scopes map[yaml.TypeMeta]string
	}
	asked := func() answers {
		a := answers{map[yaml.TypeMeta]map[string]string{}, map[yaml.TypeMeta]string{}}
		for kind := range kinds {
			a.kinds[kind] = map[string]string{}
			describe(openapi.SchemaForResourceType(kind), "", nil, a.kinds[kind])
			namespaced, known := openapi.IsNamespaceScoped(kind)
			a.scopes[kind] = fmt.Sprint(namespaced, known)
		}
		return a
	}
	own := asked()
	fields := 0
	for _, kind := range own.kinds {
		fields += len(kind)
	}
	if len(own.kinds) < 200 || fields < 50_000 {
		t.Fatalf("%d kinds with %d fields were compared", len(own.kinds), fields)
	}

	openapi.ResetOpenAPI()
	openapi.SuppressBuiltInSchemaUse()
	openapi.Schema()
	openapi.AddDefinitions(Definitions())
	small := asked()
	for kind := range kinds {
		if diff := cmp.Diff(own.kinds[kind], small.kinds[kind]); diff != "" {
			t.Fatalf("kyaml answers otherwise for %s %s:\n%s", kind.APIVersion, kind.Kind, diff)
		}
	}
	if diff := cmp.Diff(own.scopes, small.scopes); diff != "" {
		t.Errorf("which kinds have a namespace:\n%s", diff)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(definitions)), slices.Sorted(maps.Keys(openapi.Schema().Definitions))); diff != "" {
		t.Errorf("definitions:\n%s", diff)
	}
}

// describe notes what kyaml knows of a schema and all that is below it, but for a
// definition that is below itself.
func describe(s *openapi.ResourceSchema, path string, above []string, into map[string]string) {
	if s == nil {
		into[path] = "none"
		return
	}
	strategy, keys := s.PatchStrategyAndKeyList()
	_, key := s.PatchStrategyAndKey()
	fields := slices.Sorted(maps.Keys(s.Schema.Properties))
	into[path] = fmt.Sprint(s.Schema.Type, strategy, keys, key, fields, s.IsMissingOrNull())
	// What is below itself has the same fields as it has above.
	if said := fmt.Sprint(fields); len(fields) > 0 {
		if slices.Contains(above, said) {
			return
		}
		above = append(slices.Clone(above), said)
	}
	describe(s.Elements(), path+"[]", above, into)
	for _, field := range append(fields, "no such field") {
		describe(s.Field(field), path+"."+field, above, into)
	}
}

func BenchmarkDefinitions(b *testing.B) {
	for b.Loop() {
		Definitions()
	}
}
