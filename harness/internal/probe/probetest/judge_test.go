package probetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
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

// judged is what the built-in policy says of a chart with some settings.
type judged struct {
	// refused is what Helm says where the chart does not render.
	refused error
	// controllers counts the controllers workloads.
	controllers int
	// denied are the findings that deny, as code and workload.
	denied []string
}

// judge says what the built-in policy, under the default constraint, says of the
// chart in a folder.
func judge(t *testing.T, dir string, settings Settings) judged {
	t.Helper()
	return newJudge(t, dir, settings).of(settings.Values)
}

// A chartJudge judges one chart for one release, with one set of values after the
// other.
type chartJudge struct {
	t       *testing.T
	policy  *evaluate.Evaluator
	chart   *render.Chart
	upgrade bool
	// known is what was said of texts that were rendered before.
	known map[string]judged
}

func newJudge(t *testing.T, dir string, settings Settings) *chartJudge {
	t.Helper()
	chart, err := render.OpenChart(dir, settings.Release.Name, settings.Release.Namespace, render.Options{
		KubeVersion: settings.Capabilities.KubeVersion, APIVersions: settings.Capabilities.APIVersions,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &chartJudge{t, policy(t), chart, settings.Release.Upgrade, map[string]judged{}}
}

func (j *chartJudge) of(values map[string]any) judged {
	j.t.Helper()
	values, err := render.DecodedValues(values)
	if err != nil {
		j.t.Fatal(err)
	}
	files, err := j.template(values)
	if err != nil {
		return judged{refused: err}
	}
	text := fmt.Sprintf("%q", files)
	if _, known := j.known[text]; !known {
		j.known[text] = j.rendered(files)
	}
	return j.known[text]
}

// template templates the chart with values. Package render templates
// installations only.
func (j *chartJudge) template(values map[string]any) ([]render.File, error) {
	if !j.upgrade {
		return j.chart.Template(j.t.Context(), values)
	}
	loaded := j.chart.Loaded()
	if err := chartutil.ProcessDependencies(loaded, values); err != nil {
		return nil, err
	}
	top, err := util.ToRenderValues(loaded, values, common.ReleaseOptions{
		Name: j.chart.ReleaseName, Namespace: j.chart.Namespace, Revision: 2, IsUpgrade: true,
	}, common.DefaultCapabilities.Copy())
	if err != nil {
		return nil, err
	}
	texts, err := engine.Engine{}.RenderWithContext(j.t.Context(), loaded, top)
	if err != nil {
		return nil, err
	}
	var files []render.File
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if strings.HasSuffix(name, ".yaml") {
			files = append(files, render.File{Name: name, Text: texts[name]})
		}
	}
	return files, nil
}

// rendered judges what was rendered.
func (j *chartJudge) rendered(files []render.File) judged {
	j.t.Helper()
	var contents []map[string]any
	for _, file := range files {
		objects, err := j.chart.Objects(file)
		if err != nil {
			return judged{refused: err}
		}
		for _, object := range objects {
			contents = append(contents, object.Content)
		}
	}
	result, err := j.policy.Evaluate(j.t.Context(), manifest.Rendered(contents))
	if err != nil {
		j.t.Fatal(err)
	}
	var said judged
	for _, workload := range result.Workloads {
		if workload.Role == report.Controllers {
			said.controllers++
		}
	}
	for _, finding := range result.Findings {
		if finding.Severity == report.Deny {
			said.denied = append(said.denied, fmt.Sprintf("%s %s", finding.Code, finding.Workload))
		}
	}
	return said
}

// policy is compiled once: the tests of this package share it.
func policy(t *testing.T) *evaluate.Evaluator {
	t.Helper()
	e, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

var compiled = sync.OnceValues(func() (*evaluate.Evaluator, error) { return evaluate.New(context.Background(), nil, nil) })
