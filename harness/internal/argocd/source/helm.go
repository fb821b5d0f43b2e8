package source

import (
	"fmt"
	"strings"

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
	asked := &capabilities{}
	options := o.said.Options
	options.Opened = asked.look
	text, err := render.Template(o.ctx, o.folder, *release, options)
	if err := o.answer(asked, kubeVersion != "", len(versions.APIs) > 0); err != nil {
		return nil, err
	}
	return o.printed(text, err)
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
