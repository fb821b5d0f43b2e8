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
var ErrNoArgoCD = errors.New("nothing says which repository this is: work in a git work tree")

// Applications are what Argo CD deploys from paths, and whether All judges it. Nothing is
// judged. Its error is that of All, or ErrNoArgoCD.
func Applications(ctx context.Context, paths []string, options Options) (*report.Applications, error) {
	if options.ArgoCD == nil {
		return nil, ErrNoArgoCD
	}
	evaluators, err := loadEvaluators(ctx, options)
	if err != nil {
		return nil, err
	}
	found, deploys, err := options.found(ctx, paths)
	if err != nil {
		return nil, err
	}
	defer deploys.close()
	all := &report.Applications{Version: report.Version, Applications: []report.Application{}, NotJudged: []report.NotJudged{}}
	left, err := deploys.refused(ctx, found.Targets, options)
	if err != nil {
		return nil, err
	}
	for _, target := range found.Targets {
		if target.Kind == find.Application {
			what, err := contentOf(ctx, target, options)
			all.Applications = append(all.Applications, reported(*target.By.(*argocd.Application), what.sources, err))
		}
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
		Chain: chainOf(&a),
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

// chainOf are the places that an Application comes from, as seen from the working
// directory.
func chainOf(a *argocd.Application) []report.ApplicationPlace {
	var chain []report.ApplicationPlace
	for _, place := range a.Chain {
		chain = append(chain, report.ApplicationPlace{File: cmp.Or(a.File(), place.File), Line: place.Line, Path: place.Path})
	}
	return chain
}
