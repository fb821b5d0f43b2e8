package appset

import (
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/strategicpatch"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
)

// patched is an Application with a templatePatch that was filled in:
// applyTemplatePatch of applicationset/controllers/template/patch.go. It is a
// strategic merge on the types of an Application. The project stays.
func patched(application *api.Application, text string) (*api.Application, error) {
	original, err := json.Marshal(application)
	if err != nil {
		return nil, err
	}
	patch, err := asJSON(text)
	if err != nil {
		return nil, fmt.Errorf("the patch is no YAML: %w", err)
	}
	if err := json.Unmarshal([]byte(patch), &api.Application{}); err != nil {
		return nil, fmt.Errorf("the patch is no Application: %w", err)
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal([]byte(patch), &keys); err != nil {
		return nil, err
	}
	for key := range keys {
		if strings.EqualFold(key, "status") {
			return nil, &refusal{"the patch sets status, which is not looked into", "remove it: Argo CD applies no status"}
		}
	}
	data, err := strategicpatch.StrategicMergePatch(original, []byte(patch), api.Application{})
	if err != nil {
		return nil, fmt.Errorf("the patch cannot be applied: %w", err)
	}
	var made api.Application
	if err := json.Unmarshal(data, &made); err != nil {
		return nil, fmt.Errorf("the patched Application is none: %w", err)
	}
	made.Spec.Project = application.Spec.Project
	return &made, nil
}
