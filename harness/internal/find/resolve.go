package find

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/format/config"

	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// exclude takes out what is left out on purpose.
func (w *walk) exclude(c *Coverage, excluded func(path string) (reason string, ok bool)) {
	if excluded == nil {
		return
	}
	isOut := func(path string, kind Kind) bool {
		reason, out := excluded(path)
		if out {
			c.Excluded = append(c.Excluded, Excluded{path, kind, reason})
		}
		return out
	}
	w.places = slices.DeleteFunc(w.places, func(p *place) bool { return !p.named() && isOut(p.shown, p.kind) })
	w.notJudged = slices.DeleteFunc(w.notJudged, func(n NotJudged) bool { return isOut(n.Path, n.Kind) })
}

// resolve decides which of the places are judged, and which are read by one that
// is.
func (w *walk) resolve(c *Coverage, paths, folders []string) {
	slices.SortStableFunc(w.places, func(a, b *place) int {
		if a.argument != b.argument {
			return slices.Index(folders, a.argument) - slices.Index(folders, b.argument)
		}
		return strings.Compare(a.shown, b.shown)
	})
	readers := w.kustomizations(c)
	w.charts(c, readers)
	w.manifests(c, readers)
	for _, n := range w.notJudged {
		if n.Kind == Jsonnet {
			n.Files = append(n.Files, w.libsonnet...)
		}
		if n.Object != nil {
			n.By = slices.Sorted(slices.Values(readers[w.realPath(n.Path)]))
		}
		c.NotJudged = append(c.NotJudged, n)
	}
	c.Read = append(c.Read, w.unpacked...)
	slices.SortStableFunc(c.NotJudged, func(a, b NotJudged) int { return strings.Compare(a.Path, b.Path) })
	slices.SortStableFunc(c.Read, func(a, b Read) int { return strings.Compare(a.Path, b.Path) })
	c.sort(paths, folders)
	c.require()
}

// sort puts the targets in the order of the paths and, below each folder, of their
// names.
func (c *Coverage) sort(paths, folders []string) {
	slices.SortStableFunc(c.Targets, func(a, b Target) int {
		switch {
		case a.Argument != b.Argument:
			return slices.Index(paths, a.Argument) - slices.Index(paths, b.Argument)
		case slices.Contains(folders, a.Argument):
			return strings.Compare(a.Path, b.Path)
		}
		return 0
	})
}

// require asks for controllers in an app or a chart that was named, unless there
// is more below it: then somewhere.
func (c *Coverage) require() {
	for i := range c.Targets {
		t := &c.Targets[i]
		if !t.Required {
			continue
		}
		t.Required = !slices.ContainsFunc(c.Targets, func(o Target) bool { return o.Argument == t.Argument && o.Path != t.Path })
	}
}

// reads are the targets that read a file or a folder, by its real path.
type reads map[string][]string

// add adds a target. Those of one target follow each other.
func (r reads) add(path, by string) {
	if n := len(r[path]); n == 0 || r[path][n-1] != by {
		r[path] = append(r[path], by)
	}
}

// referencesOf are those of a kustomization.
func (w *walk) referencesOf(real string) render.References {
	found, ok := w.references[real]
	if !ok {
		found = render.ReferencesOf(real)
		w.references[real] = found
	}
	return found
}

// closure is what a kustomization reads, and what that reads in turn, by their
// real paths.
func (w *walk) closure(real string) map[string]bool {
	all, ok := w.closures[real]
	if ok {
		return all
	}
	all = map[string]bool{}
	w.closures[real] = all
	queue := []string{real}
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		references := w.referencesOf(next)
		for _, path := range slices.Concat(references.Files, references.Charts) {
			all[w.realPath(path)] = true
		}
		for _, path := range references.Kustomizations {
			if path = w.realPath(path); path != real && !all[path] {
				all[path] = true
				queue = append(queue, path)
			}
		}
	}
	return all
}

// kustomizations adds those that are judged, and returns who reads what. An app
// that another one reads is not judged by itself, nor is a component; what only
// reads each other in a circle is.
func (w *walk) kustomizations(c *Coverage) reads {
	var left []*place
	for _, p := range w.places {
		if p.kind == App || p.kind == Component {
			left = append(left, p)
		}
	}
	readers := reads{}
	judge := func(p *place) {
		c.add(Target{Path: p.shown, Kind: p.kind, Required: p.named(), Argument: p.argument})
		for path := range w.closure(p.real) {
			readers.add(path, p.shown)
		}
	}
	// What nobody reads comes first, and apps before components.
	isRead := map[string]bool{}
	for _, p := range left {
		if p.kind == App {
			maps.Copy(isRead, w.closure(p.real))
		}
	}
	isReadByComponents := map[string]bool{}
	for _, p := range left {
		if p.kind == Component {
			maps.Copy(isReadByComponents, w.closure(p.real))
		}
	}
	done := map[*place]bool{}
	for _, first := range []func(p *place) bool{
		(*place).named,
		func(p *place) bool { return p.kind == App && !isRead[p.real] },
		func(p *place) bool { return p.kind == App },
		func(p *place) bool { return !isRead[p.real] && !isReadByComponents[p.real] },
		func(*place) bool { return true },
	} {
		for _, p := range left {
			if !done[p] && first(p) && (p.named() || len(readers[p.real]) == 0) {
				done[p] = true
				judge(p)
			}
		}
	}
	for _, p := range left {
		if !done[p] {
			c.Read = append(c.Read, Read{Path: p.shown, Kind: p.kind, By: slices.Sorted(slices.Values(readers[p.real]))})
		}
	}
	return readers
}

