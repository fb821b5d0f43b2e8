package surface

import (
	"errors"

	chart "helm.sh/helm/v4/pkg/chart/v2"
)

// Find tells what can be set in the values of a chart and its subcharts. Its
// errors are those of a chart that Helm could not render whatever the values: a
// template or a schema that cannot be parsed.
func Find(c *chart.Chart) (*Surface, error) {
	if c == nil || c.Metadata == nil {
		return nil, errors.New("find what can be set: the chart has no Chart.yaml")
	}
	return nil, errors.New("find what can be set: not there yet")
}
