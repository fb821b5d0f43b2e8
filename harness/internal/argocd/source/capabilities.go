package source

import (
	"bytes"
	"encoding/json"
	"sync/atomic"

	chartv2 "helm.sh/helm/v4/pkg/chart/v2"

	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// capabilities is what charts ask of a cluster. A rendering that reached a limit goes
// on, so it may be told at any time.
type capabilities struct{ version, apis atomic.Bool }

// look looks at the templates and the values of a chart, which may hold templates too.
func (c *capabilities) look(chart *render.Chart) {
	values, _ := json.Marshal(chart.Values)
	if mentions(chart.Loaded(), values, "KubeVersion") {
		c.version.Store(true)
	}
	if mentions(chart.Loaded(), values, "APIVersions") {
		c.apis.Store(true)
	}
}

// mentions reports whether values, a template of a chart or its own values hold a
// text, or those of a chart below it.
func mentions(chart *chartv2.Chart, values []byte, text string) bool {
	if bytes.Contains(values, []byte(text)) {
		return true
	}
	for _, file := range chart.Templates {
		if bytes.Contains(file.Data, []byte(text)) {
			return true
		}
	}
	for _, file := range chart.Raw {
		if file.Name == "values.yaml" && bytes.Contains(file.Data, []byte(text)) {
			return true
		}
	}
	for _, below := range chart.Dependencies() {
		if mentions(below, nil, text) {
			return true
		}
	}
	return false
}

// answer refuses a source whose charts ask for a version of Kubernetes that nobody
// knows, and warns of API versions.
func (o *one) answer(asked *capabilities, knowsVersion, knowsAPIs bool) error {
	if asked.version.Load() && !knowsVersion {
		return refused(o.field, "its chart asks for the version of Kubernetes (.Capabilities.KubeVersion), and nobody has said which the cluster has", "say it, or set kubeVersion")
	}
	if asked.apis.Load() && !knowsAPIs {
		o.warn(o.field, "its chart asks for the cluster's API versions (.Capabilities.APIVersions), and nobody has said which it has: those that Helm knows by itself stand for them")
	}
	return nil
}
