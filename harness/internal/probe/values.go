package probe

import "github.com/proompteng/nevermigrate/harness/internal/render"

// readPins reads what the options set, as a configuration.
func readPins(options Options) (configuration, error) {
	values := render.Values{SetJSON: options.SetJSON, Set: options.Set, SetString: options.SetString}
	set, err := values.Over(nil)
	if err != nil {
		return nil, err
	}
	return configure(nil, set).typed()
}

// baseOf is what is given for a chart: its release's values, the files of the
// options over them, and what is pinned over all.
func baseOf(chart *render.Chart, options Options, pins configuration) (map[string]any, error) {
	base, err := render.Values{Files: options.Values}.Over(chart.Values)
	if err != nil {
		return nil, err
	}
	return pins.over(base), nil
}
