package chartguard_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	valueloader "helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
)

// loadChart loads a chart from the content of its files.
func loadChart(t testing.TB, content map[string]string) *chartv2.Chart {
	t.Helper()
	var buffered []*archive.BufferedFile
	for name, text := range content {
		buffered = append(buffered, &archive.BufferedFile{Name: name, Data: []byte(text)})
	}
	loaded, err := valueloader.LoadFiles(buffered)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// fixtureChart is the content of the fixture chart's files.
func fixtureChart(t testing.TB) map[string]string {
	t.Helper()
	content := map[string]string{}
	err := filepath.WalkDir(chartDir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(chartDir, path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		content[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// writtenBy is a chart whose controllers template is a text, which Helm leaves
// as it is.
func writtenBy(guard []byte, text string) map[string]string {
	return map[string]string{
		"Chart.yaml":                                  "apiVersion: v2\nname: written\nversion: 1.0.0\n",
		"templates/deployment-controllers.yaml":       `{{ .Files.Get "written" }}`,
		"templates/controllers-migrations-guard.yaml": string(guard),
		"written": text,
	}
}

// renderChart renders a chart as helm template does.
func renderChart(t testing.TB, loaded *chartv2.Chart, values map[string]any) (map[string]string, error) {
	t.Helper()
	version, err := common.ParseKubeVersion("v1.35.0")
	if err != nil {
		t.Fatal(err)
	}
	capabilities := *common.DefaultCapabilities
	capabilities.KubeVersion = *version
	all, err := util.ToRenderValues(loaded, values, common.ReleaseOptions{Name: "agents", Namespace: "agents", Revision: 1, IsInstall: true}, &capabilities)
	if err != nil {
		return nil, err
	}
	return engine.Engine{}.RenderWithContext(t.Context(), loaded, all)
}

// values are YAML.
func values(t testing.TB, text string) map[string]any {
	t.Helper()
	read, err := valueloader.LoadValues(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return read
}
