package check

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/argocd"
	"github.com/proompteng/nevermigrate/harness/internal/argocd/appset"
	"github.com/proompteng/nevermigrate/harness/internal/argocd/source"
	"github.com/proompteng/nevermigrate/harness/internal/cause"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/find"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// deployments are what Argo CD deploys, as far as it is found.
type deployments struct {
	world *argocd.World
	top   string
	// known are the Applications that are there, and their specs as text.
	known map[string][]string
	// deployed are the folders that they deploy, by their real paths, and by which
	// targets.
	deployed map[string][]string
	// held are the targets that are left to the Applications that deploy them.
	held  []held
	notes map[string]string
	taken map[string]bool // paths of targets
}

// held is a target, and those that judge it as it is deployed.
type held struct {
	find.Target
	by []string
}

// deployments are those of a coverage, which is returned with them; nil when nobody
// says what Argo CD knows. The options get their world. They are to be closed.
func (o *Options) deployments(ctx context.Context, found *find.Coverage) (*find.Coverage, *deployments, error) {
	d, err := newDeployments(*o)
	if err != nil || d == nil {
		return found, nil, err
	}
	o.world = d.world
	if found, err = d.first(ctx, found, *o); err != nil {
		d.close()
		return nil, nil, err
	}
	return found, d, nil
}

func (d *deployments) close() {
	if d != nil {
		d.world.Close()
	}
}

// follow hands targets to a function, then those that Argo CD makes of what their
// objects make, until there are no more. It returns what else they make.
func (d *deployments) follow(ctx context.Context, targets []find.Target, each func([]find.Target) ([]find.NotJudged, error)) (rest []find.NotJudged, err error) {
	for wave := 0; len(targets) > 0; wave++ {
		if wave > maxWaves {
			return nil, fmt.Errorf("apps of apps render others that differ each time, %d times one after the other: look for an Application that renders itself", maxWaves)
		}
		made, err := each(targets)
		if err != nil {
			return nil, err
		}
		if targets = nil; d != nil {
			targets, made = d.expand(ctx, made)
		}
		rest = append(rest, made...)
	}
	return rest, nil
}

// back are the targets that were left to Applications none of which is judged. They are
// no longer read by these.
func (d *deployments) back(found *find.Coverage, notJudged []find.NotJudged) []find.Target {
	if d == nil {
		return nil
	}
	isJudged := func(path string) bool {
		return !slices.ContainsFunc(notJudged, func(n find.NotJudged) bool { return n.Kind == find.Application && n.Path == path })
	}
	var back []find.Target
	for _, h := range d.held {
		if slices.ContainsFunc(h.by, isJudged) {
			continue
		}
		d.note(h.Path, "no Application that deploys it is judged")
		found.Read = slices.DeleteFunc(found.Read, func(r find.Read) bool { return r.Path == h.Path && r.Kind == h.Kind })
		back = append(back, h.Target)
	}
	return back
}

// newDeployments is nil when nobody says what Argo CD knows.
func newDeployments(options Options) (*deployments, error) {
	if options.ArgoCD == nil {
		return nil, nil
	}
	top := options.Render.Root
	if top == "" {
		dir, err := os.Getwd()
		if err != nil {
			return nil, fmt.Errorf("find the work tree: %w", err)
		}
		if dir, err = filepath.EvalSymlinks(dir); err != nil {
			return nil, fmt.Errorf("find the work tree: %w", err)
		}
		if top = render.WorkTree(dir); top == "" {
			top = dir
		}
	}
	world, err := options.ArgoCD.World(top)
	if err != nil {
		return nil, err
	}
	return &deployments{world: world, top: top, known: map[string][]string{}, deployed: map[string][]string{}, notes: map[string]string{}, taken: map[string]bool{}}, nil
}

// expand makes targets of those of some objects that are Argo CD's, and returns the
// rest: what is not Argo CD's, and what nobody can make an Application of, with the
// reason.
func (d *deployments) expand(ctx context.Context, objects []find.NotJudged) (targets []find.Target, rest []find.NotJudged) {
	for _, n := range objects {
		if !isArgoCD(n) {
			rest = append(rest, n)
			continue
		}
		object := argocd.Object{Content: n.Object, By: n.Path}
		if info, err := os.Stat(filepath.FromSlash(n.Path)); err == nil && info.Mode().IsRegular() {
			object.File, object.By = n.Path, ""
			if text, err := render.ReadRegular(n.Path); err == nil && n.Document > 0 {
				// Without the node there are no lines.
				if nodes, err := manifest.Nodes(text); err == nil && n.Document <= len(nodes) {
					object.Node = nodes[n.Document-1]
				}
			}
		}
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
				d.note(target.Path, fmt.Sprintf("%s: %s", w.Path, w.Message))
			}
			targets = append(targets, target)
		}
	}
	return targets, rest
}

// isArgoCD reports whether a place is an Application or an ApplicationSet.
func isArgoCD(n find.NotJudged) bool {
	return n.Object != nil && (n.Kind == find.Application || n.Kind == find.ApplicationSet)
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
		first = find.DisplayPath(application.Folders[0])
	}
	target := find.Target{
		Path: d.pathOf(first, application), Kind: find.Application, Argument: n.Path, By: &application,
	}
	for _, folder := range application.Folders {
		real := render.RealPath(folder)
		d.deployed[real] = append(d.deployed[real], target.Path)
	}
	return target, true
}

