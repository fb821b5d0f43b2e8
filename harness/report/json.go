package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
)

// Read reads one report in the form that WriteJSON writes. A key that is not
// known here, and another version of the form, are errors: what they say may
// change the verdict.
func Read(r io.Reader) (*Report, error) {
	decoder := json.NewDecoder(r)
	decoder.DisallowUnknownFields()
	var report Report
	if err := decoder.Decode(&report); err != nil {
		return nil, fmt.Errorf("it is no report of check -o json: %w", err)
	}
	if report.Version != Version {
		return nil, fmt.Errorf("it has version %d, and this program reads version %d", report.Version, Version)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("it is no report of check -o json: there is more after it")
	}
	for i := range report.Targets {
		report.Targets[i].link() // what a file says of pages is not followed
	}
	return &report, nil
}

// WriteJSON writes the report in its stable form, which Schema describes.
// Characters that cannot be seen are escaped there too, as JSON does it.
func (r *Report) WriteJSON(w io.Writer) error { return plaintext.WriteJSON(w, r) }

// WriteJSON writes the explanation in its stable form, which ExplanationSchema
// describes.
func (e *Explanation) WriteJSON(w io.Writer) error { return plaintext.WriteJSON(w, e) }
