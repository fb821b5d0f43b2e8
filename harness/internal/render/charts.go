package render

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
)

// ChartRef is a chart as it is named by the repository that it is in.
type ChartRef struct {
	// Repo is a URL: http, https, or oci for the path in a registry that the chart is
	// below.
	Repo    string
	Name    string
	Version string
}

// String is what errors call the chart.
func (r ChartRef) String() string { return fmt.Sprintf("chart %s %s of %s", r.Name, r.Version, r.Repo) }

// Normal is the reference as it is compared: the same chart has the same one.
func (r ChartRef) Normal() ChartRef {
	r.Repo = strings.TrimRight(r.Repo, "/")
	if strings.HasPrefix(r.Repo, "oci://") {
		whole := r.Repo + "/" + strings.Trim(r.Name, "/")
		last := strings.LastIndexByte(whole, '/')
		r.Repo, r.Name = whole[:last], whole[last+1:]
	}
	return r
}

// exactPattern is a whole version of https://semver.org, with the v that Helm
// accepts before it.
var exactPattern = regexp.MustCompile(`\Av?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?\z`)

// VersionProblem says why the version does not name one chart for all time; it is
// empty for one that does.
func (r ChartRef) VersionProblem() string {
	switch {
	case r.Version == "":
		return "it is missing, so the chart is another one with each release: write the exact version, such as 1.2.3"
	case !exactPattern.MatchString(r.Version):
		return fmt.Sprintf("%q is no exact version, so the chart is another one with each release: write one such as 1.2.3", r.Version)
	default:
		return ""
	}
}

// ChartStore finds charts that are used by repository, name and version, and are not in
// the work tree. It is safe for concurrent use.
type ChartStore interface {
	// Chart returns the folder of a chart, whose name is the chart's. It holds
	// regular files only, and nobody else writes to it. The version is exact. It is
	// an ErrNotLocked when nobody has said which chart that is.
	Chart(ctx context.Context, ref ChartRef) (folder string, err error)
	// Shown is how reports call a path in a folder that was returned: as a file of an
	// archive. Of any other path it is not ok.
	Shown(path string) (shown string, ok bool)
	// ShownMessage is a message with the folders that were returned shown in this way.
	ShownMessage(message string) string
	// Used is the file that says which charts were returned, with its SHA-256; it is
	// empty when none was.
	Used() (file, sha256 string)
}

// ErrNotLocked says that no lock says which chart a reference is.
var ErrNotLocked = errors.New("not locked")

// ChartError says why a chart that is not in the work tree cannot be used.
type ChartError struct {
	// Place is where it is named.
	Place string
	Err   error
}

// Error implements error.
func (e *ChartError) Error() string {
	if e.Place == "" {
		return e.Err.Error()
	}
	return e.Place + ": " + e.Err.Error()
}

// Unwrap returns the error without the place.
func (e *ChartError) Unwrap() error { return e.Err }

// uncommitted finds the chart of an entry that is not in the folder home, and returns
// the folder that it is in, under its name.
func (p *inflator) uncommitted(home string) (string, error) {
	charts := p.run.charts
	if charts == nil || p.stock.Repo == "" {
		return "", p.requireVendored(home)
	}
	ref := ChartRef{Repo: p.stock.Repo, Name: p.stock.Name, Version: p.stock.Version}.Normal()
	if problem := ref.VersionProblem(); problem != "" {
		return "", &ChartError{p.where() + ".version", errors.New(problem)}
	}
	folder, err := charts.Chart(p.run.ctx, ref)
	if errors.Is(err, ErrNotLocked) {
		return "", &ChartError{p.where(), fmt.Errorf("the chart is not committed, and %w: run `nevermigrate vendor`, which uses the network, and commit the lock; or %s", err, p.remedy(home))}
	}
	if err != nil {
		return "", &ChartError{p.where(), err}
	}
	if filepath.Base(folder) != p.stock.Name {
		return "", &ChartError{p.where() + ".name", fmt.Errorf("%s has the name %s, and kustomize would not find it: write that name", ref, filepath.Base(folder))}
	}
	return filepath.Dir(folder), nil
}

// where is the place of the entry: the file and the item of its list.
func (p *inflator) where() string {
	root := p.helpers.Loader().Root()
	isThis := func(c types.HelmChart) bool {
		return c.Name == p.stock.Name && c.Repo == p.stock.Repo && c.Version == p.stock.Version
	}
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		file := filepath.Join(root, name)
		data, err := ReadRegularBy(p.run.reads, file)
		if err != nil {
			continue
		}
		var k types.Kustomization
		if k.Unmarshal(data) != nil {
			return file
		}
		if i := slices.IndexFunc(k.HelmCharts, isThis); i >= 0 {
			return fmt.Sprintf("%s: helmCharts[%d]", file, i)
		}
		old, _ := types.SplitHelmParameters(k.HelmChartInflationGenerator)
		if i := slices.IndexFunc(old, isThis); i >= 0 {
			return fmt.Sprintf("%s: helmChartInflationGenerator[%d]", file, i)
		}
		return file + ": generators"
	}
	return root
}

// isFolder reports whether there is a folder, through symbolic links.
func (r *run) isFolder(path string) bool {
	info, err := r.reads.Stat(path)
	return err == nil && info.IsDir()
}
