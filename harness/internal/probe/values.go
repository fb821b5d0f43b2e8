package probe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	valueloader "helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/strvals"

	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// readPins reads what the options set, as a configuration.
func readPins(options Options) (configuration, error) {
	set := map[string]any{}
	for _, text := range options.SetJSON {
		if trimmed := strings.TrimSpace(text); strings.HasPrefix(trimmed, "{") {
			var values map[string]any
			if err := json.Unmarshal([]byte(trimmed), &values); err != nil {
				return nil, fmt.Errorf("read --set-json %s: %w", text, err)
			}
			set = valueloader.MergeMaps(set, values)
		} else if err := strvals.ParseJSON(text, set); err != nil {
			return nil, fmt.Errorf("read --set-json %s: %w", text, err)
		}
	}
	for _, text := range options.Set {
		if err := strvals.ParseInto(text, set); err != nil {
			return nil, fmt.Errorf("read --set %s: %w", text, err)
		}
	}
	for _, text := range options.SetString {
		if err := strvals.ParseIntoString(text, set); err != nil {
			return nil, fmt.Errorf("read --set-string %s: %w", text, err)
		}
	}
	return configure(nil, set).typed()
}

// baseOf is what is given for a chart: its release's values, the files of the
// options over them, and what is pinned over all.
func baseOf(chart *render.Chart, options Options, pins configuration) (map[string]any, error) {
	base := chart.Values
	for _, file := range options.Values {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read values: %w", err)
		}
		values, err := valueloader.LoadValues(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("read values %s: %w", file, err)
		}
		base = valueloader.MergeMaps(base, values)
	}
	return pins.over(base), nil
}
