package check

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/proompteng/nevermigrate/harness/internal/argocd"
	"github.com/proompteng/nevermigrate/harness/internal/argocd/source"
	"github.com/proompteng/nevermigrate/harness/internal/find"
	"github.com/proompteng/nevermigrate/harness/report"
)

// ErrNoArgoCD says that nobody says what Argo CD knows.
var ErrNoArgoCD = errors.New("the configuration does not say what Argo CD knows: give it the key argocd, such as argocd: {revisions: [main]}")

// Applications are what Argo CD deploys from paths, and whether All judges it. What is
// rendered is looked into for more, and nothing is judged. Its error is that of All, or
// ErrNoArgoCD.
func Applications(ctx context.Context, paths []string, options Options) (*report.Applications, error) {
	if options.ArgoCD == nil {
		return nil, ErrNoArgoCD
	}
	evaluators, err := loadEvaluators(ctx, options)
	if err != nil {
		return nil, err
	}
	found, err := look(ctx, paths, options)
	if err != nil {
		return nil, err
	}
	found, deploys, err := options.deployments(ctx, found)
	if err != nil {
		return nil, err
	}
	defer deploys.close()
	all := &report.Applications{Version: report.Version, Applications: []report.Application{}, NotJudged: []report.NotJudged{}}
	left, err := deploys.follow(ctx, found.Targets, func(targets []find.Target) (made []find.NotJudged, _ error) {
		for _, target := range targets {
			what, err := contentOf(ctx, target, options)
			if err == nil {
				made = append(made, find.Delivered(target.Path, what.objects)...)
			}
			if target.Kind != find.Application {
				continue
			}
			all.Applications = append(all.Applications, reported(*target.By.(*argocd.Application), what.sources, err))
			if err != nil && isRefused(err) {
				made = append(made, notRendered(target, err))
			}
		}
		return made, nil
	})
	if err != nil {
		return nil, err
	}
	for _, n := range coverage(ctx, found, left, evaluators).NotJudged {
		if kind := find.Kind(n.Kind); (kind == find.Application || kind == find.ApplicationSet) && !slices.Contains(all.NotJudged, n) {
			all.NotJudged = append(all.NotJudged, n)
		}
	}
	return all, nil
}

// reported is an Application as a report has it; the sources are those that were
// rendered.
func reported(a argocd.Application, rendered []source.Source, err error) report.Application {
	to := a.Spec.Destination
	r := report.Application{
		Name: a.Name, Namespace: a.Namespace, Project: cmp.Or(a.Spec.Project, "default"), Sources: []report.ApplicationSource{},
		Destination: report.Destination{Server: to.Server, Name: to.Name, Namespace: to.Namespace}, Judged: err == nil,
	}
	for _, place := range a.Chain {
		r.Chain = append(r.Chain, report.ApplicationPlace{File: place.File, Line: place.Line, Path: place.Path})
	}
	for i, s := range a.Sources() {
		one := report.ApplicationSource{RepoURL: s.RepoURL, Path: s.Path, Chart: s.Chart, Revision: s.TargetRevision}
		if i < len(rendered) {
			one.Type = rendered[i].Type
		}
		r.Sources = append(r.Sources, one)
	}
	if err != nil {
		r.Reason = relativeMessage(err)
	}
	return r
}
