package check

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/proompteng/nevermigrate/harness/internal/argocd"
	"github.com/proompteng/nevermigrate/harness/internal/argocd/appset"
	"github.com/proompteng/nevermigrate/harness/internal/find"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// deployments are what Argo CD deploys, as far as it is found. Data flows one way:
// objects in files → Applications → what they render → more Applications, until there
// are no more; then the folders that none deploys, likewise. Nothing is judged for it,
// so every shard of a run finds the same.
type deployments struct {
	open func() (*argocd.Instance, error)
	// world is there once there is an object of Argo CD.
	world *argocd.World
	top   string
	// known are the Applications that are there, and their specs as text.
	known map[string][]string
	// targets are those made of them, by their paths.
	targets map[string]find.Target
	// deployed are the folders that they deploy, by their real paths, and by which
	// targets.
	deployed map[string][]string
	// written are objects in files that do not count as they stand there, but as a
	// target renders them, if one does.
	written []written
	// seen are all objects of which Applications were made, as text.
	seen map[string]bool
	// held are the targets that are left to the Applications that deploy them.
	held  []held
	notes map[string]string
	// live are the places by which what runs may differ from what targets render.
	live map[string][]live
	// looked are the contents of targets in which Applications were looked for, by their
	// paths, and says is what files say of Applications: many apps read one chart.
	looked map[string]looked
	says   map[string]mention
	// filesReadBy are the files that rendering an app reads.
	filesReadBy func(dir string) []string
}

// written is an object in a file, and whether a target renders it as it stands there.
type written struct {
	find.NotJudged
	isRendered bool
}

// live is what a place says of what runs.
type live struct {
	what  string
	place report.Cause
}

// held is a target, and those that judge it as it is deployed.
type held struct {
	find.Target
	by []string
}

// looked is a target, and what contentOf returns for it.
type looked struct {
	find.Target
	content
	err error
}

// mention is what a text says of Applications: their API group, their kind, or nothing
// that can be told.
type mention struct{ group, kind, hidden bool }

// deployments are those of a coverage, which is returned with the Applications and
// without what they deploy; nil when nobody can say what Argo CD knows. The options get
// them. They are to be closed.
func (o *Options) deployments(ctx context.Context, found *find.Coverage) (*find.Coverage, *deployments, error) {
	if o.ArgoCD == nil {
		if len(o.Roots) > 0 {
			return nil, nil, errors.New("a root Application is named, and nothing says which repository this is: work in a git work tree")
		}
		return found, nil, nil
	}
	top, err := topOf(o.Render.Root)
	if err != nil {
		return nil, nil, err
	}
	d := &deployments{
		open: o.ArgoCD, top: top, known: map[string][]string{}, targets: map[string]find.Target{}, deployed: map[string][]string{},
		seen: map[string]bool{}, live: map[string][]live{}, notes: map[string]string{}, looked: map[string]looked{},
		says: map[string]mention{}, filesReadBy: found.FilesReadBy,
	}
	o.deploys = d
	with, err := d.find(ctx, found, *o)
	if err != nil {
		d.close()
		return nil, nil, err
	}
	return with, d, nil
}

// found is what is at paths, as deployments has it.
func (o *Options) found(ctx context.Context, paths []string) (*find.Coverage, *deployments, error) {
	found, err := look(ctx, paths, *o)
	if err != nil {
		return nil, nil, err
	}
	return o.deployments(ctx, found)
}

// topOf is the top of the work tree that is judged: a folder that is known, or that of
// the working directory.
func topOf(known string) (string, error) {
	if known != "" {
		return known, nil
	}
	dir, err := os.Getwd()
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return "", fmt.Errorf("find the work tree: %w", err)
	}
	return cmp.Or(render.WorkTree(dir), dir), nil
}

func (d *deployments) close() {
	if d != nil && d.world != nil {
		d.world.Close()
	}
}

// maxWaves bounds how deep apps of apps may be.
const maxWaves = 20

