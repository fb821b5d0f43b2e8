package source

import (
	"encoding/json"
	"fmt"

	kjson "sigs.k8s.io/json"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
)

// Decode is an Application as the API server hands it to Argo CD: names of fields
// match by their case, and an unknown field is dropped. The names of those that are
// dropped come with it.
func Decode(object map[string]any) (app *api.Application, dropped []string, err error) {
	text, err := json.Marshal(object)
	if err != nil {
		return nil, nil, fmt.Errorf("write an Application: %w", err)
	}
	app = &api.Application{}
	unknown, err := kjson.UnmarshalStrict(text, app, kjson.DisallowUnknownFields)
	if err != nil {
		return nil, nil, fmt.Errorf("read an Application: %w", err)
	}
	for _, one := range unknown {
		dropped = append(dropped, one.Error())
	}
	return app, dropped, nil
}
