package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// tuneMemory lets the heap grow by a percentage before it is collected: most runs
// are short, and collecting took much of them. The limit in bytes keeps long runs
// small: above it, memory is collected as often as need be, so that garbage is not
// taken for what a rendering needs; see raiseLimit. GOGC and GOMEMLIMIT have the last
// word, each on its own.
func tuneMemory(percent int, limit int64) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit)
	}
}

// raiseLimit raises the limit after a collection, each time, when three quarters of it are
// in use: a large input would else be collected without end, for nothing. Half of what is
// in use may then be garbage, and 16 MiB are for what is not in the heap.
func raiseLimit() {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	runtime.AddCleanup(new(*int), func(int) {
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		inUse := int64(live[0].Value.Uint64())
		if inUse > debug.SetMemoryLimit(-1)/4*3 {
			debug.SetMemoryLimit(inUse + inUse/2 + 16<<20)
		}
		raiseLimit()
	}, 0)
}

// firstHeap is the percentage with which memory is collected for the first time when
// the heap has about 96 MiB: at least 4 MiB are taken for in use.
const firstHeap = 2400

// collectLater leaves the memory of a short run alone, which would be collected five
// times while the policy is compiled. After the first collection all is as
// tuneMemory says. Meanwhile it asks for large pages; the channel is closed when it has.
func collectLater() <-chan struct{} {
	asked := make(chan struct{})
	if os.Getenv("GOGC") != "" {
		close(asked)
		return asked
	}
	percent := debug.SetGCPercent(firstHeap)
	go func() {
		defer close(asked)
		largePages()
		runtime.AddCleanup(new(*int), func(percent int) {
			if now := debug.SetGCPercent(percent); now != firstHeap {
				debug.SetGCPercent(now) // a command said otherwise
			}
		}, percent)
	}()
	return asked
}

// largePages makes the next memory that is used come in pages of 2 MiB, where the
// system has them for who asks: a quarter of the CPU of a short run went to 14,000
// pages of 4 KiB. What is asked for is free at once, and takes memory only when it is
// used.
func largePages() {
	adviseLargePages(make([]byte, 64<<20))
	runtime.GC()
}
