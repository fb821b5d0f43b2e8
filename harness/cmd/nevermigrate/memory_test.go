package main

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// percent is what is in force.
func percent() int {
	now := debug.SetGCPercent(100)
	debug.SetGCPercent(now)
	return now
}

func TestCollectLater(t *testing.T) {
	t.Setenv("GOGC", "")
	before := debug.SetGCPercent(200)
	t.Cleanup(func() { debug.SetGCPercent(before) })
	for _, test := range []struct{ said, want int }{
		{0, 200},   // nothing else was said: as before
		{800, 800}, // as a command said
	} {
		debug.SetGCPercent(200)
		collectLater()
		if got := percent(); got != firstHeap {
			t.Errorf("percentage %d, want %d", got, firstHeap)
		}
		if test.said != 0 {
			debug.SetGCPercent(test.said)
		}
		time.Sleep(50 * time.Millisecond) // until it asked for large pages
		runtime.GC()
		for range 40 {
			if time.Sleep(5 * time.Millisecond); percent() == test.want && test.said == 0 {
				break
			}
		}
		if got := percent(); got != test.want {
			t.Errorf("after a collection: percentage %d, want %d", got, test.want)
		}
	}

	t.Setenv("GOGC", "50")
	debug.SetGCPercent(50)
	collectLater()
	if got := percent(); got != 50 {
		t.Errorf("with GOGC: percentage %d, want 50", got)
	}
}
