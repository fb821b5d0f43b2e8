package render

import (
	"errors"
	"sync"

	"sigs.k8s.io/kustomize/kyaml/openapi"
	kyaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/mergekeys"
)

// schemas guards the OpenAPI schema that kyaml keeps in global variables. Most
// apps use the built-in one, which is only read once it is there. An app with an
// openapi field of its own changes it for the whole process, so it is rendered
// alone, and the built-in one is restored before any other.
var schemas sync.RWMutex

// builtinSchema is loaded by the first caller; the others wait.
var builtinSchema = sync.OnceFunc(loadSchema)

// deployment is a kind of the built-in schema.
var deployment = kyaml.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}

// loadSchema gives kyaml what it needs to know of the kinds of Kubernetes before it
// reads all of its built-in schema, which says the same and takes far longer. Where
// something else in the process made it read that, there is nothing to give.
func loadSchema() {
	openapi.SuppressBuiltInSchemaUse()
	if openapi.SchemaForResourceType(deployment) == nil {
		openapi.AddDefinitions(mergekeys.Definitions())
	}
}

// errOwnSchema stops a rendering beside others when it turns out that the app
// has an OpenAPI schema of its own.
var errOwnSchema = errors.New("the app has an OpenAPI schema of its own")

// withSchema runs a rendering beside others or, when it needs that, alone, with
// kyaml's own schema. The rendering is told which, and fails with errOwnSchema when it
// must be alone and is not.
func withSchema(rendering func(alone bool) error) error {
	err := func() error {
		schemas.RLock()
		defer schemas.RUnlock()
		builtinSchema()
		return rendering(false)
	}()
	if !errors.Is(err, errOwnSchema) {
		return err
	}
	schemas.Lock()
	defer schemas.Unlock()
	openapi.ResetOpenAPI()
	defer func() {
		openapi.ResetOpenAPI()
		loadSchema()
	}()
	return rendering(true)
}
