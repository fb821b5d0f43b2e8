package diff

import (
	_ "embed"
	"io"

	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
)

// WriteJSON writes the diff in a stable form, which Schema describes.
func (d *Diff) WriteJSON(w io.Writer) error { return plaintext.WriteJSON(w, d) }

// Schema is the JSON Schema of the JSON form. Findings are those of the report,
// and so is their part of the schema.
//
//go:embed diff.schema.json
var Schema []byte
