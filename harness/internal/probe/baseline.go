package probe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// loadBaseline reads the names of known holes: from a JSON report, or from a
// text with a name on each line, in which # starts a comment line.
func loadBaseline(file string) ([]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("load baseline: %w", err)
	}
	var ids []string
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		var report Report
		if err := json.Unmarshal(data, &report); err != nil {
			return nil, fmt.Errorf("load baseline %s: %w", file, err)
		}
		if report.Version != reportVersion || report.Charts == nil {
			return nil, fmt.Errorf("load baseline %s: it is no report of probe: write one with -o json", file)
		}
		for _, chart := range report.Charts {
			for _, hole := range chart.Holes {
				if hole.Verdict == Migrates {
					ids = append(ids, hole.ID)
				}
			}
		}
		return ids, nil
	}
	for i, line := range strings.Split(string(data), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if strings.Count(line, " > ") != 3 {
			return nil, fmt.Errorf("load baseline %s: line %d: %q is no name of a hole: they look like env.extra > agents/templates/deployment.yaml > Deployment/agents > agents", file, i+1, line)
		}
		if slices.Contains(ids, line) {
			return nil, fmt.Errorf("load baseline %s: line %d: %q is given twice", file, i+1, line)
		}
		ids = append(ids, line)
	}
	return ids, nil
}
