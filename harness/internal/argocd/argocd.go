// Package argocd finds what Argo CD deploys from a repository: Applications, those
// that ApplicationSets make too, and the objects of each, without a cluster and
// without a network.
package argocd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
	"github.com/proompteng/nevermigrate/harness/internal/argocd/appset"
	"github.com/proompteng/nevermigrate/harness/internal/argocd/source"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// Object is an Application or an ApplicationSet, and where it stands.
type Object struct {
	Content map[string]any
	// File is the file that it stands in, and Node its node there, which tells the
	// lines; nil: it has none.
	File string
	Node *yaml.Node
	// By is the target that renders it, when it stands in no file, and Again makes its
	// content once more with other files in the place of some.
	By    string
	Again func(ctx context.Context, overlay map[string][]byte) (map[string]any, error)
}

// IsSet reports whether the object is an ApplicationSet.
func (o Object) IsSet() bool { return o.Content["kind"] == "ApplicationSet" }

// Application is one that Argo CD deploys.
type Application struct {
	*api.Application
	// Chain are the places that it comes from: the ApplicationSet's, if one makes it,
	// and in that the elements that give its parameters.
	Chain []Place
	// Dropped are what Argo CD drops of it: fields that it does not know.
	Dropped []string
	// object is what it is made of.
	object Object
	// Folders are those of its sources in the repositories that are here, by their
	// paths; a chart of a chart repository has none.
	Folders []string
}

// Place is a place in a file, or a target that renders an object.
type Place struct {
	// File is relative to the top of the work tree, with forward slashes, or, for what
	// stands in none, the target.
	File string
	// Line is 0 where it is not known.
	Line int
	// Path is the place inside the object.
	Path string
}

// String is FILE:LINE.
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// Key tells Applications apart, as a cluster does.
func (a Application) Key() string { return a.Namespace + "/" + a.Name }

// World is what can be known of the Argo CD that deploys a repository.
type World struct {
	// top is the real path of the work tree.
	top  string
	view source.View
	sets appset.Options
	// roots are open as long as the world is.
	roots []*os.Root
}

// Close closes the folders of the repositories.
func (w *World) Close() {
	for _, root := range w.roots {
		_ = root.Close()
	}
}

// Facts are what the world says that decides how an Application is rendered, without
// what is read of the repositories. They can be written as JSON.
func (w *World) Facts() any {
	type repository struct {
		Folder          string
		URLs, Revisions []string
	}
	facts := struct {
		Repositories []repository
		Settings     source.Settings
		Plugins      map[string]string
	}{Settings: w.view.Settings, Plugins: w.view.Plugins}
	for _, r := range w.view.Repositories {
		facts.Repositories = append(facts.Repositories, repository{FromTop(w.top, r.Root), r.URLs, r.Revisions})
	}
	return facts
}

// Applications are those that an object makes: one of an Application. Warnings are of
// an ApplicationSet. An error says why none can be known.
func (w *World) Applications(ctx context.Context, object Object) ([]Application, []appset.Warning, error) {
	from := Place{File: w.fromTop(object)}
	if object.Node != nil {
		from.Line = lineOf(object.Node)
	}
	if !object.IsSet() {
		one, err := w.application(object, object.Content, []Place{from})
		if err != nil {
			return nil, nil, err
		}
		return []Application{one}, nil, nil
	}
	result, err := appset.Generate(ctx, appset.Set{Content: object.Content, Node: object.Node}, w.sets)
	if err != nil {
		return nil, nil, err
	}
	var applications []Application
	for _, made := range result.Applications {
		chain := []Place{from}
		for _, origin := range made.Origins {
			line := origin.Line
			origin.Line = 0 // which its text has, too
			chain = append(chain, Place{File: from.File, Line: line, Path: origin.String()})
		}
		one, err := w.application(object, made.Object, chain)
		if err != nil {
			return nil, nil, err
		}
		applications = append(applications, one)
	}
	return applications, result.Warnings, nil
}

