package render

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	valueloader "helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/strvals"

	"github.com/proompteng/nevermigrate/harness/internal/bounded"
	"github.com/proompteng/nevermigrate/harness/internal/reads"
)

// Values are given for a release over a chart's own, as helm's flags give them.
type Values struct {
	// Files are YAML files, the later over the earlier.
	Files []string
	// Texts are values files that are read already, over the files.
	Texts []ValuesText
	// SetJSON, Set and SetString are PATH=VALUE, as --set-json, --set and
	// --set-string take them, in this order over the files and texts.
	SetJSON, Set, SetString []string
	// SetFile are what --set-file reads, over the rest.
	SetFile []ValuesText

	reads *reads.Log
}

// ValuesText is a text that gives values.
type ValuesText struct {
	// Name says what it is in errors: a file, a field. In SetFile it is the path of
	// the value.
	Name string
	Text []byte
}

// Over returns the values over others, which it leaves as they are. An error names
// the file or the text that cannot be read.
func (v Values) Over(base map[string]any) (map[string]any, error) {
	merged := valueloader.MergeMaps(map[string]any{}, base)
	for _, file := range v.Files {
		data, err := v.reads.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read values: %w", err)
		}
		values, err := valueloader.LoadValues(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("read values %s: %w", file, err)
		}
		merged = valueloader.MergeMaps(merged, values)
	}
	for _, text := range v.Texts {
		values, err := valueloader.LoadValues(bytes.NewReader(text.Text))
		if err != nil {
			return nil, fmt.Errorf("read values %s: %w", text.Name, err)
		}
		merged = valueloader.MergeMaps(merged, values)
	}
	for _, text := range v.SetJSON {
		if trimmed := strings.TrimSpace(text); strings.HasPrefix(trimmed, "{") {
			var values map[string]any
			if err := json.Unmarshal([]byte(trimmed), &values); err != nil {
				return nil, fmt.Errorf("read --set-json %s: %w", text, err)
			}
			merged = valueloader.MergeMaps(merged, values)
		} else if err := strvals.ParseJSON(text, merged); err != nil {
			return nil, fmt.Errorf("read --set-json %s: %w", text, err)
		}
	}
	for _, text := range v.Set {
		if err := strvals.ParseInto(text, merged); err != nil {
			return nil, fmt.Errorf("read --set %s: %w", text, err)
		}
	}
	for _, text := range v.SetString {
		if err := strvals.ParseIntoString(text, merged); err != nil {
			return nil, fmt.Errorf("read --set-string %s: %w", text, err)
		}
	}
	for _, file := range v.SetFile {
		read := func([]rune) (any, error) { return string(file.Text), nil }
		if err := strvals.ParseIntoFile(file.Name+"=-", merged, read); err != nil {
			return nil, fmt.Errorf("read --set-file %s: %w", file.Name, err)
		}
	}
	return merged, nil
}

// Release says for what release a chart is templated. The zero value is what `helm
// template CHART` takes.
type Release struct {
	// Name is "release-name" when empty, Namespace "default".
	Name, Namespace string
	Values          Values
	// IncludeCRDs, SkipTests and SkipSchemaValidation are the flags of that name.
	IncludeCRDs, SkipTests, SkipSchemaValidation bool
}

// open opens the chart in a folder for the release.
func (r Release) open(dir string, options Options) (*Chart, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find chart: %w", err)
	}
	within, err := newBounds(dir, options)
	if err != nil {
		return nil, err
	}
	if err := within.checkChart(dir); err != nil {
		return nil, err
	}
	options.skipSchemas = r.SkipSchemaValidation
	c, err := OpenChart(dir, cmp.Or(r.Name, "release-name"), r.Namespace, options)
	if err != nil {
		return nil, err
	}
	c.entry.IncludeCRDs, c.entry.SkipTests = r.IncludeCRDs, r.SkipTests
	r.Values.reads = options.Reads
	if c.Values, err = r.Values.Over(c.Values); err != nil {
		return nil, err
	}
	if options.Opened != nil {
		options.Opened(c)
	}
	return c, nil
}

// Template templates the chart in a folder for a release and returns what `helm
// template` prints: a stream of YAML documents, its hooks after the rest. Errors
// are those of Helm in its own words, a refusal (see the package comment), or a
// limit that was reached.
func Template(ctx context.Context, dir string, release Release, options Options) ([]byte, error) {
	options = options.withDefaults()
	limits := bounded.Limits{What: "rendering", Time: options.Timeout, Memory: options.MaxMemory}
	return bounded.Do(ctx, limits, func(ctx context.Context) ([]byte, error) {
		c, err := release.open(dir, options)
		if err != nil {
			return nil, err
		}
		printed, err := c.printed(ctx)
		if err != nil {
			return nil, err
		}
		if int64(len(printed)) > options.MaxBytes {
			return nil, fmt.Errorf("%d bytes were rendered, more than the limit of %d", len(printed), options.MaxBytes)
		}
		if len(bytes.TrimSpace(printed)) == 0 {
			return nil, ErrNothingRendered
		}
		return printed, nil
	})
}

// WriteReleaseApp makes an app in an empty directory that templates the chart in a
// folder for a release.
func WriteReleaseApp(dir, chart string, release Release, options Options) error {
	c, err := release.open(chart, options.withDefaults())
	if err != nil {
		return err
	}
	return c.WriteApp(dir, c.Values, Told{})
}
