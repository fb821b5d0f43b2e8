package render

import (
	"errors"
	"sync"

	"sigs.k8s.io/kustomize/kyaml/openapi"
)

// schemas guards the OpenAPI schema that kyaml keeps in global variables. Most
// apps use the built-in one, which is only read once it is there. An app with an
// openapi field of its own changes it for the whole process, so it is rendered
// alone, and the built-in one is restored before any other.
var schemas sync.RWMutex

// errOwnSchema stops a rendering beside others when it turns out that the app
// has an OpenAPI schema of its own.
var errOwnSchema = errors.New("the app has an OpenAPI schema of its own")

// withSchema runs a rendering beside others or, when it needs that, alone.
// The rendering is told which, and fails with errOwnSchema when it must be
// alone and is not.
func withSchema(rendering func(alone bool) error) error {
	err := func() error {
		schemas.RLock()
		defer schemas.RUnlock()
		openapi.Schema() // made by the first caller; the others wait
		return rendering(false)
	}()
	if !errors.Is(err, errOwnSchema) {
		return err
	}
	schemas.Lock()
	defer schemas.Unlock()
	openapi.ResetOpenAPI()
	defer openapi.ResetOpenAPI()
	return rendering(true)
}
