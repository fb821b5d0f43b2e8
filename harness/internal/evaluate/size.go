package evaluate

import "fmt"

// Bounds of one object that is judged. The API server takes no request of more
// than 3 MiB, so a larger one can only be there to make the evaluation slow; and
// no workload that anybody runs has nearly so many values.
const (
	maxObjectBytes  = 3 << 20
	maxObjectValues = 100_000
)

// checkSize refuses an object that is too large to be real. In a list, each item
// is an object.
func checkSize(object map[string]any) error {
	var s size
	for key, value := range object {
		items, ok := value.([]any)
		if key != "items" || !ok {
			s.add(key)
			s.add(value)
			continue
		}
		for i, item := range items {
			var err error
			if fields, ok := item.(map[string]any); ok {
				err = checkSize(fields)
			} else {
				s.add(item)
			}
			if err != nil {
				return fmt.Errorf("items[%d]: %w", i, err)
			}
		}
		s.values += len(items) / itemsPerValue
	}
	kind, _ := object["kind"].(string)
	metadata, _ := object["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	switch {
	case s.bytes > maxObjectBytes:
		return fmt.Errorf("%.100s/%.300s has more than %d MiB of text, which the API server takes no object with: make it smaller", kind, name, maxObjectBytes>>20)
	case s.values > maxObjectValues:
		return fmt.Errorf("%.100s/%.300s has more than %d values, which is more than the rules look at: make it smaller", kind, name, maxObjectValues)
	}
	return nil
}

// itemsPerValue lets a list have more items than an object has values: what
// kubectl prints of a large cluster is one list.
const itemsPerValue = 10

// size counts the values of an object and their text, up to the bounds.
type size struct{ values, bytes int }

func (s *size) add(value any) {
	if s.values++; s.values > maxObjectValues || s.bytes > maxObjectBytes {
		return
	}
	switch value := value.(type) {
	case string:
		s.bytes += len(value)
	case []any:
		for _, item := range value {
			s.add(item)
		}
	case map[string]any:
		for key, member := range value {
			s.bytes += len(key)
			s.add(member)
		}
	}
}