// find is a coverage with all Applications, and without what they deploy.
func (d *deployments) find(ctx context.Context, found *find.Coverage, options Options) (*find.Coverage, error) {
	with := *found
	with.NotJudged, with.Read, with.Excluded = nil, slices.Clone(found.Read), slices.Clone(found.Excluded)
	var objects []find.NotJudged
	for _, n := range found.NotJudged {
		switch {
		case !isArgoCD(n):
			with.NotJudged = append(with.NotJudged, n)
		case len(n.By) > 0 || len(options.Roots) > 0:
			d.written = append(d.written, written{NotJudged: n})
		default:
			objects = append(objects, n)
		}
	}
	var targets []find.Target
	for _, root := range options.Roots {
		below, err := d.root(ctx, root, options)
		if err != nil {
			return nil, err
		}
		objects = append(objects, below...)
	}
	allFound := len(options.Roots) > 0
	for wave := 0; len(objects) > 0 || !allFound; wave++ {
		if wave > maxWaves {
			return nil, fmt.Errorf("apps of apps render others that differ each time, %d times one after the other: look for an Application that renders itself", maxWaves)
		}
		next, rest, err := d.expand(ctx, objects, options)
		if err != nil {
			return nil, err
		}
		targets, with.NotJudged = append(targets, next...), append(with.NotJudged, rest...)
		if len(next) == 0 && !allFound {
			next, allFound = slices.DeleteFunc(slices.Clone(found.Targets), d.isDeployed), true
		}
		if objects, err = d.look(ctx, next, options); err != nil {
			return nil, err
		}
	}
	if len(options.Roots) > 0 {
		d.unreachable(&with, options.Roots)
	}
	with.Targets = append(d.undeployed(&with), targets...)
	return &with, nil
}

// root are the Applications and ApplicationSets in a file.
func (d *deployments) root(ctx context.Context, file string, options Options) ([]find.NotJudged, error) {
	found, err := find.Cover([]string{file}, nil)
	if err != nil {
		return nil, fmt.Errorf("root %w", err)
	}
	if len(found.Targets) != 1 || found.Targets[0].Kind != find.Manifest {
		return nil, fmt.Errorf("root %s: it is no file: name the one with the Application or ApplicationSet", file)
	}
	objects, err := d.look(ctx, found.Targets, options)
	if err == nil {
		err = d.looked[found.Targets[0].Path].err
	}
	if err == nil && len(objects) == 0 {
		err = fmt.Errorf("root %s: there is no Application or ApplicationSet in it", file)
	}
	return objects, err
}

// unreachable takes out of a coverage what no root Application deploys.
func (d *deployments) unreachable(with *find.Coverage, roots []string) {
	out := func(path string, kind find.Kind) {
		if !slices.ContainsFunc(roots, func(root string) bool { return find.DisplayPath(root) == path }) {
			with.Excluded = append(with.Excluded, find.Excluded{Path: path, Kind: kind, Reason: "no root Application leads to it"})
		}
	}
	var left []find.Target
	for _, t := range with.Targets {
		if d.isDeployed(t) {
			left = append(left, t)
		} else {
			out(t.Path, t.Kind)
		}
	}
	with.Targets = left
	for _, w := range d.written {
		if !w.isRendered {
			out(w.Path, w.Kind)
		}
	}
}

// expand makes targets of objects of Argo CD. The rest is that of which nobody can make
// an Application, with the reason.
func (d *deployments) expand(ctx context.Context, objects []find.NotJudged, options Options) (targets []find.Target, rest []find.NotJudged, err error) {
	for _, n := range objects {
		if err := d.enter(); err != nil {
			return nil, nil, err
		}
		d.seen[string(n.Text)] = true
		object := d.objectOf(&n, options)
		applications, warnings, err := d.world.Applications(ctx, object)
		if err == nil && len(applications) == 0 {
			n.Reason = "it makes no Application"
			rest = append(rest, n)
		}
		if err != nil {
			var problem *appset.Problem
			// What Argo CD makes nothing of either was meant to make something.
			n.Unread = n.Unread || !errors.As(err, &problem) || !problem.Refused
			n.Reason = relativeMessage(err)
			rest = append(rest, n)
			continue
		}
		for _, application := range applications {
			target, isNew := d.target(n, application)
			if !isNew {
				continue
			}
			for _, dropped := range application.Dropped {
				d.note(target.Path, "Argo CD drops it: "+dropped)
			}
			for _, w := range warnings {
				d.live[target.Path] = append(d.live[target.Path], live{w.Message, report.Cause{
					File: object.File, Line: w.Line, Column: w.Column, Path: w.Path, Layer: report.ApplicationLayer,
				}})
			}
			targets = append(targets, target)
		}
	}
	return targets, rest, nil
}

