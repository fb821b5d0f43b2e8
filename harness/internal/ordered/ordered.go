// Package ordered has several workers do many things, with the outcome of one worker that
// does them in their order: the error is that of the first thing that has one.
package ordered

import (
	"cmp"
	"sync"
	"sync/atomic"
)

// Do does n things, which are known by their numbers from 0. Each worker calls the
// function that it is given with what does one of them; it returns when there is nothing
// left to do. The worker 0 runs in this goroutine. An error is that of the thing with the
// smallest number that has one, or of a worker; after the first error nothing is begun.
func Do(n, workers int, worker func(number int, each func(do func(i int) error)) error) error {
	errs, ofWorkers := make([]error, n), make([]error, max(workers, 1))
	var next atomic.Int64
	each := func(do func(i int) error) {
		for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
			if errs[i] = do(int(i)); errs[i] != nil {
				next.Store(int64(n)) // those before it are at work
			}
		}
	}
	work := func(number int) {
		if ofWorkers[number] = worker(number, each); ofWorkers[number] != nil {
			next.Store(int64(n))
		}
	}
	var group sync.WaitGroup
	for number := 1; number < workers; number++ {
		group.Go(func() { work(number) })
	}
	work(0)
	group.Wait()
	return cmp.Or(cmp.Or(errs...), cmp.Or(ofWorkers...))
}
