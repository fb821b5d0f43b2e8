package render

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
)

// schema is the values.schema.json of a chart, compiled, or why it cannot be.
type schema struct {
	compiled *jsonschema.Schema
	err      error
	outside  string // the first document that it refers to, if any
}

// Schemas are the schemas of values that one run has compiled, so that the many apps
// of one chart need not compile its schema again, which takes as long as the templates
// do. The zero value has none yet. It is safe for concurrent use.
type Schemas struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]func() schema
}

// maxSchemas bounds how many are kept.
const maxSchemas = 64

// of is the schema of a text. Without Schemas it is compiled.
func (s *Schemas) of(text []byte) schema {
	if s == nil {
		return compileSchema(text)
	}
	digest := sha256.Sum256(text)
	s.mu.Lock()
	compiled, ok := s.known[digest]
	if !ok {
		if s.known == nil || len(s.known) == maxSchemas {
			s.known = map[[sha256.Size]byte]func() schema{}
		}
		compiled = sync.OnceValue(func() schema { return compileSchema(text) })
		s.known[digest] = compiled
	}
	s.mu.Unlock()
	return compiled()
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
func compileSchemas(c *chartv2.Chart, schemas map[string]schema, known *Schemas) error {
	if c.Schema != nil {
		compiled := known.of(c.Schema)
		if compiled.outside != "" {
			return fmt.Errorf("values.schema.json of chart %s refers to %q: rendering loads no other document; copy it into the schema under \"$defs\"", c.Name(), compiled.outside)
		}
		schemas[string(c.Schema)] = compiled
	}
	for _, below := range c.Dependencies() {
		if err := compileSchemas(below, schemas, known); err != nil {
			return err
		}
	}
	return nil
}

// compileSchema follows ValidateAgainstSingleSchema of
// helm.sh/helm/v4/pkg/chart/common/util.
func compileSchema(text []byte) (s schema) {
	defer recovered(&s.err)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return schema{err: err}
	}
	var outside noDocuments
	defer func() { s.outside = outside.asked }()
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(&outside)
	if err := compiler.AddResource("file:///values.schema.json", document); err != nil {
		return schema{err: err}
	}
	compiled, err := compiler.Compile("file:///values.schema.json")
	return schema{compiled: compiled, err: err}
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
