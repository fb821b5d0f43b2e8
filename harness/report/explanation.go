package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
)

// ExplanationSchema is the JSON Schema of an explanation in JSON.
//
//go:embed explanation.schema.json
var ExplanationSchema []byte

// Explanation tells what decides the mode of each container of a set of
// targets, also when all is well.
type Explanation struct {
	Version int               `json:"version"`
	Targets []ExplainedTarget `json:"targets"`
}

// ExplainedTarget is an app or a stream of manifests.
type ExplainedTarget struct {
	Path string `json:"path"`
	// Error says why nothing can be said about it.
	Error     string              `json:"error,omitempty"`
	Workloads []ExplainedWorkload `json:"workloads"`
}

// ExplainedWorkload is a Workload with explained containers.
type ExplainedWorkload struct {
	Kind       string               `json:"kind"`
	Namespace  string               `json:"namespace"`
	Name       string               `json:"name"`
	Role       Role                 `json:"role"`
	Constraint string               `json:"constraint,omitempty"`
	Containers []ExplainedContainer `json:"containers"`
}

// ExplainedContainer is a Container with what decides its mode.
type ExplainedContainer struct {
	Container
	// Chain begins with the place that decides. Each place after it would if
	// those before it were not there. It is empty when nothing declares the
	// variable.
	Chain []Cause `json:"chain"`
	// Truncated says that the search ended at its bound.
	Truncated bool `json:"truncated,omitempty"`
}

// WriteJSON writes the explanation in its stable shape.
func (e *Explanation) WriteJSON(w io.Writer) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(e); err != nil {
		return fmt.Errorf("write explanation: %w", err)
	}
	if _, err := w.Write(escapeUnseen(text.Bytes())); err != nil {
		return fmt.Errorf("write explanation: %w", err)
	}
	return nil
}

// WriteText writes the explanation for people.
func (e *Explanation) WriteText(w io.Writer) error {
	var text bytes.Buffer
	for i, target := range e.Targets {
		if i > 0 {
			text.WriteByte('\n')
		}
		fmt.Fprintf(&text, "%s\n", clean(target.Path))
		if target.Error != "" {
			fmt.Fprintf(&text, "  %s\n", indent(target.Error))
		} else if len(target.Workloads) == 0 {
			fmt.Fprintf(&text, "  no workload is bound by the contract or declares the migrations variable\n")
		}
		for _, workload := range target.Workloads {
			workload.write(&text)
		}
	}
	if _, err := w.Write(text.Bytes()); err != nil {
		return fmt.Errorf("write explanation: %w", err)
	}
	return nil
}

func (e *ExplainedWorkload) write(text *bytes.Buffer) {
	fmt.Fprintf(text, "  %s", clean(e.Kind+"/"+e.Name))
	if e.Namespace != "" {
		fmt.Fprintf(text, " in namespace %s", clean(e.Namespace))
	}
	fmt.Fprintf(text, " (%s", e.Role)
	if e.Constraint != "" {
		fmt.Fprintf(text, ", constraint %s", clean(e.Constraint))
	}
	text.WriteString(")\n")
	for _, container := range e.Containers {
		fmt.Fprintf(text, "    %s", clean(container.Name))
		if container.Type != "container" {
			fmt.Fprintf(text, " (%s)", clean(container.Type))
		}
		fmt.Fprintf(text, ": %s", container.Mode)
		if container.Exempt {
			text.WriteString(" (exempt)")
		}
		text.WriteByte('\n')
		for i := range container.Chain {
			word := "Decided by: "
			if i > 0 {
				word = "Overrides: "
			}
			fmt.Fprintf(text, "      %s%s\n", word, container.Chain[i].describe())
		}
		switch {
		case container.Truncated:
			fmt.Fprintf(text, "      %s\n", "The search ended at its bound, so there may be more.")
		case len(container.Chain) == 0 && container.Mode == Auto:
			fmt.Fprintf(text, "      Nothing declares the variable, so the service migrates.\n")
		case len(container.Chain) == 0:
			fmt.Fprintf(text, "      No place was found that declares the variable in env.\n")
		}
	}
}
