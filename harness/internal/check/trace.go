package check

import (
	"bytes"
	"context"
	"io"
	"sync"

	"github.com/proompteng/nevermigrate/harness/internal/bounded"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
)

// inTurn is a writer for targets that are judged at the same time.
type inTurn struct {
	mu sync.Mutex
	w  io.Writer
}

// Write implements io.Writer.
func (t *inTurn) Write(text []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.w.Write(text)
}

// trace writes how the objects of a target are judged, all at once.
func trace(ctx context.Context, evaluator *evaluate.Evaluator, path string, objects []manifest.Object, options Options) error {
	text, err := bounded.Do(ctx, options.limits("tracing", evaluationTimeout), func(ctx context.Context) ([]byte, error) {
		var b bytes.Buffer
		err := evaluator.Trace(ctx, &b, path, objects)
		return b.Bytes(), err
	})
	if err != nil {
		return err
	}
	_, err = options.Trace.Write(text)
	return err
}
