package check

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/argocd"
	"github.com/proompteng/nevermigrate/harness/internal/argocd/source"
	"github.com/proompteng/nevermigrate/harness/internal/cause"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/find"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/reads"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// applicationOf are the objects of an Application.
func applicationOf(ctx context.Context, t find.Target, options Options) (content, error) {
	result, err := options.deploys.world.Render(ctx, *t.By.(*argocd.Application), options.Render)
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
		if w.Live {
			application := t.By.(*argocd.Application)
			if application.File() != "" {
				options.Render.Reads.Note(reads.File, filepath.FromSlash(application.File())) // for the line
			}
			place := report.Cause{Path: w.Field, Layer: report.ApplicationLayer}
			if at := application.Place(w.Field); at.Line > 0 {
				place.File, place.Line, place.Column, place.Path = application.File(), at.Line, 1, at.Path
			}
			made.live = append(made.live, live{w.Message, place})
			continue
		}
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
	world := options.deploys.world
	d := cause.Deployment{
		Objects: func(ctx context.Context, with render.Options) ([]map[string]any, error) {
			result, err := world.Render(ctx, application, with)
			if err != nil {
				return nil, err
			}
			return result.Objects, nil
		},
	}
	options.deploys.places(&d, target, what)
	return applicationSearcher{cause.NewDeployment(d, evaluators, cause.Options{Render: options.Render})}
}

// places adds the files and folders that decide of an Application: its own, those of its
// sources, and those of what renders it.
func (d *deployments) places(to *cause.Deployment, t find.Target, what content) {
	application, ok := t.By.(*argocd.Application)
	if !ok {
		for _, w := range d.written {
			if slices.Contains(w.By, t.Path) {
				to.Applications = append(to.Applications, filepath.FromSlash(w.Path))
			}
		}
		to.Folders = append(to.Folders, filepath.FromSlash(t.Path))
		return
	}
	if file := application.File(); file != "" {
		to.Applications = append(to.Applications, filepath.FromSlash(file))
	}
	for _, s := range what.sources {
		if s.Folder != "" {
			to.Folders = append(to.Folders, s.Folder)
		}
		switch s.Type {
		case source.Helm:
			to.Values = append(to.Values, s.Files...)
		case source.Directory:
			to.Manifests = append(to.Manifests, s.Files...)
		}
	}
	if parent, ok := d.looked[application.By()]; ok {
		d.places(to, parent.Target, parent.content)
	}
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
func specText(application argocd.Application) string { return asText(application.Spec) }
