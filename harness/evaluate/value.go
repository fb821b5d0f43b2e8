package evaluate

import (
	"context"
	"fmt"
)

// Value decodes a value of the policy, such as data.lib.parameters.env_var, as
// it is under the constraint given to New. It is for programs that state the
// contract in another language and must not state it twice. It is an error when
// the policy does not define the value.
func (e *Evaluator) Value(ctx context.Context, query string, into any) error {
	prepared, err := e.prepare(ctx, query)
	if err != nil {
		return fmt.Errorf("read %s from the policy: %w", query, err)
	}
	if err := evaluate(ctx, prepared, map[string]any{}, into); err != nil {
		return fmt.Errorf("read %s from the policy: %w", query, err)
	}
	return nil
}
