// Package appset makes the Applications of an ApplicationSet, without a cluster
// and without a network, as Argo CD v3.6.1 makes them.
//
// It follows Argo CD's source, which the comments name, also where that surprises.
// What cannot be known from the repository is refused: generators that ask the
// network, other repositories and revisions, templates that read the clock, and
// whatever Argo CD itself leaves to the order of a Go map. A module of its own,
// harness/e2e/argocd, asks Argo CD; the tests compare with its answers.
package appset

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
	"github.com/proompteng/nevermigrate/harness/internal/bounded"
)

// Set is an ApplicationSet as it stands in a file.
type Set struct {
	// Content is the object, as package manifest reads it.
	Content map[string]any
	// Node is its node, which tells the lines. Without it there are none.
	Node *yaml.Node
}

// Options are what generators may read. The zero value suits an ApplicationSet
// that reads nothing.
type Options struct {
	// Repositories can be read by git generators: the one that is judged, and
	// local checkouts of others.
	Repositories []Repository
	// Clusters are those that Argo CD has Secrets for. Nil says that nobody knows;
	// of an empty list only the cluster of Argo CD itself is left.
	Clusters []Cluster
	// NewFileGlobbing and HiddenDirectories are what an installation of Argo CD can
	// switch on: ARGOCD_APPLICATIONSET_CONTROLLER_ENABLE_NEW_GIT_FILE_GLOBBING, and
	// the repository server's --include-hidden-directories.
	NewFileGlobbing, HiddenDirectories bool
	// Timeout and MaxMemory bound the work. Zero: a minute, and 2 GiB.
	Timeout   time.Duration
	MaxMemory uint64
}

// Result is what an ApplicationSet makes.
type Result struct {
	// Set is the ApplicationSet as Argo CD decodes it.
	Set *api.ApplicationSet
	// Applications stand in Argo CD's order. What it takes from a Go map (merge,
	// clusters) is sorted.
	Applications []Application
	// Warnings are where live Applications may differ, and what is ignored.
	Warnings []Warning
}

// Application is one of the Applications of an ApplicationSet.
type Application struct {
	Name string
	// Object is the Application as Argo CD generates it.
	Object map[string]any
	// Spec is what Argo CD works with: that of the object, normalized.
	Spec api.ApplicationSpec
	// Generator is the place of the generator at the top.
	Generator Place
	// Origins are where its parameters come from: of a matrix or a merge, one for
	// each generator in it, in their order.
	Origins []Origin
}

// Origin is where parameters come from.
type Origin struct {
	Place
	// File or Directory is what a git generator found, from the top of its
	// repository; Item counts the objects of a file from 0.
	File, Directory string
	Item            int
	// Cluster is the name of a cluster.
	Cluster string
}

// Place is a place in an ApplicationSet.
type Place struct {
	// Path is like spec.generators[0].list.elements[3].
	Path string
	// Line and Column are those in the file, or 0 where they are not known.
	Line, Column int
}

// Warning is something that does not change what is made and matters all the same.
type Warning struct {
	Place
	Message string
}

// What an ApplicationSet may need. Argo CD knows no bounds.
const (
	maxApplications = 20_000
	maxTime         = time.Minute
	maxMemory       = 2 << 30
)

// Generate makes the Applications of an ApplicationSet. An error is a *Problem, or
// says that a bound was reached.
func Generate(ctx context.Context, set Set, options Options) (*Result, error) {
	top := topOf(set.Node)
	name := nameOf(set.Content)
	decoded, warnings, err := decode(set.Content, top)
	if err != nil {
		return nil, named(err, name)
	}
	limits := bounded.Limits{What: "making the Applications of ApplicationSet " + name, Time: cmp.Or(options.Timeout, maxTime), Memory: cmp.Or(options.MaxMemory, maxMemory)}
	return bounded.Do(ctx, limits, func(ctx context.Context) (_ *Result, err error) {
		// What Argo CD panics on must not end the program.
		defer func() {
			if panicked := recover(); panicked != nil {
				err = named(&Problem{Message: fmt.Sprintf("Argo CD fails on it: %v", panicked), Remedy: "correct it"}, name)
			}
		}()
		g := &generation{
			set: decoded, options: options, top: top,
			renderer: newRenderer(ctx, decoded.Spec.GoTemplate, top.path("spec", "goTemplateOptions").place()),
		}
		applications, err := g.applications(ctx)
		if err != nil {
			return nil, named(err, name)
		}
		return &Result{Set: decoded, Applications: applications, Warnings: append(warnings, warningsOf(decoded, top)...)}, nil
	})
}

