package probetest

import (
	"context"
	"fmt"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"

	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// judged is what the built-in policy says of a chart.
type judged struct {
	// refused is what Helm says where the chart does not render.
	refused error
	// controllers counts the controllers workloads.
	controllers int
	// denied are the findings that deny, as code and workload.
	denied []string
}

// judge templates the chart in a folder and judges what comes out.
func judge(t *testing.T, policy *evaluate.Evaluator, dir string, settings Settings) judged {
	t.Helper()
	chart, err := render.OpenChart(dir, settings.Release.Name, settings.Release.Namespace, render.Options{
		KubeVersion: settings.Capabilities.KubeVersion, APIVersions: settings.Capabilities.APIVersions,
	})
	if err != nil {
		t.Fatal(err)
	}
	values, err := render.DecodedValues(settings.Values)
	if err != nil {
		t.Fatal(err)
	}
	files, err := template(t.Context(), chart, values, settings.Release.Upgrade)
	if err != nil {
		return judged{refused: err}
	}
	var contents []map[string]any
	for _, file := range files {
		objects, err := chart.Objects(file)
		if err != nil {
			return judged{refused: err}
		}
		for _, object := range objects {
			contents = append(contents, object.Content)
		}
	}
	result, err := policy.Evaluate(t.Context(), manifest.Rendered(contents))
	if err != nil {
		t.Fatal(err)
	}
	var j judged
	for _, workload := range result.Workloads {
		if workload.Role == report.Controllers {
			j.controllers++
		}
	}
	for _, finding := range result.Findings {
		if finding.Severity == report.Deny {
			j.denied = append(j.denied, fmt.Sprintf("%s %s", finding.Code, finding.Workload))
		}
	}
	return j
}

// template templates a chart with values. Package render templates installations
// only.
func template(ctx context.Context, chart *render.Chart, values map[string]any, upgrade bool) ([]render.File, error) {
	if !upgrade {
		return chart.Template(ctx, values)
	}
	loaded := chart.Loaded()
	if err := chartutil.ProcessDependencies(loaded, values); err != nil {
		return nil, err
	}
	top, err := util.ToRenderValues(loaded, values, common.ReleaseOptions{
		Name: chart.ReleaseName, Namespace: chart.Namespace, Revision: 2, IsUpgrade: true,
	}, common.DefaultCapabilities.Copy())
	if err != nil {
		return nil, err
	}
	texts, err := engine.Engine{}.RenderWithContext(ctx, loaded, top)
	if err != nil {
		return nil, err
	}
	var files []render.File
	for name, text := range texts {
		files = append(files, render.File{Name: name, Text: text})
	}
	return files, nil
}

// policy is the built-in one, under the default constraint.
func policy(t *testing.T) *evaluate.Evaluator {
	t.Helper()
	e, err := evaluate.New(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
