package render

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/loader"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	valueloader "helm.sh/helm/v4/pkg/chart/v2/loader"
	release "helm.sh/helm/v4/pkg/release/v1"
	"sigs.k8s.io/kustomize/api/types"
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
type embeddedHelm struct{ overlay overlay }

// template gives what the helm command line prints.
func (h embeddedHelm) template(ctx context.Context, chart types.HelmChart, home string, values []byte) ([]byte, error) {
	r, err := h.request(chart, home, values)
	if err != nil {
		return nil, err
	}
	loaded, err := loadChart(r.folder, h.overlay)
	if err != nil {
		return nil, err
	}
	rendered, err := r.install.RunWithContext(ctx, loaded, r.values)
	if err != nil {
		return nil, err
	}
	rel, ok := rendered.(*release.Release)
	if !ok {
		return nil, fmt.Errorf("helm rendered a release of an unknown type %T", rendered)
	}
	return r.output(strings.TrimSpace(rel.Manifest), rel.Hooks), nil
}

// request is `helm template` with its arguments read.
type request struct {
	install   *action.Install
	folder    string         // of the chart
	values    map[string]any // that the arguments give
	skipTests bool
}

// request follows newTemplateCmd and runInstall of helm.sh/helm/v4/pkg/cmd,
// the code behind the helm command line, for the flags that kustomize sets
// (types.HelmChart.AsHelmArgs).
func (h embeddedHelm) request(chart types.HelmChart, home string, values []byte) (*request, error) {
	chart.ValuesFile = givenValues
	install := action.NewInstall(action.NewConfiguration(action.ConfigurationSetLogger(slog.DiscardHandler)))
	install.DryRunStrategy = action.DryRunClient
	install.ReleaseName = "release-name"
	install.Replace = true
	install.Namespace = "default"

	var kubeVersion string
	var apiVersions, valueFiles []string
	var skipTests bool
	flags := pflag.NewFlagSet("template", pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVarP(&install.Namespace, "namespace", "n", install.Namespace, "")
	flags.StringVar(&install.NameTemplate, "name-template", "", "")
	flags.StringSliceVarP(&valueFiles, "values", "f", nil, "")
	flags.StringSliceVarP(&apiVersions, "api-versions", "a", nil, "")
	flags.StringVar(&kubeVersion, "kube-version", "", "")
	flags.BoolVar(&install.IncludeCRDs, "include-crds", false, "")
	flags.BoolVar(&skipTests, "skip-tests", false, "")
	flags.BoolVar(&install.DisableHooks, "no-hooks", false, "")
	flags.BoolVarP(&install.GenerateName, "generate-name", "g", false, "")
	flags.BoolVar(&install.Devel, "devel", false, "")
	flags.Bool("debug", false, "")
	if err := flags.Parse(chart.AsHelmArgs(home)); err != nil {
		return nil, fmt.Errorf("read helm arguments: %w", err)
	}
	if kubeVersion != "" {
		version, err := common.ParseKubeVersion(kubeVersion)
		if err != nil {
			return nil, fmt.Errorf("invalid kube version %q: %w", kubeVersion, err)
		}
		install.KubeVersion = version
	}
	install.APIVersions = common.VersionSet(apiVersions)

	name, folder, err := install.NameAndChart(flags.Args()[1:])
	if err != nil {
		return nil, err
	}
	install.ReleaseName = name
	merged, err := mergeValueFiles(valueFiles, values, h.overlay)
	if err != nil {
		return nil, err
	}
	return &request{install, folder, merged, skipTests}, nil
}

// output is what the command line prints of a release: its manifests, then its
// hooks.
func (r *request) output(manifests string, hooks []*release.Hook) []byte {
	var out bytes.Buffer
	fmt.Fprintln(&out, manifests)
	if !r.install.DisableHooks {
		for _, hook := range hooks {
			if r.skipTests && slices.Contains(hook.Events, release.HookTest) {
				continue
			}
			fmt.Fprintf(&out, "---\n# Source: %s\n%s\n", hook.Path, hook.Manifest)
		}
	}
	return out.Bytes()
}

// givenValues stands for the values that are given as bytes; all other values
// files have absolute paths.
const givenValues = "-"

// mergeValueFiles follows values.Options.MergeValues of Helm, for local files.
func mergeValueFiles(files []string, given []byte, o overlay) (map[string]any, error) {
	merged := map[string]any{}
	for _, file := range files {
		data := given
		if file != givenValues {
			var err error
			if data, err = o.readFile(file); err != nil {
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

// loadChart loads a chart and refuses one that Helm would refuse to template
// or that would need the network.
func loadChart(folder string, o overlay) (chart.Charter, error) {
	loaded, err := loader.Load(folder)
	if err != nil {
		return nil, err
	}
	if v2, ok := loaded.(*chartv2.Chart); ok && len(o) > 0 {
		if loaded, err = o.chart(v2, folder); err != nil {
			return nil, err
		}
	}
	accessor, err := chart.NewAccessor(loaded)
	if err != nil {
		return nil, err
	}
	if kind, _ := accessor.MetadataAsMap()["Type"].(string); kind != "" && kind != "application" {
		return nil, fmt.Errorf("%s charts are not installable", kind)
	}
	if dependencies := accessor.MetaDependencies(); len(dependencies) > 0 {
		if err := action.CheckDependencies(loaded, dependencies); err != nil {
			return nil, fmt.Errorf("%w: run `helm dependency build` and commit the charts folder", err)
		}
	}
	v2, ok := loaded.(*chartv2.Chart)
	if !ok {
		return nil, errors.New("the chart's apiVersion is not supported: use v1 or v2")
	}
	return loaded, refuseOutsideSchemas(v2)
}
