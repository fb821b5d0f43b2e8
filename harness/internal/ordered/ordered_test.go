package ordered_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/proompteng/nevermigrate/harness/internal/ordered"
)

// TestDo: each thing is done once, and the error is that of the first that has one,
// whatever the number of workers.
func TestDo(t *testing.T) {
	for _, test := range []struct {
		name       string
		n, workers int
		fails      []int // things
		broken     int   // the number of a worker that cannot begin, or 0
		want       string
	}{
		{name: "nothing", workers: 3},
		{name: "no workers", n: 10},
		{name: "one worker", n: 10, workers: 1},
		{name: "several workers", n: 1000, workers: 4},
		{name: "more workers than things", n: 2, workers: 8},
		{name: "one fails", n: 1000, workers: 4, fails: []int{500}, want: "500 failed"},
		{name: "neighbours fail", n: 1000, workers: 4, fails: []int{500, 501, 502, 503}, want: "500 failed"},
		{name: "the last fails", n: 1000, workers: 4, fails: []int{999}, want: "999 failed"},
		{name: "a worker cannot begin", n: 10, workers: 2, broken: 1, want: "no worker"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for range 50 {
				done := make([]atomic.Int64, test.n)
				err := ordered.Do(test.n, test.workers, func(number int, each func(func(int) error)) error {
					if test.broken > 0 && number == test.broken {
						return errors.New("no worker")
					}
					each(func(i int) error {
						done[i].Add(1)
						for _, fails := range test.fails {
							if i == fails {
								return fmt.Errorf("%d failed", i)
							}
						}
						return nil
					})
					return nil
				})
				message := ""
				if err != nil {
					message = err.Error()
				}
				if message != test.want {
					t.Fatalf("error %q, want %q", message, test.want)
				}
				first := test.n
				if len(test.fails) > 0 {
					first = test.fails[0]
				}
				for i := range done {
					if times := done[i].Load(); times > 1 || times == 0 && i <= first && test.broken == 0 {
						t.Fatalf("%d was done %d times", i, times)
					}
				}
			}
		})
	}
}
