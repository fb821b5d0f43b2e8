// Package generated holds files of this repository to what is made now, for tests that
// write them with -update; scripts/generate runs these.
package generated

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

// Whole compares a file, by its path from the root of the repository, with what it
// should be. With update it is written first.
func Whole(t testing.TB, update bool, file, want string) {
	t.Helper()
	path := filepath.Join(stock.Root(t), filepath.FromSlash(file))
	if update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, read(t, file)); diff != "" {
		t.Errorf("%s is stale, run scripts/generate (-now +committed):\n%s", file, diff)
	}
}

// Between is Whole for what stands between two lines of a file, which must be there.
func Between(t testing.TB, update bool, file, begin, end, want string) {
	t.Helper()
	before, rest, begun := strings.Cut(read(t, file), begin)
	_, after, ended := strings.Cut(rest, end)
	if !begun || !ended {
		t.Fatalf("%s has no place between %q and %q", file, begin, end)
	}
	Whole(t, update, file, before+begin+want+end+after)
}

func read(t testing.TB, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(stock.Root(t), filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
