package source

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// one is one source of an Application while it is rendered.
type one struct {
	*rendering
	field  string
	source api.ApplicationSource
	// root is the real path of the repository, and folder that of the source in it,
	// as it is named.
	root, folder string
	said         Source
	refsUsed     []reference
}

// reference is a source that others refer to.
type reference struct {
	field  string
	source api.ApplicationSource
}

// all makes the objects of all sources, as GetRepoObjs of controller/state.go does.
func (r *rendering) all() ([]*unstructured.Unstructured, error) {
	if r.app.Operation != nil {
		return nil, refused("operation", "it asks for a sync by itself, which may have other sources and revisions than spec", "remove it: what Git says belongs into spec")
	}
	sources, fields := sourcesOf(&r.app.Spec)
	if len(sources) == 0 {
		return nil, broken("spec.source", "it is missing", "add a source")
	}
	several := r.app.Spec.SourceHydrator == nil && len(r.app.Spec.Sources) > 0
	if err := r.findReferences(sources, fields); err != nil {
		return nil, err
	}
	var all []*unstructured.Unstructured
	for i, source := range sources {
		if err := validate(source, fields[i], several); err != nil {
			return nil, err
		}
	}
	for i, source := range sources {
		o := &one{rendering: r, field: fields[i], source: source}
		o.said = Source{
			Field: fields[i], RepoURL: source.RepoURL, Path: source.Path, Chart: source.Chart, Ref: source.Ref, Revision: source.TargetRevision,
		}
		if !several || source.Path != "" || source.Chart != "" {
			objects, err := o.objects()
			if err != nil {
				return nil, err
			}
			all = append(all, objects...)
			r.origins = append(r.origins, slices.Repeat([]int{i}, len(objects))...)
		}
		r.result.Sources = append(r.result.Sources, o.said)
	}
	return all, nil
}

// sourcesOf are the sources that are rendered, with the places where they stand:
// GetSources of Argo CD, with the dry source of a hydrator in place of its branch.
func sourcesOf(spec *api.ApplicationSpec) (sources []api.ApplicationSource, fields []string) {
	switch {
	case spec.SourceHydrator != nil:
		dry := spec.SourceHydrator.DrySource
		return []api.ApplicationSource{{
			RepoURL: dry.RepoURL, Path: dry.Path, TargetRevision: dry.TargetRevision,
			Helm: dry.Helm, Kustomize: dry.Kustomize, Directory: dry.Directory, Plugin: dry.Plugin,
		}}, []string{"spec.sourceHydrator.drySource"}
	case len(spec.Sources) > 0:
		for i := range spec.Sources {
			fields = append(fields, fmt.Sprintf("spec.sources[%d]", i))
		}
		return slices.Clone(spec.Sources), fields
	case spec.Source != nil:
		return []api.ApplicationSource{*spec.Source}, []string{"spec.source"}
	default:
		return nil, nil
	}
}

var refPattern = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)

// findReferences is GetRefSources of util/argo/argo.go.
func (r *rendering) findReferences(sources []api.ApplicationSource, fields []string) error {
	r.refs = map[string]reference{}
	for i, source := range sources {
		if source.Ref == "" {
			continue
		}
		if !refPattern.MatchString(source.Ref) {
			return broken(fields[i]+".ref", fmt.Sprintf("%q holds other characters than letters, digits, _ and -", source.Ref), "rename it")
		}
		if first, twice := r.refs["$"+source.Ref]; twice {
			return broken(fields[i]+".ref", fmt.Sprintf("%q is that of %s too", source.Ref, first.field), "rename one of them")
		}
		r.refs["$"+source.Ref] = reference{fields[i], source}
	}
	return nil
}

// validate is validateSourcePermissions of the same file, without projects.
func validate(source api.ApplicationSource, field string, several bool) error {
	switch {
	case source.RepoURL == "":
		return broken(field+".repoURL", "it is missing", "add it")
	case source.Path == "" && source.Chart == "" && (!several || source.Ref == ""):
		return broken(field+".path", "it is missing, and so is a chart", "add one of them")
	case source.Chart != "" && source.TargetRevision == "":
		return broken(field+".targetRevision", "it is missing, and a chart needs it", "add the version of the chart")
	}
	return nil
}

