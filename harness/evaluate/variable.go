package evaluate

// Variable is the migrations variable and the value that remedies recommend,
// as the constraint sets them. The policy has checked the constraint's types.
func (e *Evaluator) Variable() (envVar, skip string) {
	envVar, skip = "JANGAR_MIGRATIONS", "skip"
	if e.constraint == nil {
		return envVar, skip
	}
	spec, _ := e.constraint.Content["spec"].(map[string]any)
	parameters, _ := spec["parameters"].(map[string]any)
	if name, ok := parameters["envVar"].(string); ok {
		envVar = name
	}
	values, _ := parameters["skipValues"].([]any)
	for i, value := range values {
		text, _ := value.(string)
		if i == 0 || text == "skip" {
			skip = text
		}
	}
	return envVar, skip
}
