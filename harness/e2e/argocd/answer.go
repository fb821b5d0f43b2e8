package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"

	log "github.com/sirupsen/logrus"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/argoproj/argo-cd/v3/applicationset/controllers/template"
	"github.com/argoproj/argo-cd/v3/applicationset/generators"
	"github.com/argoproj/argo-cd/v3/applicationset/utils"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/argo"
)

// question is an ApplicationSet with what it reads.
type question struct {
	Name string `json:"name"`
	// Set is the ApplicationSet, and Clusters are the Secrets, in YAML.
	Set      string   `json:"set"`
	Clusters []string `json:"clusters"`
	// Files are those of the repository.
	Files map[string]string `json:"files"`
	// NewFileGlobbing is how Argo CD is set up.
	NewFileGlobbing bool `json:"newFileGlobbing"`
}

// answer is what Argo CD makes of it: Applications or an error.
type answer struct {
	Name         string            `json:"name"`
	Applications []json.RawMessage `json:"applications"`
	// Normalized are the specs of those that the controller changes before it
	// applies them, by their names.
	Normalized map[string]v1alpha1.ApplicationSpec `json:"normalized,omitempty"`
	Error      string                              `json:"error,omitempty"`
}

func answerTo(question question, checkout *checkout) answer {
	applications, normalized, err := applicationsOf(question, checkout)
	if err != nil {
		return answer{Name: question.Name, Error: strings.ReplaceAll(err.Error(), checkout.root, ".")}
	}
	return answer{Name: question.Name, Applications: applications, Normalized: normalized}
}

func applicationsOf(question question, checkout *checkout) (_ []json.RawMessage, _ map[string]v1alpha1.ApplicationSpec, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("panic: %v", panicked)
		}
	}()
	text, err := yaml.YAMLToJSON([]byte(question.Set))
	if err != nil {
		return nil, nil, err
	}
	var set v1alpha1.ApplicationSet
	if err := kjson.UnmarshalCaseSensitivePreserveInts(text, &set); err != nil {
		return nil, nil, err
	}
	client, err := newClient(question.Clusters)
	if err != nil {
		return nil, nil, err
	}
	made, _, err := template.GenerateApplications(log.NewEntry(log.StandardLogger()), set, allGenerators(client, checkout), &utils.Render{}, client)
	if err != nil {
		return nil, nil, err
	}
	if err := checkNames(made); err != nil {
		return nil, nil, err
	}
	// These come in the order of a Go map.
	if strings.Contains(question.Set, "merge") || strings.Contains(question.Set, "clusters") {
		sort.Slice(made, func(i, j int) bool { return made[i].Name < made[j].Name })
	}
	applications := []json.RawMessage{}
	normalized := map[string]v1alpha1.ApplicationSpec{}
	for _, application := range made {
		applied, err := asApplied(application)
		if err != nil {
			return nil, nil, err
		}
		applications = append(applications, applied)
		if spec := argo.NormalizeApplicationSpec(&application.Spec); !sameJSON(spec, application.Spec) {
			normalized[application.Name] = *spec
		}
	}
	return applications, normalized, nil
}

func sameJSON(a, b any) bool {
	textA, errA := json.Marshal(a)
	textB, errB := json.Marshal(b)
	return errA == nil && errB == nil && string(textA) == string(textB)
}

// allGenerators are those of generators.GetGenerators, without those that need a
// network.
func allGenerators(client *client, checkout *checkout) map[string]generators.Generator {
	with := func(inner map[string]generators.Generator) map[string]generators.Generator {
		all := map[string]generators.Generator{
			"List":     generators.NewListGenerator(),
			"Clusters": generators.NewClusterGenerator(client, namespace),
			"Git":      generators.NewGitGenerator(checkout, namespace),
		}
		if inner != nil {
			all["Matrix"] = generators.NewMatrixGenerator(inner)
			all["Merge"] = generators.NewMergeGenerator(inner)
		}
		return all
	}
	return with(with(with(nil)))
}

// checkNames is what validateGeneratedApplications of the controller says about
// names.
func checkNames(applications []v1alpha1.Application) error {
	seen := map[string]bool{}
	for _, application := range applications {
		if application.Name == "" {
			return errors.New("contains an application with no name")
		}
		if seen[application.Name] {
			return fmt.Errorf("contains applications with duplicate name: %s", application.Name)
		}
		seen[application.Name] = true
	}
	return nil
}

// asApplied is an Application as the controller applies it: with kind and version,
// and without a status.
func asApplied(application v1alpha1.Application) (json.RawMessage, error) {
	text, err := json.Marshal(application)
	if err != nil {
		return nil, err
	}
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil {
		return nil, err
	}
	delete(object, "status")
	object["apiVersion"], object["kind"] = "argoproj.io/v1alpha1", "Application"
	return json.Marshal(object)
}
