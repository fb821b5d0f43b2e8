package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/manual"
	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

// TestCommandPage: docs/commands.md is what the commands say. With -update it writes
// the page.
func TestCommandPage(t *testing.T) {
	page := filepath.Join(stock.Root(t), "docs", "commands.md")
	want := manual.Markdown(newRootCommand())
	if *update {
		if err := os.WriteFile(page, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("docs/commands.md (-it +commands); scripts/generate writes it:\n%s", cmp.Diff(string(got), string(want)))
	}
}
