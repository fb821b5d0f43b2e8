package appset

import (
	"fmt"
	"maps"
	"path"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
)

// pathParams are the parameters of a directory: buildPathParameters of
// applicationset/generators/repo_path_utils.go.
func (g *generation) pathParams(directory, prefix string) map[string]any {
	if g.set.Spec.GoTemplate {
		return prefixed(prefix, map[string]any{
			"path":               directory,
			"basename":           path.Base(directory),
			"basenameNormalized": normalize(path.Base(directory)),
			"segments":           strings.Split(directory, "/"),
		})
	}
	params := map[string]any{}
	addFlatPath(params, prefix, directory)
	return params
}

func prefixed(prefix string, params map[string]any) map[string]any {
	if prefix != "" {
		return map[string]any{prefix: map[string]any{"path": params}}
	}
	return map[string]any{"path": params}
}

// addFlatPath adds what is known of a path without goTemplate, and returns the key
// of the path.
func addFlatPath(params map[string]any, prefix, directory string) string {
	name := "path"
	if prefix != "" {
		name = prefix + ".path"
	}
	params[name] = directory
	params[name+".basename"] = path.Base(directory)
	params[name+".basenameNormalized"] = normalize(path.Base(directory))
	for i, segment := range strings.Split(directory, "/") {
		if segment != "" {
			params[name+"["+strconv.Itoa(i)+"]"] = segment
		}
	}
	return name
}

// objectsOf are what a file of parameters holds: a map, nothing, or a list of maps.
func objectsOf(text []byte) ([]map[string]any, error) {
	single := map[string]any{}
	if err := yaml.Unmarshal(text, &single); err == nil {
		return []map[string]any{single}, nil
	}
	objects := []map[string]any{}
	err := yaml.Unmarshal(text, &objects)
	return objects, err
}

// fileParams are the parameters of an object in a file: parseFileParams of
// applicationset/generators/repo_path_utils.go.
func (g *generation) fileParams(file string, object map[string]any, git *api.GitGenerator) (map[string]any, error) {
	params := map[string]any{}
	directory, name := path.Dir(file), path.Base(file)
	if g.set.Spec.GoTemplate {
		maps.Copy(params, object)
		maps.Copy(params, prefixed(git.PathParamPrefix, map[string]any{
			"path":               directory,
			"basename":           path.Base(directory),
			"filename":           name,
			"basenameNormalized": normalize(path.Base(directory)),
			"filenameNormalized": normalize(name),
			"segments":           strings.Split(directory, "/"),
		}))
	} else {
		flat, twice := flatten(object)
		for key := range twice {
			return nil, &refusal{fmt.Sprintf("%s gives %q twice, as one key and as a path of keys, and Argo CD takes either", file, key), "give it once"}
		}
		for key, value := range flat {
			params[key] = value
		}
		key := addFlatPath(params, git.PathParamPrefix, directory)
		params[key+".filename"] = name
		params[key+".filenameNormalized"] = normalize(name)
	}
	return params, g.addValues(git.Values, params)
}
