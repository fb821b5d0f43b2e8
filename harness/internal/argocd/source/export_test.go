package source

import (
	"context"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// Manifests are the objects as the repository server gives them: before namespaces
// are set and duplicates dropped.
func Manifests(ctx context.Context, app *api.Application, view View, options render.Options) ([]map[string]any, error) {
	r := &rendering{ctx: ctx, app: normalized(app), view: view, options: options, revision: revision}
	objects, err := r.all()
	if err != nil {
		return nil, named(err, app.Name)
	}
	var all []map[string]any
	for _, object := range objects {
		decoded(object.Object)
		all = append(all, object.Object)
	}
	return all, nil
}
