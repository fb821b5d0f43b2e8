package diff

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"

	"github.com/proompteng/nevermigrate/harness/report"
)

// WriteJSON writes the diff in a stable shape, which Schema describes.
// Characters that cannot be seen are escaped, as in the report.
func (d *Diff) WriteJSON(w io.Writer) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(d); err != nil {
		return fmt.Errorf("write diff: %w", err)
	}
	if _, err := w.Write(report.CleanJSON(text.Bytes())); err != nil {
		return fmt.Errorf("write diff: %w", err)
	}
	return nil
}

//go:embed diff.schema.json
var schema []byte

// Schema is the JSON Schema of the JSON form. Findings are those of the report,
// so their part comes from the report's schema.
func Schema() ([]byte, error) {
	type definitions map[string]json.RawMessage
	var reportSchema struct {
		Defs definitions `json:"$defs"`
	}
	if err := json.Unmarshal(report.Schema, &reportSchema); err != nil {
		return nil, fmt.Errorf("read the schema of the report: %w", err)
	}
	var diffSchema struct {
		Schema               json.RawMessage `json:"$schema"`
		Title                json.RawMessage `json:"title"`
		Description          json.RawMessage `json:"description"`
		Type                 json.RawMessage `json:"type"`
		AdditionalProperties json.RawMessage `json:"additionalProperties"`
		Required             json.RawMessage `json:"required"`
		Properties           json.RawMessage `json:"properties"`
		Defs                 definitions     `json:"$defs"`
	}
	if err := json.Unmarshal(schema, &diffSchema); err != nil {
		return nil, fmt.Errorf("read the schema of the diff: %w", err)
	}
	for name, definition := range reportSchema.Defs {
		switch name {
		case "target", "workload", "container", "summary": // the diff has its own
		default:
			diffSchema.Defs[name] = definition
		}
	}
	text, err := json.MarshalIndent(diffSchema, "", "  ")
	return append(text, '\n'), err
}
