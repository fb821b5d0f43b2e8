package chartguard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"

	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/find"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// File is where the guard belongs in a chart.
const File = "templates/controllers-migrations-guard.yaml"

// ForChart fills in what options leave open for the chart in a folder: the name of the
// guard's templates starts with the chart's, Templates are those that write controllers
// when the chart is templated for a release, and Others those that write, or may write,
// other workloads. The chart is templated without the guard that it may have. It is an
// error when it cannot be, or writes no controllers.
func ForChart(ctx context.Context, dir string, options Options, release render.Release, rendering render.Options) (Options, error) {
	metadata, err := chartutil.LoadChartfile(filepath.Join(dir, "Chart.yaml"))
	if err != nil {
		return options, fmt.Errorf("read chart %s: %w", dir, err)
	}
	given := options
	options = withDefaults(options)
	options.Name = cmp.Or(given.Name, metadata.Name+"."+options.Name)
	if len(given.Templates) > 0 {
		return options, nil
	}
	options.Templates, options.Others = nil, given.Others
	written, err := templated(ctx, dir, options.Name, release, rendering)
	if err != nil {
		return options, fmt.Errorf("template chart %s: %w; give the values that it needs, or name its templates with --template", dir, err)
	}
	evaluator, err := evaluate.New(ctx, nil, options.Constraint)
	if err != nil {
		return options, err
	}
	mayWrite, err := workloadPattern(ctx, options)
	if err != nil {
		return options, err
	}
	for _, file := range written {
		result, err := evaluator.Evaluate(ctx, file.objects)
		if err != nil {
			return options, err
		}
		isControllers := func(w report.Workload) bool { return w.Role == report.Controllers }
		switch {
		case slices.ContainsFunc(result.Workloads, isControllers):
			options.Templates = append(options.Templates, file.path)
		case len(result.Workloads) > 0 || mayWrite.MatchString(file.text) || !kindLine.MatchString(file.text):
			if !slices.Contains(options.Others, file.path) {
				options.Others = append(options.Others, file.path)
			}
		}
	}
	if len(options.Templates) == 0 {
		return options, fmt.Errorf("template chart %s: it writes no controllers: give the values that switch them on, or name its templates with --template", dir)
	}
	return options, nil
}

// kindLine finds the kind of an object in a template. One without writes what it is
// given.
var kindLine = regexp.MustCompile(`(?m)^["']?kind["']?\s*:`)

// workloadPattern finds, in a template, the kind of a workload, one that the template
// puts together, and containers.
func workloadPattern(ctx context.Context, options Options) (*regexp.Regexp, error) {
	f, err := factsFor(ctx, options.Constraint)
	if err != nil {
		return nil, err
	}
	var kinds []string
	for kind := range f.Kinds {
		kinds = append(kinds, regexp.QuoteMeta(kind))
	}
	slices.Sort(kinds)
	return regexp.Compile(kindLine.String() + `\s*["']?(?:(?:` + strings.Join(kinds, "|") + `)\b|\{\{)|\b[cC]ontainers["']?\s*:`)
}

// templateOf is a template of a chart and what it writes.
type templateOf struct {
	path, text string
	objects    []manifest.Object
}

var sourcePattern = regexp.MustCompile(`(?m)^# Source: [^/\n]+/(.+)$`)

// templated are the templates of a chart, in the order of their names, with what each
// writes; those of subcharts are left out.
func templated(ctx context.Context, dir, name string, release render.Release, rendering render.Options) ([]templateOf, error) {
	work, err := os.MkdirTemp("", "nevermigrate-chart-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	copied := filepath.Join(work, filepath.Base(render.RealPath(dir)))
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		return nil, err
	}
	// The shell has emptied the file of the guard already, when it is to be written there.
	var none strings.Builder
	for _, part := range []string{"annotations", "notes"} {
		fmt.Fprintf(&none, "{{- define %q }}{{ end }}", name+"."+part)
	}
	guard := filepath.Join(copied, filepath.FromSlash(File))
	if err := errors.Join(os.MkdirAll(filepath.Dir(guard), 0o700), os.WriteFile(guard, []byte(none.String()), 0o600)); err != nil {
		return nil, err
	}
	text, err := render.Template(ctx, copied, release, rendering)
	if err != nil {
		return nil, err
	}
	written := map[string]string{}
	for _, document := range regexp.MustCompile(`(?m)^---$`).Split(string(text), -1) {
		if found := sourcePattern.FindStringSubmatch(document); found != nil {
			written[found[1]] += "---\n" + document
		}
	}
	var all []templateOf
	for _, file := range find.FilesBelow(filepath.Join(copied, "templates")) {
		relative, err := filepath.Rel(copied, file)
		if err != nil {
			return nil, err
		}
		path := filepath.ToSlash(relative)
		if path == File || !templateFile.MatchString(path) || strings.HasPrefix(filepath.Base(path), "_") {
			continue
		}
		source, err := render.ReadRegular(file)
		if err != nil {
			return nil, err
		}
		one := templateOf{path: path, text: string(source)}
		if written[path] != "" {
			if one.objects, err = manifest.Read([]byte(written[path])); err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
		}
		all = append(all, one)
	}
	return all, nil
}

// CommandOf is the command that prints the guard of options, whatever the folder of the
// chart; constraintFile is the file with its constraint, or empty.
func CommandOf(options Options, constraintFile string) string {
	command := defaultCommand
	add := func(flag string, values ...string) {
		for _, value := range values {
			if strings.ContainsFunc(value, func(r rune) bool { return !strings.ContainsRune(plainRunes, r) }) {
				value = "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
			}
			if value != "" {
				command += " --" + flag + " " + value
			}
		}
	}
	add("constraint", constraintFile)
	add("name", options.Name)
	add("other", options.Others...)
	if !slices.Equal(options.Templates, []string{DefaultTemplate}) {
		add("template", options.Templates...)
	}
	add("value-path", options.ValuePath)
	if options.ValuesKey != DefaultValuesKey {
		add("values-key", options.ValuesKey)
	}
	return command
}

// plainRunes mean nothing to a shell.
const plainRunes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./"