// enter opens the world, when it is not yet.
func (d *deployments) enter() error {
	if d.world != nil {
		return nil
	}
	instance, err := d.open()
	if err != nil {
		return err
	}
	d.world, err = instance.World(d.top)
	return err
}

// objectOf is an object that was found in a file, or that a target renders: then it has
// the file in which it stands, if it stands in one as it is.
func (d *deployments) objectOf(n *find.NotJudged, options Options) argocd.Object {
	info, err := os.Stat(filepath.FromSlash(n.Path))
	isFile := err == nil && info.Mode().IsRegular()
	if !isFile {
		i := slices.IndexFunc(d.written, func(w written) bool { return isWritten(n.Object, w.Object) })
		if i < 0 {
			return argocd.Object{Content: n.Object, By: n.Path, Again: d.again(*n, options)}
		}
		d.written[i].isRendered = true
		n.Path, n.Document = d.written[i].Path, d.written[i].Document
	}
	object := argocd.Object{Content: n.Object, File: n.Path}
	if text, err := render.ReadRegular(n.Path); err == nil && n.Document > 0 {
		// Without the node there are no lines.
		if nodes, err := manifest.Nodes(text); err == nil && n.Document <= len(nodes) {
			object.Node = nodes[n.Document-1]
		}
	}
	return object
}

// again renders the target that an object is from once more, and returns the object.
func (d *deployments) again(n find.NotJudged, options Options) func(context.Context, map[string][]byte) (map[string]any, error) {
	return func(ctx context.Context, overlay map[string][]byte) (map[string]any, error) {
		options.Render.Overlay = overlay
		what, err := made(ctx, d.looked[n.Path].Target, options)
		if err != nil {
			return nil, err
		}
		name := argocd.NameOf(n.Object)
		for _, other := range find.Delivered(n.Path, what.objects) {
			if other.Kind == n.Kind && argocd.NameOf(other.Object) == name {
				return other.Object, nil
			}
		}
		return nil, fmt.Errorf("there is no %s %s any more", n.Kind, name)
	}
}

// isWritten reports whether a rendered object is one that stands in a file, but for
// what kustomizations and Argo CD give to all objects: namespaces and labels.
func isWritten(rendered, file map[string]any) bool {
	return rendered["kind"] == file["kind"] && argocd.NameOf(rendered) == argocd.NameOf(file) && asText(rendered["spec"]) == asText(file["spec"])
}

// asText is a value of an object as JSON.
func asText(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value) // it was decoded from JSON or YAML, so this cannot be
	}
	return string(text)
}

// isArgoCD reports whether a place is an Application or an ApplicationSet.
func isArgoCD(n find.NotJudged) bool {
	return n.Object != nil && (n.Kind == find.Application || n.Kind == find.ApplicationSet)
}

// look renders those of some targets that may hold Applications, and returns their
// objects of Argo CD. Errors are kept for who judges the targets.
func (d *deployments) look(ctx context.Context, targets []find.Target, options Options) ([]find.NotJudged, error) {
	options.lookUp(targets)
	some := slices.DeleteFunc(slices.Clone(targets), func(t find.Target) bool {
		return options.keeper.known(t, options) != nil || !d.mayHoldApplications(t)
	})
	if err := d.render(ctx, some, options); err != nil {
		return nil, err
	}
	var objects []find.NotJudged
	for _, target := range some {
		for _, n := range find.Delivered(target.Path, d.looked[target.Path].objects) {
			if isArgoCD(n) {
				objects = append(objects, n)
			}
		}
	}
	return objects, nil
}

// render makes the contents of targets, and keeps them.
func (d *deployments) render(ctx context.Context, targets []find.Target, options Options) error {
	all, err := contentsOf(ctx, targets, options)
	if err != nil {
		return err
	}
	for _, one := range all {
		d.looked[one.Path] = one
	}
	return nil
}

