package source

import (
	"bytes"
	"encoding/json"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
)

// normalized is an Application with the spec that Argo CD's controller works with and
// writes back: options that say nothing are none.
func normalized(app *api.Application) *api.Application {
	copied := *app
	copied.Spec = api.Normalize(app.Spec)
	return &copied
}

// dependsOnNormalization refuses an Application that gives other objects before its
// spec is normalized. The controller compares first and normalizes then, so both are
// applied, one after the other: helm: {} is a type the first time and none the next.
func (r *rendering) dependsOnNormalization(app *api.Application) error {
	sources, fields := sourcesOf(&app.Spec)
	others, _ := sourcesOf(&r.app.Spec)
	for i := range sources {
		before, err := json.Marshal(sources[i])
		after, otherErr := json.Marshal(others[i])
		if err == nil && otherErr == nil && bytes.Equal(before, after) {
			continue
		}
		first := &rendering{ctx: r.ctx, app: app, view: r.view, options: r.options, revision: r.revision}
		objects, err := first.all()
		if r.ctx.Err() != nil {
			return err
		}
		if err == nil {
			one, oneErr := json.Marshal(r.result.Objects)
			two, twoErr := json.Marshal(first.normalize(objects))
			if oneErr == nil && twoErr == nil && bytes.Equal(one, two) {
				return nil
			}
		}
		return refused(fields[i], "it has options that say nothing, which Argo CD heeds once and then removes, and without them it makes other objects", "remove them, or say something")
	}
	return nil
}
