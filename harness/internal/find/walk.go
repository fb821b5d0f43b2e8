package find

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// walk looks at all folders below some paths.
type walk struct {
	workDir    string // from which paths are seen; empty when nobody knows
	root       string // the path that is being looked at
	visited    map[string]bool
	links      []link
	places     []*place
	notJudged  []NotJudged
	libsonnet  []string
	unpacked   []Read // packed charts that lie beside what they pack
	references map[string]render.References
	reals      map[string]string          // by paths, see realPath
	closures   map[string]map[string]bool // by real paths, see closure
	// leadOut says of a folder by its path whether it leads out of its work tree.
	leadOut map[string]error
}

func newWalk() *walk {
	workDir, _ := os.Getwd()
	return &walk{
		workDir: workDir, visited: map[string]bool{}, references: map[string]render.References{}, reals: map[string]string{},
		closures: map[string]map[string]bool{}, leadOut: map[string]error{},
	}
}

// realPath is render.RealPath. Many apps name one chart, and many files are in one folder.
func (w *walk) realPath(path string) string {
	if real, ok := w.reals[path]; ok {
		return real
	}
	real := ""
	dir, name := filepath.Split(filepath.Clean(path))
	info, err := os.Lstat(path)
	if err == nil && info.Mode()&fs.ModeSymlink == 0 && name != "" && name != "." && name != ".." {
		real = filepath.Join(w.realPath(filepath.Clean(dir)), name)
	} else {
		real = render.RealPath(path)
	}
	w.reals[path] = real
	return real
}

// place is a folder with a kustomization, a chart, or a file with workloads.
type place struct {
	kind     Kind // App, Component, Chart or Manifest
	dir      string
	file     string // of a Manifest
	shown    string // either, as reports name it
	real     string // of the file, or of the folder
	argument string // the path from which it was found
	chart    chartFile
	// unreadable says why a manifest cannot be read; unread that nobody knows what
	// it says.
	unreadable error
	unread     bool
}

// named reports whether the place is the very folder that was given.
func (p *place) named() bool {
	return p.kind != Manifest && filepath.Clean(p.dir) == filepath.Clean(p.argument)
}

// display is DisplayPath.
func (w *walk) display(path string) string { return displayFrom(w.workDir, path) }

// link is a symbolic link that was met, and the chart that it is in.
type link struct {
	path  string
	chart *place
}

// chartFile is what is asked of a Chart.yaml.
type chartFile struct {
	Type         string `json:"type"`
	Dependencies []struct {
		Repository string `json:"repository"`
	} `json:"dependencies"`
}

// maxFolders bounds the look: a link may lead anywhere.
const maxFolders = 100_000

// below looks at a folder and all below it, through symbolic links too: Argo CD
// syncs an app that is linked like any other. A folder that is reached in several
// ways is looked at once, by its own path if that is below root.
func (w *walk) below(root string) error {
	w.root = root
	err := w.visitLinked(root, nil)
	for err == nil && len(w.links) > 0 {
		next := w.links[0]
		w.links = w.links[1:]
		info, statErr := os.Stat(next.path)
		switch {
		case statErr != nil: // it leads to nothing
		case info.IsDir():
			if out := render.LinkLeadsOut(next.path); out != nil {
				w.notJudged = append(w.notJudged, NotJudged{Path: w.display(next.path), Kind: Link, Reason: out.Error(), Unread: true})
			} else {
				err = w.visitLinked(next.path, next.chart)
			}
		default:
			w.file(next.path, render.RealPath(next.path), next.chart)
		}
	}
	if err == nil {
		err = w.submodules()
	}
	if err != nil {
		return fmt.Errorf("look below %s: %w", root, err)
	}
	return nil
}

// visitLinked is visit of a folder to which a link may lead.
func (w *walk) visitLinked(dir string, chart *place) error {
	linked, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	return w.visit(dir, linked, render.RealPath(dir), chart)
}

