package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	ctrl "sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
)

// namespace is where Argo CD runs.
const namespace = "argocd"

// client stands in for the API server: it has every AppProject, and Secrets.
type client struct {
	ctrl.Client
	secrets []corev1.Secret
}

func newClient(texts []string) (*client, error) {
	made := &client{}
	for _, text := range texts {
		var secret corev1.Secret
		if err := yaml.Unmarshal([]byte(text), &secret); err != nil {
			return nil, fmt.Errorf("read a Secret: %w", err)
		}
		// The API server writes what is in stringData over data.
		for key, value := range secret.StringData {
			if secret.Data == nil {
				secret.Data = map[string][]byte{}
			}
			secret.Data[key] = []byte(value)
		}
		made.secrets = append(made.secrets, secret)
	}
	return made, nil
}

func (c *client) Get(_ context.Context, key ctrl.ObjectKey, object ctrl.Object, _ ...ctrl.GetOption) error {
	project, ok := object.(*v1alpha1.AppProject)
	if !ok {
		return fmt.Errorf("no %T here", object)
	}
	project.Name, project.Namespace = key.Name, key.Namespace
	return nil
}

func (c *client) List(_ context.Context, list ctrl.ObjectList, options ...ctrl.ListOption) error {
	secrets, ok := list.(*corev1.SecretList)
	if !ok {
		return fmt.Errorf("no %T here", list)
	}
	var wanted ctrl.ListOptions
	wanted.ApplyOptions(options)
	for _, secret := range c.secrets {
		if wanted.LabelSelector.Matches(labels.Set(secret.Labels)) {
			// As a client gives it: Argo CD merges parameters into the labels.
			secrets.Items = append(secrets.Items, *secret.DeepCopy())
		}
	}
	return nil
}
