package render

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/kio"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/reads"
)

// References are the files and folders that rendering a kustomization reads, by
// their paths: as they are named, joined to the folder of the kustomization.
type References struct {
	// Kind is that of the kustomization, as KindOf has it; empty when it cannot be read.
	Kind string
	// Kustomizations are folders: bases and components.
	Kustomizations []string
	// Files are resources, patches, values files and whatever else is named.
	Files []string
	// Charts are folders.
	Charts []string
}

// ReferencesOf returns what the kustomization of a folder names, without what is
// named by that in turn. Of a kustomization that cannot be read there are none:
// rendering says so.
func ReferencesOf(dir string) References {
	var found References
	isFirst := true // of those that are there
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		data, err := ReadRegular(filepath.Join(dir, name))
		if err != nil {
			isFirst = isFirst && errors.Is(err, fs.ErrNotExist)
			continue
		}
		var k types.Kustomization
		if k.Unmarshal(data) != nil {
			return References{}
		}
		references, err := kustomizationReferences(&k)
		if err != nil {
			return References{}
		}
		folders := slices.Concat(k.Resources, k.Components, k.Generators, k.Transformers, k.Validators)
		found.add(dir, references, folders)
		found.addCharts(dir, &k)
		if isFirst {
			found.Kind = cmp.Or(k.Kind, types.KustomizationKind)
		}
		return found
	}
	return found
}

// add adds references that are there. Only some of them may be folders.
func (r *References) add(dir string, references, folders []string) {
	for _, reference := range references {
		path := reference
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		info, err := os.Stat(path)
		switch {
		case err != nil || reference == "":
		case !info.IsDir():
			if slices.Contains(r.Files, path) {
				continue
			}
			r.Files = append(r.Files, path)
			// The configuration of a builtin plugin names files in turn.
			if data, err := ReadRegular(path); err == nil {
				r.add(dir, pluginReferences(data), nil)
				r.addGenerated(dir, data)
			}
		case slices.Contains(folders, reference):
			r.Kustomizations = append(r.Kustomizations, path)
		}
	}
}

// addCharts follows the stock generator's absChartHome.
func (r *References) addCharts(dir string, k *types.Kustomization) {
	home := types.HelmDefaultHome
	if k.HelmGlobals != nil {
		home = cmp.Or(k.HelmGlobals.ChartHome, home)
	}
	if !filepath.IsAbs(home) {
		home = filepath.Join(dir, home)
	}
	for _, chart := range k.HelmCharts {
		r.Charts = append(r.Charts, ChartFolder(home, chart.Name, chart.Version, chart.Repo))
	}
	old, globals := types.SplitHelmParameters(k.HelmChartInflationGenerator)
	if globals.ChartHome != "" {
		home = filepath.Join(dir, globals.ChartHome)
	}
	for _, chart := range old {
		r.Charts = append(r.Charts, ChartFolder(home, chart.Name, chart.Version, chart.Repo))
	}
}

// ChartFolder is where kustomize looks for a chart, and puts one that it pulls.
func ChartFolder(home, name, version, repo string) string {
	if version != "" && repo != "" {
		home = filepath.Join(home, name+"-"+version)
	}
	return filepath.Join(home, name)
}

// addGenerated adds the charts that the configuration of a builtin plugin names.
func (r *References) addGenerated(dir string, data []byte) {
	if !bytes.Contains(data, []byte("HelmChartInflationGenerator")) {
		return
	}
	documents, err := kio.FromBytes(data)
	if err != nil {
		return // as kustomize will say
	}
	for _, document := range documents {
		text, err := document.String()
		var entry struct {
			types.HelmGlobals
			types.HelmChart
			Kind string `json:"kind"`
		}
		if err != nil || yaml.Unmarshal([]byte(text), &entry) != nil || entry.Kind != "HelmChartInflationGenerator" {
			continue
		}
		home := cmp.Or(entry.ChartHome, types.HelmDefaultHome)
		r.Charts = append(r.Charts, ChartFolder(filepath.Join(dir, home), entry.Name, entry.Version, entry.Repo))
	}
}

// ReadRegular reads a file. It is an error when that is a pipe, a device, or too
// large.
func ReadRegular(file string) ([]byte, error) { return ReadRegularBy(nil, file) }

// ReadRegularBy is ReadRegular for a target, with its log.
func ReadRegularBy(log *reads.Log, file string) ([]byte, error) {
	if err := (bounds{maxBytes: DefaultMaxBytes, reads: log}).checkFile(file); err != nil {
		return nil, err
	}
	return log.ReadFile(file)
}