// visit looks at a folder that is in a chart, or in none. It takes the folder without links
// as well, as seen from where dir is, and its real path.
func (w *walk) visit(dir, linked, real string, chart *place) error {
	if w.visited[linked] {
		return nil
	}
	if w.visited[linked] = true; len(w.visited) > maxFolders {
		return fmt.Errorf("there are more than %d folders: name a smaller folder, or look for a link that leads out of it", maxFolders)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	kind := ""
	if slices.ContainsFunc(entries, func(entry fs.DirEntry) bool { return render.IsKustomization(entry.Name()) }) {
		if kind = w.referencesOf(real).Kind; kind == "" {
			kind = render.KindOf(dir) // of what cannot be read, too
		}
	}
	switch kind {
	case "":
	case types.ComponentKind:
		w.places = append(w.places, &place{kind: Component, dir: dir, shown: w.display(dir), real: real, argument: w.root})
	default:
		w.places = append(w.places, &place{kind: App, dir: dir, shown: w.display(dir), real: real, argument: w.root})
	}
	if render.IsChart(dir) {
		own := &place{kind: Chart, dir: dir, shown: w.display(dir), real: real, argument: w.root}
		if text, err := render.ReadRegular(filepath.Join(dir, "Chart.yaml")); err == nil {
			_ = yaml.Unmarshal(text, &own.chart) // rendering says so
		}
		if chart == nil || filepath.Dir(dir) != filepath.Join(chart.dir, "charts") {
			w.places = append(w.places, own)
		}
		chart = own
	}
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		switch {
		case entry.Name() == ".git":
		case entry.Type()&fs.ModeSymlink != 0:
			w.links = append(w.links, link{path, chart})
		case entry.IsDir():
			if err := w.visit(path, filepath.Join(linked, entry.Name()), filepath.Join(real, entry.Name()), chart); err != nil {
				return err
			}
		case entry.Type().IsRegular():
			w.file(path, filepath.Join(real, entry.Name()), chart)
		}
	}
	return nil
}

// file looks at a file, by its real path too, that is in a chart, or in none.
func (w *walk) file(path, real string, chart *place) {
	name := strings.ToLower(filepath.Base(path))
	dir := filepath.Dir(path)
	add := func(kind Kind, reason string, files ...string) {
		w.notJudged = append(w.notJudged, NotJudged{Path: w.display(path), Kind: kind, Reason: reason, Files: append(files, path)})
	}
	switch {
	case strings.HasPrefix(name, ".argocd-source") && strings.HasSuffix(name, ".yaml"):
		add(ArgoCDSource, "Argo CD lays it over the source of the Application, and what that gives is not rendered")
	case slices.Contains([]string{"helmfile.yaml", "helmfile.yml", "helmfile.yaml.gotmpl", "helmfile.yml.gotmpl"}, name):
		beside, _ := filepath.Glob(filepath.Join(escaped(dir), "*"))
		add(Helmfile, "helmfile is not run: judge what `helmfile template` prints", beside...)
	case filepath.Base(dir) == "helmfile.d" && (strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".gotmpl")):
		add(Helmfile, "helmfile is not run: judge what `helmfile template` prints")
	case strings.HasSuffix(name, ".jsonnet"):
		add(Jsonnet, "jsonnet is not run: judge what `jsonnet` prints")
	case strings.HasSuffix(name, ".libsonnet"):
		w.libsonnet = append(w.libsonnet, path)
	case strings.HasSuffix(name, ".tgz") && (chart == nil || dir != filepath.Join(chart.dir, "charts")):
		w.packed(path)
	case isTemplate(path, chart) || render.IsKustomization(path) || name == "chart.yaml":
	case slices.Contains(manifestExtensions, filepath.Ext(name)):
		w.manifest(path, real)
	}
}

// isTemplate reports whether a file is a template of the chart that it is in. What else
// lies in a chart's folder Helm does not render, and an Application may apply it.
func isTemplate(path string, chart *place) bool {
	if chart == nil {
		return false
	}
	relative, err := filepath.Rel(filepath.Join(chart.dir, "templates"), path)
	return err == nil && filepath.IsLocal(relative)
}

// escaped is a path in which a glob finds nothing but itself.
func escaped(path string) string {
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `\`, `\\`).Replace(path)
}
