package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

// percent is what is in force. To set another and look would be in the cleanup's way.
func percent() int {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	return int(sample[0].Value.Uint64())
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
		asked := collectLater()
		if got := percent(); got != firstHeap {
			t.Errorf("percentage %d, want %d", got, firstHeap)
		}
		<-asked
		if test.said != 0 {
			debug.SetGCPercent(test.said)
		}
		runtime.GC()
		time.Sleep(20 * time.Millisecond) // the cleanup is not waited for
		for range 1000 {
			if percent() == test.want {
				break
			}
			time.Sleep(10 * time.Millisecond)
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

// TestRaiseLimit: the limit follows what is in use when that comes close to it, and one
// that the user gave stays.
func TestRaiseLimit(t *testing.T) {
	before := debug.SetMemoryLimit(1 << 20)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })

	t.Setenv("GOMEMLIMIT", "1MiB")
	raiseLimit()
	runtime.GC()
	time.Sleep(20 * time.Millisecond)
	if got := debug.SetMemoryLimit(-1); got != 1<<20 {
		t.Errorf("with GOMEMLIMIT: %d bytes, want %d", got, 1<<20)
	}

	t.Setenv("GOMEMLIMIT", "")
	raiseLimit()
	for _, inUse := range []int{16 << 20, 64 << 20} {
		held := make([]byte, inUse)
		want := int64(inUse + inUse/2 + 16<<20)
		for range 1000 {
			runtime.GC()
			if debug.SetMemoryLimit(-1) >= want {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if got := debug.SetMemoryLimit(-1); got < want {
			t.Errorf("with %d bytes in use the limit is %d, want at least %d", inUse, got, want)
		}
		runtime.KeepAlive(held)
	}

	debug.SetMemoryLimit(1 << 30) // far from what is in use
	for range 3 {
		runtime.GC()
		time.Sleep(20 * time.Millisecond)
	}
	if got := debug.SetMemoryLimit(-1); got != 1<<30 {
		t.Errorf("with little in use: %d bytes, want %d", got, 1<<30)
	}
}
