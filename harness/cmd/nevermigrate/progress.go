package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// progressAfter is how long a run takes before it is worth a word.
const progressAfter = time.Second

// progress returns a function that shows on a terminal how far a long run is,
// and one that wipes that away. Elsewhere, as in the log of a CI, both do
// nothing.
func progress(w io.Writer, now func() time.Time) (show func(judged, targets int), wipe func()) {
	if !isTerminal(w) {
		return nil, func() {}
	}
	start, last := now(), time.Time{}
	show = func(judged, targets int) {
		if at := now(); at.Sub(start) > progressAfter && at.Sub(last) > 100*time.Millisecond {
			last = at
			fmt.Fprintf(w, "\r\x1b[Kjudged %d of %d targets", judged, targets)
		}
	}
	wipe = func() {
		if !last.IsZero() {
			fmt.Fprint(w, "\r\x1b[K")
		}
	}
	return show, wipe
}

// isTerminal reports whether what is written is seen on a terminal that can do
// more than print lines.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(file.Fd()))
}
