package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	kyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// splitYAML is SplitYAML of gitops-engine/pkg/utils/kube.
func splitYAML(text []byte) ([]*unstructured.Unstructured, error) {
	var objects []*unstructured.Unstructured
	decoder := kyaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		var document runtime.RawExtension
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return objects, nil
		} else if err != nil {
			return nil, fmt.Errorf("read what was rendered: %w", err)
		}
		raw := bytes.TrimSpace(document.Raw)
		if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
			continue
		}
		object := &unstructured.Unstructured{}
		read := yaml.Unmarshal
		if isPlain(raw) {
			read = plainJSON
		}
		if err := read(raw, object); err != nil {
			return nil, fmt.Errorf("read what was rendered: %w", err)
		}
		objects = append(objects, object)
	}
}

// isPlain reports whether a text of JSON is the same as YAML, by which Argo CD reads
// it a second time. Characters beyond ASCII may not be: a few are line breaks there.
func isPlain(text []byte) bool {
	for _, b := range text {
		if b >= utf8.RuneSelf {
			return false
		}
	}
	return !bytes.Contains(text, []byte(`\u`)) && !bytes.Contains(text, []byte(`\/`))
}

func plainJSON(text []byte, into any, _ ...yaml.JSONOpt) error { return json.Unmarshal(text, into) }

// targets are the objects with lists taken apart, one level deep, and the labels by
// which Argo CD knows its own: the end of GenerateManifests of
// reposerver/repository/repository.go.
func (o *one) targets(made []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	var targets []*unstructured.Unstructured
	for _, object := range made {
		switch {
		case object.IsList():
			err := object.EachListItem(func(item runtime.Object) error {
				below, ok := item.(*unstructured.Unstructured)
				if !ok {
					return errors.New("an item of a list is no object")
				}
				targets = append(targets, below)
				return nil
			})
			if err != nil {
				return nil, broken(o.field, err.Error(), "correct the list")
			}
		case isNullList(object):
		default:
			targets = append(targets, object)
		}
	}
	for _, target := range targets {
		if target.GetKind() == "" {
			return nil, broken(o.field, "an object has no kind", "correct it")
		}
		if err := o.setInstance(target); err != nil {
			return nil, broken(o.field, err.Error(), "correct it")
		}
	}
	return targets, nil
}

// isNullList is the function of that name there.
func isNullList(object *unstructured.Unstructured) bool {
	for _, field := range []string{"spec", "status"} {
		if _, ok := object.Object[field]; ok {
			return false
		}
	}
	items, ok := object.Object["items"]
	return ok && items == nil
}

// normalize gives objects the namespaces that Argo CD gives them and drops what it
// does not apply: duplicates but the last, kinds that the instance excludes, and
// hooks of no phase. It follows NormalizeTargetObjects and CompareAppState of
// controller/state.go.
func (r *rendering) normalize(objects []*unstructured.Unstructured) []map[string]any {
	last := map[[4]string]int{}
	keys := make([][4]string, len(objects))
	for i, object := range objects {
		group, kind := object.GroupVersionKind().Group, object.GetKind()
		namespaced := !clusterScoped[group+"/"+kind]
		switch {
		case !namespaced && object.GetNamespace() != "":
			object.SetNamespace("")
		case namespaced && object.GetNamespace() == "":
			object.SetNamespace(r.app.Spec.Destination.Namespace)
		}
		name := object.GetName()
		if name == "" && object.GetGenerateName() != "" {
			name = fmt.Sprintf("%s%d", object.GetGenerateName(), i)
		}
		keys[i] = [4]string{group, kind, object.GetNamespace(), name}
		last[keys[i]] = i
	}
	applied := []map[string]any{}
	for i, object := range objects {
		if last[keys[i]] != i {
			r.warn("spec", "%s %s is there more than once; the last one is applied", object.GetKind(), keys[i][3])
			continue
		}
		if r.view.Settings.excludes(keys[i][0], keys[i][1], r.app.Spec.Destination.Server) || !isApplied(object) {
			continue
		}
		decoded(object.Object)
		applied = append(applied, object.Object)
		r.result.Origins = append(r.result.Origins, r.origins[i])
	}
	return applied
}

// decoded is a value as encoding/json decodes it: with floats for all numbers. It
// changes maps and lists in place.
func decoded(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, below := range value {
			value[key] = decoded(below)
		}
	case []any:
		for i, below := range value {
			value[i] = decoded(below)
		}
	case int64:
		return float64(value)
	}
	return value
}

// clusterScoped are the kinds of Kubernetes that are in no namespace. Argo CD asks
// the cluster; of what it does not know it thinks that it is in one.
var clusterScoped = map[string]bool{
	"/Namespace": true, "/Node": true, "/PersistentVolume": true, "/ComponentStatus": true,
	"rbac.authorization.k8s.io/ClusterRole": true, "rbac.authorization.k8s.io/ClusterRoleBinding": true,
	"apiextensions.k8s.io/CustomResourceDefinition": true, "apiregistration.k8s.io/APIService": true,
	"storage.k8s.io/StorageClass": true, "storage.k8s.io/CSIDriver": true, "storage.k8s.io/CSINode": true,
	"storage.k8s.io/VolumeAttachment": true, "storage.k8s.io/VolumeAttributesClass": true,
	"scheduling.k8s.io/PriorityClass": true, "networking.k8s.io/IngressClass": true, "node.k8s.io/RuntimeClass": true,
	"networking.k8s.io/IPAddress": true, "networking.k8s.io/ServiceCIDR": true,
	"admissionregistration.k8s.io/ValidatingWebhookConfiguration":   true,
	"admissionregistration.k8s.io/MutatingWebhookConfiguration":     true,
	"admissionregistration.k8s.io/ValidatingAdmissionPolicy":        true,
	"admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding": true,
	"admissionregistration.k8s.io/MutatingAdmissionPolicy":          true,
	"admissionregistration.k8s.io/MutatingAdmissionPolicyBinding":   true,
	"flowcontrol.apiserver.k8s.io/FlowSchema":                       true,
	"flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration":       true,
	"certificates.k8s.io/CertificateSigningRequest":                 true,
	"certificates.k8s.io/ClusterTrustBundle":                        true,
	"resource.k8s.io/DeviceClass":                                   true, "resource.k8s.io/ResourceSlice": true,
}
