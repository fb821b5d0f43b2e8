package report

import (
	_ "embed"
	"io"
	"slices"

	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
)

// CoverageSchema is the JSON Schema of a coverage in JSON.
//
//go:embed coverage.schema.json
var CoverageSchema []byte

// Coverage is everything at the paths of a run that can put a workload into a
// cluster.
type Coverage struct {
	Judged    []Judged    `json:"judged"`
	NotJudged []NotJudged `json:"notJudged"`
	// Read is what a judged app reads, and is not judged again by itself.
	Read []Reading `json:"read"`
}

// Judged is a place that was judged: a target.
type Judged struct {
	Path string `json:"path"`
	// Kind is "kustomization", "component", "chart", "manifests", "manifest",
	// "standard input", "Application", or "path" when there is nothing.
	Kind string `json:"kind"`
	// Below is the folder below which it was found; empty when it was named.
	Below string `json:"below,omitempty"`
}

// NotJudged is a place that was not judged.
type NotJudged struct {
	Path string `json:"path"`
	// Kind is that of an object, such as "Application", or one of "Argo CD source",
	// "helmfile", "jsonnet", "submodule", "link", "library chart", "packed chart",
	// "manifest", and the kinds of what was judged.
	Kind   string `json:"kind"`
	Reason string `json:"reason"`
	// MayBind says that its text holds the migrations variable or a name that the
	// contract binds, or that nobody could read it. Then nothing is proven, unless it
	// is excluded.
	MayBind bool `json:"mayBind"`
	// Excluded is the reason that the configuration gives for leaving it out.
	Excluded string `json:"excluded,omitempty"`
}

// Undecided reports whether nothing is proven without it.
func (n NotJudged) Undecided() bool { return n.MayBind && n.Excluded == "" }

// Undecided are those of some places without which nothing is proven.
func Undecided(places []NotJudged) []NotJudged {
	return slices.DeleteFunc(slices.Clone(places), func(n NotJudged) bool { return !n.Undecided() })
}

// Reading is a place that judged apps read.
type Reading struct {
	Path string   `json:"path"`
	Kind string   `json:"kind"`
	By   []string `json:"by"`
}

// Cover adds the coverage, and counts.
func (r *Report) Cover(c *Coverage) {
	r.Coverage = c
	r.Summary.NotJudged, r.Summary.MayBind = len(c.NotJudged), len(Undecided(c.NotJudged))
}

// WriteJSON writes the coverage in its stable form, which CoverageSchema describes.
func (c *Coverage) WriteJSON(w io.Writer) error {
	return plaintext.WriteJSON(w, struct {
		Version int `json:"version"`
		*Coverage
	}{Version, c})
}