// pathOf is what the target for an Application is called: by no line, which changes with
// the file.
func (d *deployments) pathOf(folder string, a argocd.Application) string {
	name := a.Name
	for i := 0; ; i++ {
		path := fmt.Sprintf("%s (Application %s, from %s)", folder, name, a.Chain[0].File)
		if !d.taken[path] {
			d.taken[path] = true
			return path
		}
		if name = a.Key(); i > 0 {
			name = fmt.Sprintf("%s, number %d", a.Key(), i+1)
		}
	}
}

// undeployed are the targets that no Application deploys; what one does is read by it.
func (d *deployments) undeployed(found *find.Coverage) []find.Target {
	var left []find.Target
	for _, t := range found.Targets {
		by := d.deployed[render.RealPath(t.Path)]
		if len(by) > 0 && belowOf(t) != "" {
			found.Read = append(found.Read, find.Read{Path: t.Path, Kind: t.Kind, By: by})
			d.held = append(d.held, held{t, by})
			continue
		}
		if len(d.known) > 0 && len(by) == 0 {
			d.note(t.Path, "no Application deploys it")
		}
		left = append(left, t)
	}
	return left
}

func (d *deployments) note(path, text string) {
	if d.notes[path] != "" {
		text = d.notes[path] + "; " + text
	}
	d.notes[path] = text
}

// maxWaves bounds how deep apps of apps may be.
const maxWaves = 20

// first is a coverage with the Applications that stand in files, and without what they
// deploy.
func (d *deployments) first(ctx context.Context, found *find.Coverage, options Options) (*find.Coverage, error) {
	if options.Shard.N > 0 {
		return nil, errors.New("--shard and the Argo CD of the configuration do not go together: what an app of apps renders is known to one shard only")
	}
	with := *found
	targets, rest := d.expand(ctx, found.NotJudged)
	with.NotJudged = rest
	with.Read = slices.Clone(found.Read)
	with.Targets = append(d.undeployed(&with), targets...)
	return &with, nil
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

// applicationOf are the objects of an Application.
func applicationOf(ctx context.Context, t find.Target, options Options) (content, error) {
	result, err := options.world.Render(ctx, *t.By.(*argocd.Application), options.Render)
	if err != nil && strings.Contains(err.Error(), "must specify --enable-helm") {
		err = fmt.Errorf("%w; if kustomize.buildOptions of Argo CD has --enable-helm, name the file with the ConfigMap argocd-cm as argocd.settings of the configuration", err)
	}
	if err != nil {
		return content{}, err
	}
	made := content{objects: manifest.Rendered(result.Objects), sources: result.Sources}
	if len(result.Objects) == 0 {
		made.note = "nothing was rendered, so nothing is applied"
	}
	for _, w := range result.Warnings {
		made.note = strings.TrimPrefix(made.note+"; "+w.Field+": "+w.Message, "; ")
	}
	return made, nil
}

// notRendered is the place of an Application of which nobody can know here what it
// deploys. Its text is that of the object and of the folders that it names.
func notRendered(t find.Target, err error) find.NotJudged {
	n := find.NotJudged{Path: t.Path, Kind: t.Kind, Reason: relativeMessage(err)}
	application := t.By.(*argocd.Application)
	n.Text = []byte(specText(*application))
	for _, folder := range application.Folders {
		n.Files = append(n.Files, find.FilesBelow(folder)...)
		if render.KindOf(folder) != "" {
			n.Files = append(n.Files, find.FilesReadBy(folder)...)
		}
	}
	return n
}

// newApplicationSearcher looks into an Application, into what it lays over its sources,
// and into these.
func newApplicationSearcher(target find.Target, what content, evaluators []*evaluate.Evaluator, options Options) searcher {
	application := *target.By.(*argocd.Application)
	world := options.world
	d := cause.Deployment{
		Objects: func(ctx context.Context, with render.Options) ([]map[string]any, error) {
			result, err := world.Render(ctx, application, with)
			if err != nil {
				return nil, err
			}
			return result.Objects, nil
		},
	}
	if file := application.File(); file != "" {
		d.Applications = append(d.Applications, filepath.FromSlash(file))
	}
	for _, s := range what.sources {
		if s.Folder != "" {
			d.Folders = append(d.Folders, s.Folder)
		}
		if s.Type == source.Helm {
			d.Values = append(d.Values, s.Files...)
		}
	}
	return applicationSearcher{cause.NewDeployment(d, evaluators, cause.Options{Render: options.Render})}
}

// applicationSearcher says so when it finds nothing.
type applicationSearcher struct{ *cause.App }

// Find implements searcher.
func (s applicationSearcher) Find(ctx context.Context, evaluator *evaluate.Evaluator, finding *report.Finding) error {
	err := s.App.Find(ctx, evaluator, finding)
	if err == nil && finding.Workload != "" && len(finding.Causes) == 0 && !finding.CausesTruncated {
		return errors.New("no place of the Application or of its sources that was tried makes a difference")
	}
	return err
}

// isRefused reports whether nobody can know here what an Application deploys.
func isRefused(err error) bool {
	var problem *source.Problem
	return errors.As(err, &problem) && !problem.Broken
}

// specText is the spec of an Application, by which two of one name are compared.
func specText(application argocd.Application) string {
	text, err := json.Marshal(application.Spec)
	if err != nil {
		return application.Key() // it was decoded from JSON, so this cannot be
	}
	return string(text)
}
