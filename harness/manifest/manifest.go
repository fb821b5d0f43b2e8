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
	"math"
	"strconv"
	"strings"

	strictjson "sigs.k8s.io/json"
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
// JSON decoder would make. It follows convertToJSONableObject of
// sigs.k8s.io/yaml, by which kubectl reads YAML.
func toJSON(content any) (any, error) {
	switch content := content.(type) {
	case map[any]any:
		object := make(map[string]any, len(content))
		for key, value := range content {
			name, err := keyName(key)
			if err != nil {
				return nil, err
			}
			if _, twice := object[name]; twice {
				return nil, fmt.Errorf("key %q is given twice, once in quotes", name)
			}
			if object[name], err = toJSON(value); err != nil {
				return nil, err
			}
		}
		return object, nil
	case []any:
		list := make([]any, len(content))
		for i, value := range content {
			item, err := toJSON(value)
			if err != nil {
				return nil, err
			}
			list[i] = item
		}
		return list, nil
	case float64:
		if math.IsNaN(content) || math.IsInf(content, 0) {
			return nil, fmt.Errorf("%v is no number in JSON", content)
		}
		return content, nil
	case nil, string, bool, int, int64, uint64:
		return content, nil
	default:
		return nil, fmt.Errorf("a value of type %T cannot stand in a Kubernetes object", content)
	}
}

func keyName(key any) (string, error) {
	switch key := key.(type) {
	case string:
		return key, nil
	case bool, int, int64, uint64:
		return fmt.Sprint(key), nil
	case float64:
		// As encoding/json writes it, except for what JSON cannot write.
		switch text := strconv.FormatFloat(key, 'g', -1, 32); text {
		case "+Inf":
			return ".inf", nil
		case "-Inf":
			return "-.inf", nil
		case "NaN":
			return ".nan", nil
		default:
			return text, nil
		}
	default:
		return "", fmt.Errorf("a key of type %T cannot stand in a Kubernetes object", key)
	}
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
