package adopt

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/config"
)

// written is what is in a folder: the text of each file, and "/" for a folder.
func written(t *testing.T, top string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == top {
			return err
		}
		name, _ := filepath.Rel(top, path)
		if entry.IsDir() {
			found[name] = "/"
			return nil
		}
		text, err := os.ReadFile(path)
		found[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

var all = []File{{Path: config.Name, Text: "a"}, {Path: ConstraintFile, Text: "b"}, {Path: "left.yaml", Lacks: "x"}, {Path: WorkflowFile, Text: "c"}, {Path: HookFile, Text: "d"}}

func TestWrite(t *testing.T) {
	whole := map[string]string{
		config.Name: "a", ConstraintFile: "b", ".github": "/", ".github/workflows": "/", WorkflowFile: "c", HookFile: "d",
	}
	for _, test := range []struct {
		name string
		// there is what is there before: "/" is a folder, and what begins with "->" a link.
		there map[string]string
		want  map[string]string
		err   string
	}{
		{name: "all", want: whole},
		{name: "a folder is there", there: map[string]string{".github": "/"}, want: whole},
		{
			name: "the last is there", there: map[string]string{config.Name: "mine"},
			want: map[string]string{config.Name: "mine"},
			err:  "write .nevermigrate.yaml: file exists; nothing was written",
		},
		{
			name: "the folder that is there stays", there: map[string]string{".github": "/", HookFile: "mine"},
			want: map[string]string{".github": "/", HookFile: "mine"},
			err:  "write .pre-commit-config.yaml: file exists; nothing was written",
		},
		{
			name: "the configuration comes last", there: map[string]string{config.Name: "mine", HookFile: "mine"},
			want: map[string]string{config.Name: "mine", HookFile: "mine"},
			err:  "write .pre-commit-config.yaml: file exists; nothing was written",
		},
		{
			name: "a link to nowhere", there: map[string]string{ConstraintFile: "->gone"},
			err: "write controllers-never-migrate.yaml: file exists; nothing was written",
		},
		{
			name: "a file in place of a folder", there: map[string]string{".github": "mine"},
			want: map[string]string{".github": "mine"},
			err:  "write .github/workflows/controllers-never-migrate.yml: not a directory; nothing was written",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			top := t.TempDir()
			for name, text := range test.there {
				path := filepath.Join(top, name)
				var err error
				switch {
				case text == "/":
					err = os.Mkdir(path, 0o755)
				case len(text) > 2 && text[:2] == "->":
					err = os.Symlink(text[2:], path)
				default:
					err = os.WriteFile(path, []byte(text), 0o644)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			message := ""
			if err := Write(top, all); err != nil {
				message = err.Error()
			}
			if message != test.err {
				t.Errorf("got the error %q, want %q", message, test.err)
			}
			if test.name == "a link to nowhere" {
				if target, err := os.Readlink(filepath.Join(top, ConstraintFile)); err != nil || target != "gone" {
					t.Errorf("the link leads to %q, %v", target, err)
				}
				if _, err := os.Lstat(filepath.Join(top, "gone")); err == nil {
					t.Error("something was written through the link")
				}
				return
			}
			if diff := cmp.Diff(test.want, written(t, top)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

// TestConfigurationIsRead: what is written means what was meant, whatever folders are
// called.
func TestConfigurationIsRead(t *testing.T) {
	top := t.TempDir()
	t.Chdir(top)
	if err := os.Mkdir(".git", 0o755); err != nil {
		t.Fatal(err)
	}
	long := "a"
	for len(long) < 200 {
		long += " word"
	}
	for _, path := range []string{".", "apps", "a b", "#x", "a: b", "'", `"`, "[a]", "ü", "null", "1.5", "*a", "&a", long} {
		text, err := filled("configuration", map[string]any{"Constraints": []string{ConstraintFile}, "Paths": []string{path}, "KubeVersion": "1.30", "APIVersions": []string{"a/v1", "b/v1"}})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(config.Name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		read, err := config.Load(config.Name, time.Now())
		if err != nil {
			t.Errorf("%q: %v", path, err)
			continue
		}
		got := [][]config.Text{read.Constraints, read.Paths, {read.KubeVersion}, read.APIVersions}
		want := [][]config.Text{{{Value: ConstraintFile, Line: 3}}, {{Value: path, Line: 4}}, {{Value: "1.30", Line: 5}}, {{Value: "a/v1", Line: 6}, {Value: "b/v1", Line: 6}}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", path, diff)
		}
	}
}
