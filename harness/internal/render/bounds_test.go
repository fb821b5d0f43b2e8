package render

import (
	"os"
	"path/filepath"
	"testing"
)

// TestWorkTree: what is behind a link belongs to the tree that the link is in.
func TestWorkTree(t *testing.T) {
	dir := write(t, `
-- repository/.git/HEAD --
-- repository/apps/a/kustomization.yaml --
-- repository/module/.git --
gitdir: ../.git/modules/module
-- repository/module/app/kustomization.yaml --
-- other/.git/HEAD --
-- other/app/kustomization.yaml --
-- none/app/kustomization.yaml --
`)
	for link, target := range map[string]string{"repository/linked": "../other", "repository/apps/b": "a", "way": "repository", "none/linked": "../other"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{
		"repository":            "repository",
		"repository/apps/a":     "repository",
		"repository/apps/b":     "repository",
		"repository/apps/gone":  "repository",
		"repository/module/app": "repository/module",
		"repository/linked":     "repository",
		"repository/linked/app": "repository",
		"way/apps/a":            "way",
		"none/linked/app":       "none/linked", // no tree holds the link
		"none/app":              "",
	} {
		got := WorkTree(filepath.Join(dir, path))
		if want != "" {
			want = filepath.Join(dir, want)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}