// contentsOf makes the contents of targets, several at the same time. Its error is that
// of the context; others are those of the targets.
func contentsOf(ctx context.Context, targets []find.Target, options Options) ([]looked, error) {
	all := make([]looked, len(targets))
	var group errgroup.Group
	group.SetLimit(options.jobs())
	for i, target := range targets {
		group.Go(func() error {
			made, err := contentOf(ctx, target, options)
			all[i] = looked{target, made, err}
			return nil
		})
	}
	_ = group.Wait() // each has its error
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return all, nil
}

// refused are those of the targets that are Applications of which nobody can know here
// what they deploy.
func (d *deployments) refused(ctx context.Context, targets []find.Target, options Options) ([]find.NotJudged, error) {
	var applications []find.Target
	for _, t := range targets {
		if t.Kind == find.Application {
			applications = append(applications, t)
		}
	}
	if len(applications) == 0 {
		return nil, nil
	}
	if err := d.render(ctx, applications, options); err != nil {
		return nil, err
	}
	var refused []find.NotJudged
	for _, t := range applications {
		if err := d.looked[t.Path].err; isRefused(err) {
			refused = append(refused, notRendered(t, err))
		}
	}
	return refused, nil
}

// mayHoldApplications reports whether a target may render Applications: what it reads
// says so, or is not in the repository.
func (d *deployments) mayHoldApplications(t find.Target) bool {
	var said mention
	var files []string
	switch t.Kind {
	case find.StandardInput:
		return true
	case find.Manifests:
		return false // its objects are found in the files
	case find.Manifest:
		if belowOf(t) != "" {
			return false
		}
		files = []string{t.Path}
	case find.Application:
		application := t.By.(*argocd.Application)
		said = mentionOf([]byte(specText(*application)))
		for _, s := range application.Sources() {
			said.hidden = said.hidden || s.Chart != ""
		}
		for _, folder := range application.Folders {
			if render.KindOf(folder) != "" {
				files = append(files, find.FilesReadBy(folder)...)
			} else {
				files = append(files, find.FilesBelow(folder)...)
			}
		}
	case find.App, find.Component:
		files = d.filesReadBy(t.Path)
	case find.Chart:
		files = filesOf(t)
	}
	for _, file := range files {
		if said.hidden || said.group && said.kind {
			break
		}
		of := d.mentionIn(file)
		said = mention{said.group || of.group, said.kind || of.kind, of.hidden}
	}
	return said.hidden || said.group && said.kind
}

// mentionOf is what a text says of Applications.
func mentionOf(text []byte) mention {
	return mention{group: bytes.Contains(text, []byte("argoproj.io")), kind: bytes.Contains(text, []byte("Application"))}
}

// mentionIn is what a file says of Applications. What is packed may hold anything, and so
// may a chart that lies elsewhere.
func (d *deployments) mentionIn(file string) mention {
	said, ok := d.says[file]
	if !ok {
		text, err := render.ReadRegular(file)
		said = mentionOf(text)
		said.hidden = err != nil || filepath.Ext(file) == ".tgz" || render.IsKustomization(file) && bytes.Contains(text, []byte("repo:"))
		d.says[file] = said
	}
	return said
}

// unknown are those of the objects that were rendered which are not known: they are
// another's than Argo CD's, or nothing that the target reads spoke of them.
func (d *deployments) unknown(objects []find.NotJudged) []find.NotJudged {
	if d == nil {
		return objects
	}
	var rest []find.NotJudged
	for _, n := range objects {
		switch {
		case !isArgoCD(n):
			rest = append(rest, n)
		case !d.seen[string(n.Text)]:
			n.Reason, n.Unread = "what the target reads does not speak of argoproj.io and of an "+string(n.Kind)+", so it was not looked for: write both in one place", true
			rest = append(rest, n)
		}
	}
	return rest
}

