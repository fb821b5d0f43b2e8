package render

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/loader"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	valueloader "helm.sh/helm/v4/pkg/chart/v2/loader"
	"sigs.k8s.io/kustomize/api/types"

	"github.com/proompteng/nevermigrate/harness/internal/reads"
)

// A helm answers `helm template` with the arguments that kustomize gives to it
// for a chart below the folder home, and with values in place of the chart's
// first values file: the manifests that helm prints, or an error with helm's own
// message.
type helm interface {
	template(ctx context.Context, chart types.HelmChart, home string, values []byte) ([]byte, error)
}

// embeddedHelm is Helm's SDK in this process. Nothing of the caller's
// environment, kubeconfig or network reaches it.
type embeddedHelm struct{ options Options }

// template gives what the helm command line prints.
func (h embeddedHelm) template(ctx context.Context, entry types.HelmChart, home string, values []byte) ([]byte, error) {
	c, err := openChart(entry, home, values, h.options)
	if err != nil {
		return nil, err
	}
	if h.options.Opened != nil {
		h.options.Opened(c)
	}
	return c.printed(ctx)
}

// printed is what the helm command line prints of a chart with its Values.
func (c *Chart) printed(ctx context.Context) ([]byte, error) {
	chart, texts, err := c.execute(ctx, c.Values, Execution{})
	if err != nil {
		return nil, err
	}
	var crds strings.Builder
	if c.entry.IncludeCRDs {
		for _, crd := range chart.CRDObjects() {
			fmt.Fprintf(&crds, "---\n# Source: %s\n%s\n", crd.Filename, crd.File.Data)
		}
	}
	return c.print(crds.String(), texts)
}

// mergeValues follows values.Options.MergeValues of Helm: files are over the
// values that are given.
func mergeValues(given []byte, files []string, options Options) (map[string]any, error) {
	merged := map[string]any{}
	for i, file := range append([]string{"-"}, files...) {
		data := given
		if i > 0 {
			var err error
			if data, err = overlay(options.Overlay).readFile(options.Reads, file); err != nil {
				return nil, err
			}
		}
		values, err := valueloader.LoadValues(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("failed to parse %s: %w", file, err)
		}
		merged = valueloader.MergeMaps(merged, values)
	}
	return merged, nil
}

// loadChart loads a chart and refuses one that Helm would refuse to template.
func loadChart(folder string, options Options) (*chartv2.Chart, error) {
	options.Reads.Note(reads.Tree, folder)
	charter, err := loader.Load(folder)
	if err != nil {
		return nil, err
	}
	loaded, ok := charter.(*chartv2.Chart)
	if !ok {
		return nil, errors.New("the chart's apiVersion is not supported: use v1 or v2")
	}
	if loaded, err = overlay(options.Overlay).chart(options.Reads, loaded, folder); err != nil {
		return nil, err
	}
	if options.Reads != nil && asksForTime(loaded) {
		options.Reads.Unsure()
	}
	if kind := loaded.Metadata.Type; kind != "" && kind != "application" {
		return nil, fmt.Errorf("%s charts are not installable", kind)
	}
	// This is CheckDependencies of helm.sh/helm/v4/pkg/action.
	var missing []string
	for _, needed := range loaded.Metadata.Dependencies {
		if !slices.ContainsFunc(loaded.Dependencies(), func(c *chartv2.Chart) bool { return c.Name() == needed.Name }) {
			missing = append(missing, needed.Name)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("found in Chart.yaml, but missing in charts/ directory: %s: run `helm dependency build` and commit the charts folder", strings.Join(missing, ", "))
	}
	return loaded, nil
}

// timePattern finds an action of a template with one of sprig's functions that tell the
// time, or take it for what is no time.
var timePattern = regexp.MustCompile(`\{\{[^}]*\b(?:now|ago|date|dateInZone|date_in_zone|htmlDate|htmlDateInZone)\b`)

// asksForTime reports whether a template of a chart, or of one below it, may give something
// else tomorrow.
func asksForTime(c *chartv2.Chart) bool {
	return slices.ContainsFunc(c.Templates, func(f *common.File) bool { return timePattern.Match(f.Data) }) ||
		slices.ContainsFunc(c.Dependencies(), asksForTime)
}
