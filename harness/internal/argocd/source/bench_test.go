package source_test

import (
	"path/filepath"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/source"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

// BenchmarkHelm renders an Application of the fixture chart.
func BenchmarkHelm(b *testing.B) {
	view := source.View{Repositories: []source.Repository{{URLs: []string{judgedURL}, Root: stock.Root(b)}}}
	app := decoded(b, appOf("  source: {REPO, path: fixtures/charts/agents, helm: {parameters: [{name: controllers.env.vars.JANGAR_MIGRATIONS, value: skip}]}}\n"))
	for b.Loop() {
		result, err := source.Render(b.Context(), app, view, render.Options{KubeVersion: render.DefaultKubeVersion})
		if err != nil || len(result.Objects) == 0 {
			b.Fatal(result, err)
		}
	}
}

// BenchmarkTemplate templates the same chart alone.
func BenchmarkTemplate(b *testing.B) {
	chart := filepath.Join(stock.Root(b), "fixtures", "charts", "agents")
	release := render.Release{Name: "agents", Namespace: "agents", IncludeCRDs: true, Values: render.Values{Set: []string{"controllers.env.vars.JANGAR_MIGRATIONS=skip"}}}
	for b.Loop() {
		if _, err := render.Template(b.Context(), chart, release, render.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkKustomize renders an Application of the fixture app.
func BenchmarkKustomize(b *testing.B) {
	view := source.View{Repositories: []source.Repository{{URLs: []string{judgedURL}, Root: stock.Root(b)}}}
	view.Settings.KustomizeBuildOptions = "--enable-helm --load-restrictor LoadRestrictionsNone"
	app := decoded(b, appOf("  source: {REPO, path: fixtures/argocd/applications/agents, kustomize: {commonAnnotations: {a: b}}}\n"))
	for b.Loop() {
		result, err := source.Render(b.Context(), app, view, render.Options{KubeVersion: render.DefaultKubeVersion})
		if err != nil || len(result.Objects) == 0 {
			b.Fatal(result, err)
		}
	}
}

// BenchmarkApp renders the same app alone.
func BenchmarkApp(b *testing.B) {
	app := filepath.Join(stock.Root(b), "fixtures", "argocd", "applications", "agents")
	for b.Loop() {
		if _, err := render.App(b.Context(), app, render.Options{LoadAnywhere: true}); err != nil {
			b.Fatal(err)
		}
	}
}
