package bounded_test

import (
	"context"
	"errors"
	"runtime/debug"
	"testing"
	"time"

	"github.com/proompteng/nevermigrate/harness/internal/bounded"
)

func TestDo(t *testing.T) {
	never := func(context.Context) (int, error) { select {} }
	broken := errors.New("broken")
	const plenty = 4 << 30
	for _, test := range []struct {
		name   string
		limits bounded.Limits
		work   func(context.Context) (int, error)
		want   string
	}{
		{"work that is done", bounded.Limits{What: "work", Time: time.Hour, Memory: plenty}, func(context.Context) (int, error) { return 7, nil }, ""},
		{"work that fails", bounded.Limits{What: "work", Time: time.Hour, Memory: plenty}, func(context.Context) (int, error) { return 7, broken }, "broken"},
		{"work without end", bounded.Limits{What: "work", Time: time.Millisecond, Memory: plenty}, never, "work took longer than the limit of 1ms"},
		{"memory that is full before", bounded.Limits{What: "work", Time: time.Hour, Memory: 1}, never, "work needed more than the limit of 0 MiB of memory"},
		{"memory that fills", bounded.Limits{What: "work", Time: time.Hour, Memory: 200 << 20}, fill, "work needed more than the limit of 200 MiB of memory"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := bounded.Do(t.Context(), test.limits, test.work)
			if message := errorText(err); message != test.want {
				t.Errorf("error %q, want %q", message, test.want)
			}
			if err == nil && got != 7 {
				t.Errorf("got %d, want 7", got)
			}
		})
	}
}

// fill fills the memory until it is told to end.
func fill(ctx context.Context) (int, error) {
	var kept [][]byte
	for ctx.Err() == nil {
		kept = append(kept, make([]byte, 1<<20))
		time.Sleep(time.Millisecond)
	}
	return len(kept), nil
}

// TestDoCountsNoGarbage: what nobody holds any more when the work begins is no
// reason to refuse, whatever GOGC says.
func TestDoCountsNoGarbage(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for range 600 {
		dropped = make([]byte, 1<<20)
	}
	dropped = nil
	limits := bounded.Limits{What: "work", Time: time.Hour, Memory: 400 << 20}
	got, err := bounded.Do(t.Context(), limits, func(context.Context) (int, error) { return 7, nil })
	if got != 7 || err != nil {
		t.Errorf("got %d and %v, want 7", got, err)
	}
}

// dropped is on the heap, whatever the compiler sees.
var dropped []byte

func TestDoEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := bounded.Do(ctx, bounded.Limits{What: "work", Time: time.Hour, Memory: 4 << 30}, func(context.Context) (int, error) { select {} })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