// application is one that an object makes, decoded as Argo CD has it.
func (w *World) application(object Object, content map[string]any, chain []Place) (Application, error) {
	decoded, dropped, err := source.Decode(content)
	if err != nil {
		return Application{}, fmt.Errorf("%w: correct the type", err)
	}
	if decoded.Name == "" {
		return Application{}, errors.New("read an Application: metadata.name is missing: add it")
	}
	a := Application{Application: decoded, Chain: chain, Dropped: dropped, object: object}
	for _, s := range sourcesOf(&decoded.Spec) {
		if s.Path == "" || s.Chart != "" || !filepath.IsLocal(filepath.FromSlash(s.Path)) {
			continue
		}
		for _, repository := range w.view.Repositories {
			if repository.Has(s.RepoURL) {
				a.Folders = append(a.Folders, filepath.Join(repository.Root, filepath.FromSlash(s.Path)))
				break
			}
		}
	}
	return a, nil
}

// Sources are those that are rendered, the dry one of a hydrator.
func (a Application) Sources() []api.ApplicationSource { return sourcesOf(&a.Spec) }

// sourcesOf are the sources of an Application, the dry one of a hydrator.
func sourcesOf(spec *api.ApplicationSpec) []api.ApplicationSource {
	switch {
	case spec.SourceHydrator != nil:
		return []api.ApplicationSource{{RepoURL: spec.SourceHydrator.DrySource.RepoURL, Path: spec.SourceHydrator.DrySource.Path, TargetRevision: spec.SourceHydrator.DrySource.TargetRevision}}
	case len(spec.Sources) > 0:
		return spec.Sources
	case spec.Source != nil:
		return []api.ApplicationSource{*spec.Source}
	}
	return nil
}

// Render makes the objects of an Application; see source.Render. What the overlay of the
// options has in place of the file of the Application counts.
func (w *World) Render(ctx context.Context, a Application, options render.Options) (*source.Result, error) {
	a, err := w.again(ctx, a, options.Overlay)
	if err != nil {
		return nil, err
	}
	view := w.view
	view.Chart = source.Charts(ctx, options.Charts)
	result, err := source.Render(ctx, a.Application, view, options)
	var problem *source.Problem
	if options.Charts != nil && errors.As(err, &problem) {
		problem.Reason = options.Charts.ShownMessage(problem.Reason)
	}
	return result, err
}

// File is the file in which the Application stands, or the ApplicationSet that makes it;
// empty when another app renders it.
func (a Application) File() string { return a.object.File }

// Place is where a field of the Application stands, such as spec.ignoreDifferences[0]; in
// an ApplicationSet it is that of the template. Its line is 0 where it is not known.
func (a Application) Place(field string) Place {
	place := Place{File: a.Chain[0].File, Path: field}
	if a.object.IsSet() {
		place.Path = "spec.template." + field
	}
	keys := strings.FieldsFunc(place.Path, func(r rune) bool { return strings.ContainsRune(".[]", r) })
	if a.object.Node == nil {
		return place
	}
	if found, err := yaml.NewRNode(a.object.Node).Pipe(yaml.Lookup(keys...)); err == nil && found != nil {
		place.Line = found.YNode().Line
	}
	return place
}

// IsMade reports whether an ApplicationSet makes the Application.
func (a Application) IsMade() bool { return a.object.IsSet() }

// By is the target that renders the object of the Application; empty when that stands in
// a file.
func (a Application) By() string { return a.object.By }

// again makes an Application once more, when its file is one of an overlay.
func (w *World) again(ctx context.Context, a Application, overlay map[string][]byte) (Application, error) {
	if a.object.Again != nil && len(overlay) > 0 {
		content, err := a.object.Again(ctx, overlay)
		if err != nil {
			return a, err
		}
		return w.made(ctx, a, Object{Content: content, By: a.object.By})
	}
	real, err := filepath.EvalSymlinks(filepath.FromSlash(a.object.File))
	if err != nil || a.object.File == "" {
		return a, nil
	}
	if real, err = filepath.Abs(real); err != nil {
		return a, nil
	}
	text, changed := overlay[real]
	if !changed {
		return a, nil
	}
	objects, err := manifest.Read(text)
	if err != nil {
		return a, err
	}
	for _, object := range objects {
		if object.Content["kind"] != a.object.Content["kind"] || NameOf(object.Content) != NameOf(a.object.Content) {
			continue
		}
		// A kustomization may have given it a namespace and labels.
		if a.object.Content["metadata"] != nil {
			object.Content["metadata"] = a.object.Content["metadata"]
		}
		return w.made(ctx, a, Object{Content: object.Content, File: a.object.File})
	}
	return a, fmt.Errorf("there is no Application %s any more", a.Name)
}