// charts adds the charts that nobody reads.
func (w *walk) charts(c *Coverage, readers reads) {
	libraries := reads{}
	for _, p := range w.places {
		for _, dependency := range p.chart.Dependencies {
			if path, ok := strings.CutPrefix(dependency.Repository, "file://"); ok {
				libraries.add(w.realPath(filepath.Join(p.dir, filepath.FromSlash(path))), p.shown)
			}
		}
	}
	for _, p := range w.places {
		if p.kind != Chart {
			continue
		}
		by := readers[p.real]
		if p.chart.Type == "library" {
			by = append(slices.Clone(by), libraries[p.real]...)
		}
		switch {
		case len(by) > 0 && !p.named():
			c.Read = append(c.Read, Read{Path: p.shown, Kind: Chart, By: slices.Sorted(slices.Values(by))})
		case p.chart.Type == "library":
			c.NotJudged = append(c.NotJudged, NotJudged{
				Path: p.shown, Kind: LibraryChart, Files: FilesBelow(p.dir),
				Reason: "a library renders nothing by itself, and no chart here depends on it",
			})
		default:
			c.add(Target{Path: p.shown, Kind: Chart, Required: p.named(), Argument: p.argument})
		}
	}
}

// manifests adds the files with workloads that no kustomization reads: those of a
// folder as one target, for they belong together.
func (w *walk) manifests(c *Coverage, readers reads) {
	byFolder := map[string]int{}
	for _, p := range w.places {
		if p.kind != Manifest || len(readers[p.real]) > 0 {
			continue
		}
		dir := filepath.Dir(p.file)
		path := w.display(dir)
		if p.unreadable != nil {
			c.NotJudged = append(c.NotJudged, NotJudged{Path: p.shown, Kind: Manifest, Reason: p.unreadable.Error(), Files: []string{p.file}, Unread: p.unread})
			continue
		}
		if i, ok := byFolder[path]; ok {
			c.Targets[i].Files = append(c.Targets[i].Files, p.file)
			continue
		}
		isOther := func(t Target) bool { return t.Path == path }
		if render.KindOf(dir) != "" || slices.ContainsFunc(c.Targets, isOther) {
			c.add(Target{Path: p.shown, Kind: Manifest, Argument: p.argument})
			continue
		}
		byFolder[path] = len(c.Targets)
		c.add(Target{Path: path, Kind: Manifests, Files: []string{p.file}, Argument: p.argument})
	}
}

// FilesBelow are the files in a folder and below it.
func FilesBelow(dir string) []string {
	var files []string
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			files = append(files, path)
		}
		return nil
	})
	return files
}

// FilesReadBy are the files that rendering an app or a component reads.
func FilesReadBy(dir string) []string { return newWalk().filesReadBy(dir) }

// FilesReadBy is the function of that name, which does not read again what was read to
// find the targets. It is for one goroutine.
func (c *Coverage) FilesReadBy(dir string) []string {
	if c.walk == nil {
		return FilesReadBy(dir)
	}
	return c.walk.filesReadBy(dir)
}

func (w *walk) filesReadBy(dir string) []string {
	var files []string
	folders := []string{w.realPath(dir)}
	for _, path := range slices.Sorted(maps.Keys(w.closure(w.realPath(dir)))) {
		info, err := os.Stat(path)
		switch {
		case err != nil:
		case !info.IsDir():
			files = append(files, path)
		case render.IsChart(path):
			files = append(files, FilesBelow(path)...)
		default:
			folders = append(folders, path)
		}
	}
	for _, folder := range folders {
		entries, _ := os.ReadDir(folder)
		for _, entry := range entries {
			if path := filepath.Join(folder, entry.Name()); render.IsKustomization(path) {
				files = append(files, path)
			}
		}
	}
	return files
}

// submodules adds those below the path that is being looked at that are not
// checked out.
func (w *walk) submodules() error {
	absolute, err := filepath.Abs(w.root)
	if err != nil {
		return err
	}
	top := render.WorkTree(absolute)
	if top == "" {
		return nil
	}
	text, err := render.ReadRegular(filepath.Join(top, ".gitmodules"))
	if os.IsNotExist(err) {
		return nil
	}
	modules := config.New()
	if err == nil {
		err = config.NewDecoder(bytes.NewReader(text)).Decode(modules)
	}
	if err != nil {
		return fmt.Errorf("read .gitmodules: %w", err)
	}
	for _, module := range modules.Section("submodule").Subsections {
		path := module.Option("path")
		if path == "" {
			continue
		}
		dir := filepath.Join(top, filepath.FromSlash(path))
		relative, err := filepath.Rel(absolute, dir)
		if err != nil || !filepath.IsLocal(relative) {
			continue
		}
		if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
			continue
		}
		w.notJudged = append(w.notJudged, NotJudged{
			Path: w.display(filepath.Join(w.root, relative)), Kind: Submodule, Unread: true,
			Reason: "the submodule is not checked out: `git submodule update --init`, or in a workflow `submodules: true` of actions/checkout",
		})
	}
	return nil
}
