// Package manifest reads rendered manifests: a stream of YAML or JSON documents
// into Kubernetes objects, none of them lost.
//
// The meaning of YAML is that of kubectl and the API server, which is YAML 1.1:
// an unquoted `off` is a boolean.
package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	goyaml "sigs.k8s.io/yaml/goyaml.v2"
)

// Object is one document of a stream.
type Object struct {
	// Document counts the documents of the stream from 1, empty ones included.
	Document int
	// Content is the object as encoding/json would decode it.
	Content map[string]any
	// Beside are objects of the same target that decide what is made of this one;
	// see WithBeside.
	Beside []map[string]any
	// List is the place in its list of an object that Items took out of one.
	List *Place
}

// Place is where an item stands in a list.
type Place struct {
	Kind any    // of the list
	Path string // of the item, as the policy prints it before a path in it
}

// ErrEmpty says that a stream holds no object at all.
var ErrEmpty = errors.New("no objects: the manifest is empty")

// Read reads every object of a stream. Empty documents are passed over, as
// kubectl does. Errors name the document and the line: text that is no YAML, a
// template that was not rendered, a key that is given twice, a document that is
// not a Kubernetes object (a map with a kind), or ErrEmpty.
//
// A key that << merges into a map is overridden as kubectl does it: by what is
// written after it, and by the maps before it in a list.
func Read(data []byte) ([]Object, error) {
	objects, err := readEither(data)
	if err != nil {
		return nil, inLine(data, err)
	}
	if len(objects) == 0 {
		return nil, ErrEmpty
	}
	return objects, nil
}

// readEither reads JSON where the text is that, for YAML takes far longer to read, and
// else YAML, which in flow style begins like JSON.
func readEither(data []byte) ([]Object, error) {
	if !looksLikeJSON(data) {
		return readYAML(data)
	}
	objects, jsonErr := readJSON(data)
	if jsonErr == nil {
		return objects, nil
	}
	objects, err := readYAML(data)
	if err != nil && firstIsJSON(data) {
		err = jsonErr
	}
	return objects, err
}

// looksLikeJSON reports whether a text begins like a map or a list of JSON.
func looksLikeJSON(data []byte) bool {
	begin := bytes.TrimSpace(data)
	return len(begin) > 0 && (begin[0] == '{' || begin[0] == '[')
}

func readYAML(data []byte) ([]Object, error) {
	decoder := goyaml.NewDecoder(bytes.NewReader(data))
	decoder.SetStrict(true)
	objects, err := decodeYAML(decoder, func() error { return nil })
	var twice *goyaml.TypeError
	if errors.As(err, &twice) && bytes.Contains(data, []byte("<<")) {
		// The keys that are given twice may be those that are merged and
		// overridden, which is what they are there for.
		return decodeYAML(goyaml.NewDecoder(bytes.NewReader(data)), duplicatesIn(data))
	}
	return objects, err
}

// decodeYAML reads a YAML stream. For each document that can be decoded it asks
// a function, too, whether it may be.
func decodeYAML(decoder *goyaml.Decoder, allowed func() error) ([]Object, error) {
	return readAll(func() (map[string]any, error) {
		var content any
		if err := decoder.Decode(&content); err != nil {
			return nil, err
		}
		if err := allowed(); err != nil || content == nil {
			return nil, err
		}
		value, err := toJSON(content)
		if err != nil {
			return nil, err
		}
		return asObject(value)
	})
}

// readAll collects what a function reads, document by document, until io.EOF. It
// gives nil for an empty document.
func readAll(next func() (map[string]any, error)) ([]Object, error) {
	var objects []Object
	for document := 1; ; document++ {
		content, err := next()
		switch {
		case err == io.EOF:
			return objects, nil
		case err != nil:
			return nil, &faultError{document, err}
		case content != nil:
			objects = append(objects, Object{Document: document, Content: content})
		}
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
			var err error
			if list[i], err = toJSON(value); err != nil {
				return nil, err
			}
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
		return "", fmt.Errorf("a key that is %s cannot stand in a Kubernetes object", keyType(key))
	}
}

// errNoObject says that a document is readable and no Kubernetes object.
var errNoObject = errors.New("not a Kubernetes object")

// keyType names the type of a key.
func keyType(key any) string {
	if _, isMap := key.(map[any]any); isMap {
		return "a map"
	}
	return typeName(key)
}

func asObject(value any) (map[string]any, error) {
	object, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%w but %s", errNoObject, typeName(value))
	}
	if kind, ok := object["kind"].(string); !ok || kind == "" {
		return nil, fmt.Errorf("%w: it has no kind", errNoObject)
	}
	return object, nil
}

func typeName(value any) string {
	switch value.(type) {
	case nil:
		return "null"
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

// isEOF reports whether a reader ended at the end of the text.
func isEOF(err error) bool { return errors.Is(err, io.EOF) }
