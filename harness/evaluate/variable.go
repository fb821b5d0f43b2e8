package evaluate

import (
	"fmt"

	"github.com/proompteng/nevermigrate/harness/mode"
)

// Variable is the migrations variable and the value that remedies recommend,
// as the constraint sets them.
func (e *Evaluator) Variable() (envVar, skip string) {
	rules, err := e.Rules()
	if err != nil {
		// The policy in this binary has refused such a constraint by now; another
		// one judges as it likes, and this only words what is said about it.
		rules = mode.Defaults()
	}
	return rules.Variable, rules.Plain()
}

// Rules gives the rules of the service, as the constraint sets them. It is an
// error when the constraint's parameters cannot be read.
func (e *Evaluator) Rules() (mode.Rules, error) {
	if e.constraint == nil {
		return mode.Defaults(), nil
	}
	rules, err := mode.FromParameters(e.constraint.Parameters())
	if err != nil {
		return mode.Rules{}, fmt.Errorf("load constraint %s: %w", e.constraint.File, err)
	}
	return rules, nil
}
