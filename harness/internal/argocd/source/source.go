// Package source makes the objects that Argo CD v3.6.1 would apply for an
// Application, without a cluster and without a network.
//
// It follows Argo CD's source, which the comments name, also where that surprises.
// What cannot be known from the repository is refused: other repositories and
// revisions, plugins, Jsonnet, files by URL, and whatever Argo CD itself leaves to
// the order of a Go map. Options of a source are laid over kustomizations and values
// in memory: nothing is written, no command is run, and nothing outside of the
// repository is read. A module of its own, harness/e2e/argocd, asks Argo CD; the
// tests compare with its answers.
package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
	"github.com/proompteng/nevermigrate/harness/internal/bounded"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// View is what can be known of the world that an Application is in.
type View struct {
	// Repositories are there to be read: the one that is judged, and local
	// checkouts of others.
	Repositories []Repository
	// Settings are those of the Argo CD instance.
	Settings Settings
	// Plugins says, by the name of a config management plugin, what it does:
	// KustomizeEnableHelm.
	Plugins map[string]string
	// Chart finds the folder of a chart that a source names by repository, name and
	// revision, or says why there is none; the field of a *Problem is that below the
	// source. Nil: there is never one. See Charts.
	Chart func(repoURL, chart, revision string) (folder string, err error)
}

// KustomizeEnableHelm is said of a plugin that only runs `kustomize build
// --enable-helm`.
const KustomizeEnableHelm = "kustomize-enable-helm"

// Types of sources, as Argo CD names them.
const (
	Helm      = "Helm"
	Kustomize = "Kustomize"
	Directory = "Directory"
	Plugin    = "Plugin"
)

// Result is what Argo CD would apply.
type Result struct {
	// Objects are those of all sources, each as encoding/json decodes it, with the
	// namespaces and labels that Argo CD gives them. There may be none.
	Objects []map[string]any
	// Origins say of each object which of the Sources it is from.
	Origins []int
	// Sources are what the objects were made of.
	Sources []Source
	// Warnings are what does not change the objects and matters all the same.
	Warnings []Warning
}

// Source is one source of an Application, as it was read.
type Source struct {
	// Field is where it stands, such as spec.sources[1].
	Field string
	// Type is one of Helm, Kustomize, Directory and Plugin; empty for one that others
	// refer to only.
	Type string
	// RepoURL, Path, Chart, Ref and Revision are its own.
	RepoURL, Path, Chart, Ref, Revision string
	// Folder is where it is on disk; empty when it was not rendered.
	Folder string
	// Merged is the source with what .argocd-source files lay over it.
	Merged api.ApplicationSource
	// Files are read by their names, wherever they are: value files, .argocd-source
	// files, files of parameters. In a directory they are its manifests.
	Files []string
	// Kustomization is the file of a kustomization and Edited its content with the
	// options of the source, which Options.Overlay takes. Empty where it is as it is.
	Kustomization string
	Edited        []byte
	// Release is what a chart was templated for.
	Release *render.Release
	// Options are those of the rendering.
	Options render.Options
}

// Warning is something that a reader should know.
type Warning struct {
	// Field is the place in the Application.
	Field   string
	Message string
	// Live says that what runs may differ from the objects.
	Live bool
}

// Render makes the objects of an Application. Errors are a *Problem, or say that a
// bound was reached.
func Render(ctx context.Context, app *api.Application, view View, options render.Options) (*Result, error) {
	limits := bounded.Limits{
		What: "rendering Application " + app.Name,
		Time: cmp.Or(options.Timeout, render.DefaultTimeout), Memory: cmp.Or(options.MaxMemory, render.DefaultMaxMemory),
	}
	return bounded.Do(ctx, limits, func(ctx context.Context) (result *Result, err error) {
		// What Argo CD panics on must not end the program.
		defer func() {
			if panicked := recover(); panicked != nil {
				result, err = nil, &Problem{Application: app.Name, Reason: fmt.Sprintf("Argo CD fails on it: %v", panicked), Remedy: "correct it", Broken: true}
			}
		}()
		r := &rendering{ctx: ctx, app: normalized(app), view: view, options: options, revision: revision}
		objects, err := r.all()
		if err != nil {
			return nil, named(err, app.Name)
		}
		r.result.Objects = r.normalize(objects)
		if err := r.dependsOnRevision(); err != nil {
			return nil, named(err, app.Name)
		}
		if err := r.dependsOnNormalization(app); err != nil {
			return nil, named(err, app.Name)
		}
		r.warnOfIgnoredDifferences()
		return &r.result, nil
	})
}

// rendering is one Application while it is rendered.
type rendering struct {
	ctx     context.Context
	app     *api.Application
	view    View
	options render.Options
	refs    map[string]reference
	result  Result
	// revision stands for the commit that is synced, and revised are the fields that
	// hold it.
	revision string
	revised  []string
	// origins are those of the objects before duplicates are dropped.
	origins []int
}

func (r *rendering) warn(field, format string, args ...any) {
	r.result.Warnings = append(r.result.Warnings, Warning{Field: field, Message: fmt.Sprintf(format, args...)})
}

// named puts the name of the Application into a problem.
func named(err error, name string) error {
	var problem *Problem
	if errors.As(err, &problem) && problem.Application == "" {
		problem.Application = name
	}
	return err
}
