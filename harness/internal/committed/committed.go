// Package committed reads the small YAML files of a repository that say how it is judged:
// the configuration and the lock of charts. What such a file says must be what a reviewer
// sees, so a problem is told with its line.
package committed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"
)

// Read reads a regular file of at most so many bytes; what is what it is, as in "a lock".
func Read(file string, limit int, what string) ([]byte, error) {
	opened, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	data, err := io.ReadAll(io.LimitReader(opened, int64(limit)+1))
	if err == nil && len(data) > limit {
		err = fmt.Errorf("%s: it is larger than the limit of %d bytes for %s", file, limit, what)
	}
	return data, err
}

// Text is the file that a text is from, as errors name it.
type Text string

// Fail is an error at a node, about a key or, when that is empty, about the whole.
func (t Text) Fail(at *yaml.Node, key, format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	if key != "" {
		message = key + ": " + message
	}
	return fmt.Errorf("%s: line %d: %s", t, max(at.Line, 1), message)
}

// Document is the one document of a text; what is what the text is, as in "a lock", and
// empty says that it has none.
func (t Text) Document(data []byte, what, empty string) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, more yaml.Node
	err := decoder.Decode(&document)
	switch {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%s: %s", t, empty)
	case err != nil:
		return nil, t.broken(err)
	}
	if err := decoder.Decode(&more); err == nil {
		return nil, t.Fail(&more, "", "a second document: %s is one", what)
	} else if !errors.Is(err, io.EOF) {
		return nil, t.broken(err)
	}
	return document.Content[0], nil
}

func (t Text) broken(err error) error {
	return fmt.Errorf("%s: %s", t, strings.TrimPrefix(err.Error(), "yaml: "))
}

// Join is the path of a member of what is at a key; the key of the whole is empty.
func Join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}
