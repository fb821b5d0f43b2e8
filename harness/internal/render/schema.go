package render

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
)

// schema is the values.schema.json of a chart, compiled, or why it cannot be.
type schema struct {
	compiled *jsonschema.Schema
	err      error
}

// noDocuments refuses to load a document, and remembers the first that was
// asked for. Helm would load it, from the network or from anywhere in the file
// system.
type noDocuments struct{ asked string }

// Load implements jsonschema.URLLoader.
func (n *noDocuments) Load(url string) (any, error) {
	n.asked = cmp.Or(n.asked, url)
	return nil, errors.New("rendering loads no other document")
}

// compileSchemas compiles the schemas of a chart and of those below it, by their
// text. It refuses one that refers to another document. What else is wrong with
// one matters only when values are validated against it.
func compileSchemas(c *chartv2.Chart, schemas map[string]schema) error {
	if c.Schema != nil {
		var outside noDocuments
		compiled, err := compileSchema(c.Schema, &outside)
		if outside.asked != "" {
			return fmt.Errorf("values.schema.json of chart %s refers to %q: rendering loads no other document; copy it into the schema under \"$defs\"", c.Name(), outside.asked)
		}
		schemas[string(c.Schema)] = schema{compiled, err}
	}
	for _, below := range c.Dependencies() {
		if err := compileSchemas(below, schemas); err != nil {
			return err
		}
	}
	return nil
}

// compileSchema follows ValidateAgainstSingleSchema of
// helm.sh/helm/v4/pkg/chart/common/util.
func compileSchema(text []byte, loader jsonschema.URLLoader) (compiled *jsonschema.Schema, err error) {
	defer recovered(&err)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(loader)
	if err := compiler.AddResource("file:///values.schema.json", document); err != nil {
		return nil, err
	}
	return compiler.Compile("file:///values.schema.json")
}

func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("unable to validate schema: %v", r)
	}
}

// schemaProblems are what the schemas of charts say against values.
type schemaProblems []schemaProblem

type schemaProblem struct {
	error
	text string // Helm's own words
}

// Error implements error.
func (p schemaProblems) Error() string {
	text := "values don't meet the specifications of the schema(s) in the following chart(s):\n"
	for _, problem := range p {
		text += problem.text
	}
	return text
}

// Unwrap returns the problems.
func (p schemaProblems) Unwrap() []error {
	var all []error
	for _, problem := range p {
		all = append(all, problem.error)
	}
	return all
}

// validate follows ValidateAgainstSchema of the same package.
func (c *Chart) validate(chart *chartv2.Chart, values map[string]any) schemaProblems {
	var problems schemaProblems
	if chart.Schema != nil {
		if err := c.schemas[string(chart.Schema)].validate(values); err != nil {
			text, invalid := strings.CutPrefix(err.Error(), "jsonschema validation failed with 'file:///values.schema.json#'\n")
			if invalid {
				text += "\n"
			}
			problems = append(problems, schemaProblem{err, chart.Name() + ":\n" + text})
		}
	}
	for _, below := range chart.Dependencies() {
		own, ok := values[below.Name()].(map[string]any)
		if ok {
			problems = append(problems, c.validate(below, own)...)
		} else if given := values[below.Name()]; given != nil {
			err := fmt.Errorf("invalid type for values: expected object (map), got %T", given)
			problems = append(problems, schemaProblem{err, fmt.Sprintf("%s:\n%v\n", below.Name(), err)})
		}
	}
	return problems
}

func (s schema) validate(values map[string]any) (err error) {
	defer recovered(&err)
	if s.err != nil {
		return s.err
	}
	return s.compiled.Validate(values)
}
