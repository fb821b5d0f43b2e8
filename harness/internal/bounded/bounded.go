// Package bounded does work on untrusted input within limits on time and memory.
package bounded

import (
	"context"
	"fmt"
	"runtime"
	"runtime/metrics"
	"time"
)

// Limits bound a piece of work.
type Limits struct {
	// What is the work, as the beginning of a sentence: "rendering".
	What string
	// Time is how long it may take.
	Time time.Duration
	// Memory is how large the heap of the process may be while it is done, in
	// bytes. What was there before and can be collected does not count.
	Memory uint64
}

// Do does work and returns its result. When a limit is reached, or the context
// is done, it returns an error that says so, at once.
//
// Go code cannot be interrupted from outside: work that does not heed its
// context goes on until the process ends. Memory that it fills meanwhile is
// counted against all other work.
func Do[T any](ctx context.Context, limits Limits, work func(context.Context) (T, error)) (T, error) {
	var none T
	ctx, cancel := context.WithTimeoutCause(ctx, limits.Time,
		fmt.Errorf("%s took longer than the limit of %s", limits.What, limits.Time))
	defer cancel()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	tooMuch := fmt.Errorf("%s needed more than the limit of %d MiB of memory", limits.What, limits.Memory>>20)
	if heapBytes() > limits.Memory {
		runtime.GC()
		if heapBytes() > limits.Memory {
			return none, tooMuch
		}
	}
	type outcome struct {
		result T
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		result, err := work(ctx)
		done <- outcome{result, err}
	}()
	memory := time.NewTicker(20 * time.Millisecond)
	defer memory.Stop()
	for {
		select {
		case made := <-done:
			// It may have ended because it was told to.
			if ctx.Err() != nil {
				return none, context.Cause(ctx)
			}
			// It may have been done before anybody looked.
			if heapBytes() > limits.Memory {
				return none, tooMuch
			}
			return made.result, made.err
		case <-ctx.Done():
			return none, context.Cause(ctx)
		case <-memory.C:
			if heapBytes() > limits.Memory {
				stop(tooMuch)
			}
		}
	}
}

// heapBytes is what the heap holds, with what is not collected yet.
func heapBytes() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
