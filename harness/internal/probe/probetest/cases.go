package probetest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"sigs.k8s.io/yaml"
)

// fewest is the number of cases below which something must have been lost.
const fewest = 150

// Kinds of a hole: what a chart must be given so that its controllers migrate.
const (
	// Values: values alone.
	Values = "values"
	// Release: a release of a certain name or namespace, or an upgrade.
	Release = "release"
	// Capabilities: a cluster of a certain version or with certain APIs.
	Capabilities = "capabilities"
)

// Settings are what a chart is templated with. The zero value is the chart by
// itself.
type Settings struct {
	// Values lie over the chart's own.
	Values map[string]any `json:"values"`
	// Release says what the release is.
	Release struct {
		// Name is the chart's, and Namespace "default", when empty.
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
		// Upgrade says that the release is there already.
		Upgrade bool `json:"upgrade"`
	} `json:"release"`
	// Capabilities say what the cluster is.
	Capabilities struct {
		KubeVersion string   `json:"kubeVersion"`
		APIVersions []string `json:"apiVersions"`
	} `json:"capabilities"`
}

// Case is a chart with exactly one hole, and its twin without.
type Case struct {
	// Name is the file's, without its extension.
	Name string `json:"-"`
	// About says in a sentence what the hole is behind.
	About string `json:"-"`
	// Construct are the functions and objects that decide.
	Construct []string `json:"construct"`
	// Kind is Values, Release or Capabilities.
	Kind string `json:"kind"`
	// Hole opens the hole.
	Hole Settings `json:"hole"`
	// Chart and Twin are the files of both charts, whole, by their slash paths.
	Chart, Twin map[string]string `json:"-"`
}

// Cases reads the cases of the folder fixtures/probe, in the order of their
// names. It fails the test when one is malformed, or when cases are missing.
func Cases(t testing.TB) []Case {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root(t), "fixtures", "probe", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < fewest {
		t.Fatalf("fixtures/probe has %d cases, want %d or more", len(files), fewest)
	}
	var cases []Case
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c, err := parse(data)
		if err != nil {
			t.Fatalf("fixtures/probe/%s: %v", filepath.Base(file), err)
		}
		c.Name = strings.TrimSuffix(filepath.Base(file), ".txtar")
		cases = append(cases, c)
	}
	return cases
}

// root is the folder of the repository.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		above := filepath.Dir(dir)
		if above == dir {
			t.Fatal("the test does not run below the folder of go.mod")
		}
		dir = above
	}
}

var sentence = regexp.MustCompile(`^[^\n]+\.\n*$`)

// parse reads a case. Its errors say what is wrong with the file.
func parse(data []byte) (Case, error) {
	archive := txtar.Parse(data)
	c := Case{Chart: map[string]string{}, Twin: map[string]string{}}
	if !sentence.Match(archive.Comment) {
		return c, errors.New("the file does not begin with one line that ends in a full stop")
	}
	c.About = strings.TrimSpace(string(archive.Comment))
	description, differs := "", map[string]string{}
	for _, file := range archive.Files {
		folder, name, _ := strings.Cut(file.Name, "/")
		var files map[string]string
		switch {
		case file.Name == "case.yaml":
			description = string(file.Data)
			continue
		case folder == "chart" && filepath.IsLocal(name):
			files = c.Chart
		case folder == "twin" && filepath.IsLocal(name):
			files = differs
		default:
			return c, fmt.Errorf("%s is neither case.yaml nor below chart or twin", file.Name)
		}
		if _, twice := files[name]; twice {
			return c, fmt.Errorf("%s is there twice", file.Name)
		}
		files[name] = string(file.Data)
	}
	for name, text := range c.Chart {
		c.Twin[name] = text
	}
	for name, text := range differs {
		if c.Chart[name] == text {
			return c, fmt.Errorf("twin/%s is as in the chart; leave it out", name)
		}
		c.Twin[name] = text
	}
	if err := yaml.UnmarshalStrict([]byte(description), &c); err != nil {
		return c, fmt.Errorf("read case.yaml: %w", err)
	}
	return c, c.problem(len(differs))
}

// problem says what is wrong with a case whose twin differs in some files.
func (c Case) problem(differs int) error {
	release, capabilities := c.Hole.Release != Settings{}.Release, c.Hole.Capabilities.KubeVersion != "" || len(c.Hole.Capabilities.APIVersions) > 0
	switch {
	case len(c.Construct) == 0:
		return errors.New("case.yaml names no construct")
	case !slices.Contains([]string{Values, Release, Capabilities}, c.Kind):
		return fmt.Errorf("case.yaml: kind is %q; it is values, release or capabilities", c.Kind)
	case release != (c.Kind == Release), capabilities != (c.Kind == Capabilities), c.Kind == Values && len(c.Hole.Values) == 0:
		return fmt.Errorf("case.yaml: the hole's settings are not those of its kind, %s", c.Kind)
	case c.Chart["Chart.yaml"] == "" || c.Chart["values.yaml"] == "":
		return errors.New("chart/Chart.yaml or chart/values.yaml is missing")
	case differs == 0:
		return errors.New("there is no twin")
	}
	return nil
}

// Write writes both charts, each into a folder that has the chart's name.
func (c Case) Write(t testing.TB) (chart, twin string) {
	t.Helper()
	return write(t, c.Chart), write(t, c.Twin)
}

// write writes the files of a chart into a folder that has the chart's name.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	var metadata struct{ Name string }
	if err := yaml.Unmarshal([]byte(files["Chart.yaml"]), &metadata); err != nil || metadata.Name == "" {
		t.Fatalf("Chart.yaml has no name: %v", err)
	}
	dir := filepath.Join(t.TempDir(), metadata.Name)
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
