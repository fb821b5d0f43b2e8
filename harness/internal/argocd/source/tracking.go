package source

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Names that Argo CD has used for the label of an instance.
const (
	instanceLabel = "app.kubernetes.io/instance"
	legacyLabel   = "applications.argoproj.io/app-name"
)

// setInstance is SetAppInstance of util/argo/resource_tracking.go, as far as it is
// about labels. Annotations decide nothing.
func (o *one) setInstance(object *unstructured.Unstructured) error {
	settings := o.view.Settings
	key := settings.InstanceLabelKey
	if key == "" {
		key = instanceLabel
	}
	if object.GroupVersionKind().Group == "apiextensions.k8s.io" && object.GetKind() == "CustomResourceDefinition" {
		return nil
	}
	switch settings.TrackingMethod {
	case "label":
		return setInstanceLabel(object, key, o.appName())
	case "annotation+label":
		name, err := truncateLabel(o.appName())
		if err != nil {
			return err
		}
		return setInstanceLabel(object, key, name)
	default:
		return nil
	}
}

var labelEnd = regexp.MustCompile(`[a-zA-Z0-9]$`)

// truncateLabel is TruncateLabel there.
func truncateLabel(name string) (string, error) {
	if len(name) <= 63 {
		return name, nil
	}
	for name = name[:63]; !labelEnd.MatchString(name); name = name[:len(name)-1] {
		if len(name) <= 1 {
			return "", errors.New("its name cannot be made a label")
		}
	}
	return name, nil
}

// setInstanceLabel is SetAppInstanceLabel of util/kube/kube.go: only the oldest key
// reaches pod templates.
func setInstanceLabel(object *unstructured.Unstructured, key, name string) error {
	labels, err := labelsOf(object)
	if err != nil {
		return err
	}
	labels[key] = name
	object.SetLabels(labels)
	if key != legacyLabel {
		return nil
	}
	group := object.GroupVersionKind().Group
	switch {
	case slices.Contains([]string{"apps", "extensions"}, group) && slices.Contains([]string{"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"}, object.GetKind()):
	case group == "batch" && object.GetKind() == "Job":
	default:
		return nil
	}
	template, found, err := unstructured.NestedMap(object.Object, "spec", "template", "metadata", "labels")
	if err != nil {
		return err
	}
	if !found || template == nil {
		template = map[string]any{}
	}
	template[key] = name
	return unstructured.SetNestedMap(object.Object, template, "spec", "template", "metadata", "labels")
}

func labelsOf(object *unstructured.Unstructured) (map[string]string, error) {
	value, found, err := unstructured.NestedFieldNoCopy(object.Object, "metadata", "labels")
	if err != nil {
		return nil, err
	}
	labels := map[string]string{}
	if !found || value == nil {
		return labels, nil
	}
	given, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the labels of %s %s are no map", object.GetKind(), object.GetName())
	}
	for key, value := range given {
		text, ok := value.(string)
		if !ok {
			return nil, fmt.Errorf("the label %s of %s %s is no text", key, object.GetKind(), object.GetName())
		}
		labels[key] = text
	}
	return labels, nil
}