// objects makes the objects of the source.
func (o *one) objects() ([]*unstructured.Unstructured, error) {
	if err := o.locate(); err != nil {
		return nil, err
	}
	if err := o.override(); err != nil {
		return nil, err
	}
	kind, err := o.kind()
	if err != nil {
		return nil, err
	}
	o.said.Type, o.said.Folder, o.said.Merged = kind, o.folder, o.source
	o.said.Options = o.options
	o.said.Options.Root, o.said.Options.HelmCommand = o.root, ""
	var made []*unstructured.Unstructured
	switch kind {
	case Helm:
		made, err = o.helm()
	case Kustomize:
		made, err = o.kustomize()
	case Plugin:
		made, err = o.plugin()
	default:
		made, err = o.directory()
	}
	if err != nil {
		return nil, err
	}
	return o.targets(made)
}

// locate finds the folder of the source: a checkout and Path of util/app/path.
func (o *one) locate() error {
	if o.source.TagPrefix != "" {
		return refused(o.field+".tagPrefix", "it chooses a tag of the repository, which is not known", "name the branch that is judged in targetRevision")
	}
	if o.source.Chart != "" {
		return o.locateChart()
	}
	if strings.HasPrefix(o.source.RepoURL, "oci://") {
		return refused(o.field+".repoURL", "it is in an OCI registry, which is another repository", "map the URL to a local checkout in argocd.repositories of the configuration, or exclude the Application")
	}
	repository, err := o.repository(o.field, o.source.RepoURL, o.source.TargetRevision)
	if err != nil {
		return err
	}
	if o.root, err = o.options.Reads.EvalSymlinks(repository.Root); err != nil {
		return fmt.Errorf("find repository: %w", err)
	}
	field := o.field + ".path"
	if filepath.IsAbs(o.source.Path) {
		return broken(field, fmt.Sprintf("%s is absolute", o.source.Path), "write it from the top of the repository")
	}
	o.folder = filepath.Join(o.root, o.source.Path)
	if !within(o.root, o.folder) {
		return broken(field, fmt.Sprintf("%s leads out of the repository", o.source.Path), "write it from the top of the repository")
	}
	info, err := o.options.Reads.Stat(o.folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return broken(field, fmt.Sprintf("%s does not exist", o.source.Path), "correct it")
	case err != nil:
		return broken(field, err.Error(), "correct it")
	case !info.IsDir():
		return broken(field, fmt.Sprintf("%s is no folder", o.source.Path), "name the folder")
	}
	return o.inside(field, o.folder)
}

func (o *one) locateChart() error {
	if o.view.Chart == nil {
		return refused(o.field+".chart", fmt.Sprintf("its chart is in another repository, %s", o.source.RepoURL), "commit the chart and name its path, or exclude the Application")
	}
	folder, err := o.view.Chart(o.source.RepoURL, o.source.Chart, o.source.TargetRevision)
	var problem *Problem
	switch {
	case errors.As(err, &problem):
		problem.Field = o.field + problem.Field
		return problem
	case err != nil:
		return &Problem{Field: o.field + ".chart", Reason: err.Error(), Broken: true, Err: &render.ChartError{Err: err}}
	}
	if o.root, err = o.options.Reads.EvalSymlinks(folder); err != nil {
		return refused(o.field+".chart", err.Error(), "")
	}
	o.folder = o.root
	return nil
}

// inside refuses a path that leads out of the repository by symbolic links. One that
// is not there is inside.
func (o *one) inside(field, path string) error { return o.insideOf(o.root, field, path) }

func (o *one) insideOf(root, field, path string) error {
	real, err := o.options.Reads.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return broken(field, err.Error(), "correct it")
	}
	if !within(root, real) {
		return broken(field, fmt.Sprintf("%s leads out of the repository, to %s: nothing outside of it is read", path, real), "commit a copy in its place")
	}
	return nil
}

// read reads a file of a repository, and notes it.
func (o *one) read(root, field, file string) ([]byte, error) {
	if err := o.insideOf(root, field, file); err != nil {
		return nil, err
	}
	data, err := o.content(file)
	if err != nil {
		return nil, broken(field, err.Error(), "correct it")
	}
	if !slices.Contains(o.said.Files, file) {
		o.said.Files = append(o.said.Files, file)
	}
	return data, nil
}

// content is what is read in a file.
func (o *one) content(file string) ([]byte, error) {
	if real, err := o.options.Reads.EvalSymlinks(file); err == nil {
		if content, ok := o.options.Overlay[real]; ok {
			return content, nil
		}
	}
	return render.ReadRegularBy(o.options.Reads, file)
}

// within reports whether a path is a folder or below it.
func within(folder, path string) bool {
	relative, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(relative)
}
