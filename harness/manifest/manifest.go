// Package manifest reads rendered manifests: a stream of YAML or JSON documents
// into Kubernetes objects, none of them lost.
//
// The meaning of YAML is that of kubectl and the API server, which is YAML 1.1:
// an unquoted `off` is a boolean.
package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	strictjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
	goyaml "sigs.k8s.io/yaml/goyaml.v2"
)

// Object is one document of a stream.
type Object struct {
	// Document counts the documents of the stream from 1, empty ones included.
	Document int
	// Content is the object as encoding/json would decode it.
	Content map[string]any
}

// ErrEmpty says that a stream holds no object at all.
var ErrEmpty = errors.New("no objects: the manifest is empty")

// Read reads every object of a stream. Empty documents are passed over, as
// kubectl does. Errors name the document and, where it can be known, the line:
// text that is no YAML, a key that is given twice, a document that is not a
// Kubernetes object (a map with a kind), or ErrEmpty.
func Read(data []byte) ([]Object, error) {
	objects, err := readYAML(data)
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		// JSON, or YAML in flow style, which begins like it.
		fromJSON, jsonErr := readJSON(data)
		if jsonErr == nil || err != nil && firstIsJSON(data) {
			objects, err = fromJSON, jsonErr
		}
	}
	if err == nil && len(objects) == 0 {
		return nil, ErrEmpty
	}
	return objects, err
}

// readJSON reads JSON objects that follow each other, as kubectl does.
func readJSON(data []byte) ([]Object, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	var objects []Object
	for document := 1; ; document++ {
		var text json.RawMessage
		err := decoder.Decode(&text)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			line := 1 + bytes.Count(data[:decoder.InputOffset()], []byte("\n"))
			return nil, fmt.Errorf("document %d: after line %d: %w", document, line, err)
		}
		var content any
		twice, err := strictjson.UnmarshalStrict(text, &content, strictjson.DisallowDuplicateFields)
		if err = errors.Join(append(twice, err)...); err != nil {
			return nil, fmt.Errorf("document %d: %w", document, err)
		}
		object, err := asObject(content)
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", document, err)
		}
		objects = append(objects, Object{Document: document, Content: object})
	}
}

// firstIsJSON reports whether a text begins with a whole JSON value.
func firstIsJSON(data []byte) bool {
	var first json.RawMessage
	return json.NewDecoder(bytes.NewReader(data)).Decode(&first) == nil
}

func readYAML(data []byte) ([]Object, error) {
	decoder := goyaml.NewDecoder(bytes.NewReader(data))
	decoder.SetStrict(true)
	var objects []Object
	for document := 1; ; document++ {
		var content any
		err := decoder.Decode(&content)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("document %d: %s", document, yamlMessage(err))
		}
		if content == nil {
			continue
		}
		value, err := toJSON(content)
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", document, err)
		}
		object, err := asObject(value)
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", document, err)
		}
		objects = append(objects, Object{Document: document, Content: object})
	}
}

// toJSON turns what the YAML decoder made, with keys of any type, into what a
// JSON decoder would make, by the conversion that kubectl uses.
func toJSON(content any) (any, error) {
	text, err := goyaml.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	var value any
	if err := yaml.Unmarshal(text, &value); err != nil {
		return nil, fmt.Errorf("convert to JSON: %w", err)
	}
	return value, nil
}

func asObject(value any) (map[string]any, error) {
	object, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("not a Kubernetes object but %s", typeName(value))
	}
	if kind, ok := object["kind"].(string); !ok || kind == "" {
		return nil, errors.New("not a Kubernetes object: it has no kind")
	}
	return object, nil
}

func typeName(value any) string {
	switch value.(type) {
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case []any:
		return "a list"
	default:
		return "a number"
	}
}

// yamlMessage puts a YAML error on one line: `line 3: …`.
func yamlMessage(err error) string {
	var typeError *goyaml.TypeError
	if errors.As(err, &typeError) {
		return strings.Join(typeError.Errors, "; ")
	}
	return strings.TrimPrefix(err.Error(), "yaml: ")
}
