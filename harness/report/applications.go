package report

import (
	_ "embed"
	"io"

	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
)

// ApplicationsSchema is the JSON Schema of Applications in JSON.
//
//go:embed applications.schema.json
var ApplicationsSchema []byte

// Applications are what Argo CD deploys from a repository.
type Applications struct {
	Version      int           `json:"version"`
	Applications []Application `json:"applications"`
	// NotJudged are ApplicationSets of which nobody can know what they make, and
	// Applications that are not judged.
	NotJudged []NotJudged `json:"notJudged"`
}

// Application is an Application of Argo CD.
type Application struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Project   string `json:"project"`
	// Chain are the places that it comes from.
	Chain       []ApplicationPlace  `json:"chain"`
	Sources     []ApplicationSource `json:"sources"`
	Destination Destination         `json:"destination"`
	// Judged says that check judges it; else Reason says why not.
	Judged bool   `json:"judged"`
	Reason string `json:"reason,omitempty"`
}

// ApplicationPlace is a place in a file, from the top of the work tree, or a target
// that renders it.
type ApplicationPlace struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Path string `json:"path"`
}

// ApplicationSource is a source of an Application.
type ApplicationSource struct {
	// Type is Helm, Kustomize, Directory or Plugin; empty for one that others refer to
	// only, and where it is not known.
	Type     string `json:"type"`
	RepoURL  string `json:"repoURL"`
	Path     string `json:"path"`
	Chart    string `json:"chart"`
	Revision string `json:"revision"`
}

// Destination is the cluster and the namespace of an Application.
type Destination struct {
	Server    string `json:"server"`
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}

// WriteJSON writes the Applications in their stable form, which ApplicationsSchema
// describes.
func (a *Applications) WriteJSON(w io.Writer) error { return plaintext.WriteJSON(w, a) }