// generation is one ApplicationSet while its Applications are made.
type generation struct {
	set      *api.ApplicationSet
	options  Options
	top      spot
	renderer *renderer
	// made counts sets of parameters, in all generators.
	made int
}

// applications is GenerateApplications of applicationset/controllers/template,
// with what validateGeneratedApplications of the controller says of names.
func (g *generation) applications(ctx context.Context) ([]Application, error) {
	var made []Application
	first := map[string]Application{}
	for i := range g.set.Spec.Generators {
		at := g.top.path("spec", "generators").item(i)
		transformed, err := g.transform(ctx, &g.set.Spec.Generators[i], at, g.set.Spec.Template, nil)
		if err != nil {
			return nil, err
		}
		for _, one := range transformed {
			template := applicationOf(one.template)
			for _, parameters := range one.sets {
				if err := ctx.Err(); err != nil {
					return nil, context.Cause(ctx)
				}
				application, err := g.application(template, parameters, at)
				if err != nil {
					return nil, err
				}
				if earlier, twice := first[application.Name]; twice {
					return nil, duplicate(earlier, application)
				}
				first[application.Name] = application
				if made = append(made, application); len(made) > maxApplications {
					return nil, tooMany(at)
				}
			}
		}
	}
	return made, nil
}

// applicationOf is GetTempApplication of Argo CD.
func applicationOf(template api.ApplicationSetTemplate) *api.Application {
	var application api.Application
	application.Annotations = template.Annotations
	application.Labels = template.Labels
	application.Namespace = template.Namespace
	application.Name = template.Name
	application.Spec = template.Spec
	application.Finalizers = template.Finalizers
	return &application
}

// application makes one Application of the template and a set of parameters.
func (g *generation) application(template *api.Application, parameters paramSet, generator spot) (Application, error) {
	application, err := g.rendered(template, parameters)
	if err != nil {
		return Application{}, err
	}
	result := Application{Name: application.Name, Spec: api.Normalize(application.Spec), Generator: generator.place(), Origins: parameters.origins}
	if application.Name == "" {
		return Application{}, noName(result, g.top)
	}
	text, err := json.Marshal(application)
	if err != nil {
		return Application{}, fmt.Errorf("write Application %s: %w", application.Name, err)
	}
	err = json.Unmarshal(text, &result.Object)
	return result, err
}

// rendered is an Application as it is applied: the template and the templatePatch
// with parameters.
func (g *generation) rendered(template *api.Application, parameters paramSet) (*api.Application, error) {
	application, err := stable(g.renderer, parameters.params, func(params map[string]any) (*api.Application, error) {
		return g.renderedOnce(template, params, parameters.origins)
	})
	if err != nil {
		return nil, failed(g.top.path("spec", "template"), err, parameters.origins)
	}
	return application, nil
}

func (g *generation) renderedOnce(template *api.Application, params map[string]any, origins []Origin) (*api.Application, error) {
	application, err := g.renderer.application(template, g.set.Spec.SyncPolicy, params, g.set.Spec.GoTemplateOptions)
	if err != nil {
		return nil, failed(g.top.path("spec", "template"), err, origins)
	}
	if g.set.Spec.TemplatePatch != nil {
		at := g.top.path("spec", "templatePatch")
		text, err := g.renderer.replace(*g.set.Spec.TemplatePatch, params, g.set.Spec.GoTemplateOptions)
		if err != nil {
			return nil, failed(at, err, origins)
		}
		if application, err = patched(application, text); err != nil {
			return nil, failed(at, err, origins)
		}
	}
	// It may be the template itself, which others are made of.
	applied := *application
	// The boundary of namespaces; a template cannot cross it.
	applied.Namespace = g.set.Namespace
	applied.APIVersion, applied.Kind = "argoproj.io/v1alpha1", "Application"
	return &applied, nil
}

func sameJSON(a, b any) bool {
	textA, errA := json.Marshal(a)
	textB, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(textA) == string(textB)
}
