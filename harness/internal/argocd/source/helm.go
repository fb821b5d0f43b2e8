package source

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// helm is helmTemplate of reposerver/repository/repository.go with template of
// util/helm/cmd.go.
func (o *one) helm() ([]*unstructured.Unstructured, error) {
	field, helm := o.field+".helm", o.source.Helm
	if helm == nil {
		helm = &api.ApplicationSourceHelm{}
	}
	if helm.Version != "" {
		return nil, refused(field+".version", fmt.Sprintf("it chooses Helm %s of the Argo CD instance", helm.Version), "leave it out")
	}
	versions := o.versions()
	if helm.KubeVersion != "" {
		versions.Kubernetes = helm.KubeVersion
	}
	if len(helm.APIVersions) > 0 {
		versions.APIs = helm.APIVersions
	}
	kubeVersion, err := parseVersion(versions.Kubernetes)
	if err != nil {
		return nil, broken(field+".kubeVersion", err.Error(), "correct it")
	}
	release := &render.Release{
		Name: o.app.Name, Namespace: o.app.Spec.Destination.Namespace,
		IncludeCRDs: !helm.SkipCrds, SkipTests: helm.SkipTests, SkipSchemaValidation: helm.SkipSchemaValidation,
	}
	if helm.ReleaseName != "" {
		release.Name = helm.ReleaseName
	}
	if helm.Namespace != "" {
		release.Namespace = helm.Namespace
	}
	if strings.Contains(release.Name, "{{") {
		return nil, refused(field+".releaseName", "it is a template, which Helm runs", "write the name")
	}
	if release.Values, err = o.values(field, helm); err != nil {
		return nil, err
	}
	o.said.Release = release
	o.said.Options.KubeVersion, o.said.Options.APIVersions = kubeVersion, versions.APIs
	return o.template(kubeVersion != "", len(versions.APIs) > 0)
}

// template templates the chart. What a chart asks of a cluster of which nobody knows
// the version is refused.
func (o *one) template(knowsVersion, knowsAPIs bool) ([]*unstructured.Unstructured, error) {
	release := *o.said.Release
	var asks, asksAPIs atomic.Bool // a rendering that reached a limit goes on
	release.Opened = func(chart *render.Chart) {
		asks.Store(!knowsVersion && mentions(chart.Loaded(), ".Capabilities.KubeVersion"))
		asksAPIs.Store(!knowsAPIs && mentions(chart.Loaded(), ".Capabilities.APIVersions"))
	}
	text, err := render.Template(o.ctx, o.folder, release, o.said.Options)
	if asks.Load() {
		return nil, refused(o.field, "its chart asks for the version of Kubernetes (.Capabilities.KubeVersion), and nobody has said which the cluster has", "say it, or set helm.kubeVersion")
	}
	if asksAPIs.Load() {
		o.warn(o.field, "its chart asks for the cluster's API versions (.Capabilities.APIVersions), and nobody has said which it has: those that Helm knows by itself stand for them")
	}
	if errors.Is(err, render.ErrNothingRendered) {
		return nil, nil
	}
	if err != nil {
		return nil, failed(o.field, err)
	}
	objects, err := splitYAML(text)
	if err != nil {
		return nil, failed(o.field, err)
	}
	return objects, nil
}

// mentions reports whether a template of a chart, or of one below it, holds a text.
func mentions(chart *chartv2.Chart, text string) bool {
	for _, file := range chart.Templates {
		if bytes.Contains(file.Data, []byte(text)) {
			return true
		}
	}
	for _, below := range chart.Dependencies() {
		if mentions(below, text) {
			return true
		}
	}
	return false
}

// values are those of the source over those of the chart: files, then values or
// valuesObject, then parameters, then fileParameters.
func (o *one) values(field string, helm *api.ApplicationSourceHelm) (values render.Values, err error) {
	files, err := o.valueFiles(field, helm)
	if err != nil {
		return values, err
	}
	for _, file := range files {
		text, err := o.read(file.root, file.field, file.path)
		if err != nil {
			return values, err
		}
		values.Texts = append(values.Texts, render.ValuesText{Name: file.path, Text: text})
	}
	inline := render.ValuesText{Name: field + ".values", Text: []byte(helm.Values)}
	if helm.ValuesObject != nil && helm.ValuesObject.Raw != nil {
		inline.Name = field + ".valuesObject"
		if inline.Text, err = yaml.JSONToYAML(helm.ValuesObject.Raw); err != nil {
			return values, broken(inline.Name, err.Error(), "correct it")
		}
	}
	if len(inline.Text) > 0 {
		values.Texts = append(values.Texts, inline)
	}
	if err := o.parameters(field, helm, &values); err != nil {
		return values, err
	}
	return values, nil
}