// made is an Application as an object makes it.
func (w *World) made(ctx context.Context, a Application, object Object) (Application, error) {
	made, _, err := w.Applications(ctx, object)
	if err != nil {
		return a, err
	}
	for _, one := range made {
		if one.Key() == a.Key() {
			return one, nil
		}
	}
	return a, fmt.Errorf("there is no Application %s any more", a.Name)
}

// fromTop is where an object stands, from the top of the work tree.
func (w *World) fromTop(object Object) string {
	if object.File == "" {
		// A target is a folder, with what follows it.
		folder, _, _ := strings.Cut(object.By, " (")
		return FromTop(w.top, filepath.FromSlash(folder)) + object.By[len(folder):]
	}
	return FromTop(w.top, object.File)
}

// FromTop is a path as seen from the top of a work tree, with forward slashes.
func FromTop(top, path string) string {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return filepath.ToSlash(path)
	}
	if real, err := filepath.EvalSymlinks(absolute); err == nil {
		absolute = real
	}
	relative, err := filepath.Rel(top, absolute)
	if err != nil || !filepath.IsLocal(relative) {
		return filepath.ToSlash(path)
	}
	return filepath.ToSlash(relative)
}

func lineOf(node *yaml.Node) int {
	if node.Kind == yaml.DocumentNode && len(node.Content) == 1 {
		node = node.Content[0]
	}
	return node.Line
}

// Instance is what is said of an Argo CD. Paths are relative to the top of the work
// tree.
type Instance struct {
	// URLs are those under which the repository itself is known, and Revisions the
	// names of what is judged, besides HEAD.
	URLs, Revisions []string
	// Checkouts are other repositories, by their URLs.
	Checkouts map[string]string
	// Plugins say what plugins do, by their names.
	Plugins map[string]string
	// Settings is the file with argocd-cm; empty: that of the repository, if there is
	// one, without what it says to leave alone.
	Settings string
	// Clusters are files with the Secrets of clusters; nil: nobody knows them.
	Clusters []string
	// Versions are those of clusters, by server or name.
	Versions map[string]source.Versions
	// Tracked are the files that git knows, and Submodules the submodules. Nil: all
	// files that are there.
	Tracked, Submodules []string
}

// World is what can be known of the Argo CD that deploys the work tree at a real path.
// It is to be closed. It is an error when a file that is named cannot be read.
func (i Instance) World(top string) (*World, error) {
	w := &World{top: top}
	if err := i.open(w); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// open fills in a world.
func (i Instance) open(w *World) (err error) {
	top := w.top
	if i.Settings != "" {
		if w.view.Settings, err = readSettings(filepath.Join(top, filepath.FromSlash(i.Settings))); err != nil {
			return err
		}
	}
	w.view.Plugins = i.Plugins
	add := func(urls []string, folder string, tracked, submodules []string) error {
		if tracked == nil {
			if tracked, err = filesBelow(folder); err != nil {
				return err
			}
		}
		root, err := os.OpenRoot(folder)
		if err != nil {
			return fmt.Errorf("open repository: %w", err)
		}
		w.roots = append(w.roots, root)
		w.view.Repositories = append(w.view.Repositories, source.Repository{URLs: urls, Root: folder, Revisions: i.Revisions})
		w.sets.Repositories = append(w.sets.Repositories, appset.Repository{URLs: urls, Revisions: i.Revisions, FS: root.FS(), Tracked: tracked, Submodules: submodules})
		return nil
	}
	if err := add(i.URLs, top, i.Tracked, i.Submodules); err != nil {
		return err
	}
	if i.Settings == "" {
		w.view.Settings = foundSettings(top, w.sets.Repositories[0].Tracked)
	}
	w.view.Settings.Versions = i.Versions
	for _, url := range slices.Sorted(maps.Keys(i.Checkouts)) {
		if err := add([]string{url}, filepath.Join(top, filepath.FromSlash(i.Checkouts[url])), nil, nil); err != nil {
			return err
		}
	}
	for _, file := range i.Clusters {
		clusters, err := readClusters(filepath.Join(top, filepath.FromSlash(file)))
		if err != nil {
			return err
		}
		w.sets.Clusters = append(w.sets.Clusters, clusters...)
	}
	return nil
}