// target is the target for an Application, and whether it was not there before: an
// app of apps renders what lies in files, too.
func (d *deployments) target(n find.NotJudged, application argocd.Application) (find.Target, bool) {
	spec := specText(application)
	if slices.Contains(d.known[application.Key()], spec) {
		return find.Target{}, false
	}
	d.known[application.Key()] = append(d.known[application.Key()], spec)
	first := n.Path
	if len(application.Folders) > 0 {
		first = d.shown(application.Folders[0])
	}
	target := find.Target{
		Path: d.pathOf(first, application), Kind: find.Application, Argument: n.Path, By: &application,
	}
	d.targets[target.Path] = target
	for _, folder := range application.Folders {
		real := render.RealPath(folder)
		d.deployed[real] = append(d.deployed[real], target.Path)
	}
	return target, true
}

// shown is a folder as seen from the working directory, when both are in the work tree.
func (d *deployments) shown(folder string) string {
	path := find.DisplayPath(folder)
	dir, err := os.Getwd()
	if err != nil || !filepath.IsAbs(path) {
		return path
	}
	dir = render.RealPath(dir)
	if relative, err := filepath.Rel(d.top, dir); err != nil || !filepath.IsLocal(relative) {
		return path
	}
	if relative, err := filepath.Rel(dir, render.RealPath(folder)); err == nil {
		return filepath.ToSlash(relative)
	}
	return path
}

// pathOf is what the target for an Application is called: by no line, which changes with
// the file.
func (d *deployments) pathOf(folder string, a argocd.Application) string {
	name := a.Name
	for i := 0; ; i++ {
		path := fmt.Sprintf("%s (Application %s, from %s)", folder, name, a.Chain[0].File)
		if _, taken := d.targets[path]; !taken {
			return path
		}
		if name = a.Key(); i > 0 {
			name = fmt.Sprintf("%s, number %d", a.Key(), i+1)
		}
	}
}

// isDeployed reports whether an Application deploys the folder of a target that was
// found and not named.
func (d *deployments) isDeployed(t find.Target) bool {
	return len(d.deployed) > 0 && len(d.deployed[render.RealPath(t.Path)]) > 0 && belowOf(t) != ""
}

// undeployed are the targets that no Application deploys; what one does is read by it.
func (d *deployments) undeployed(found *find.Coverage) []find.Target {
	if len(d.deployed) == 0 {
		return slices.Clone(found.Targets)
	}
	var left []find.Target
	for _, t := range found.Targets {
		by := d.deployed[render.RealPath(t.Path)]
		if d.isDeployed(t) {
			found.Read = append(found.Read, find.Read{Path: t.Path, Kind: t.Kind, By: by})
			d.held = append(d.held, held{t, by})
			continue
		}
		if len(by) == 0 {
			d.note(t.Path, "no Application deploys it")
		}
		left = append(left, t)
	}
	return left
}

// back are the targets that were left to Applications none of which is judged. They are
// no longer read by these. Of a shard they are those that are left to its Applications
// first.
func (d *deployments) back(ctx context.Context, found *find.Coverage, notJudged []find.NotJudged, options Options) []find.Target {
	if d == nil {
		return nil
	}
	isJudged := func(path string) bool {
		if !options.Shard.Has(path) {
			_, err := contentOf(ctx, d.targets[path], options)
			return !isRefused(err)
		}
		return !slices.ContainsFunc(notJudged, func(n find.NotJudged) bool { return n.Kind == find.Application && n.Path == path && n.Object == nil })
	}
	var back []find.Target
	for _, h := range d.held {
		if !options.Shard.Has(h.by[0]) || slices.ContainsFunc(h.by, isJudged) {
			continue
		}
		d.note(h.Path, "no Application that deploys it is judged")
		found.Read = slices.DeleteFunc(found.Read, func(r find.Read) bool { return r.Path == h.Path && r.Kind == h.Kind })
		back = append(back, h.Target)
	}
	return back
}

func (d *deployments) note(path, text string) {
	if d.notes[path] != "" {
		text = d.notes[path] + "; " + text
	}
	d.notes[path] = text
}

// tell gives targets the notes.
func (d *deployments) tell(judged []report.Target) {
	if d == nil {
		return
	}
	for i := range judged {
		note := d.notes[judged[i].Path]
		switch {
		case note == "":
		case judged[i].Note == "":
			judged[i].Note = note
		default:
			judged[i].Note += "; " + note
		}
	}
}
