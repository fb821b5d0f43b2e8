package adopt

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/config"
	"github.com/proompteng/nevermigrate/harness/internal/gatekeeper"
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

// lay writes what is there before: "/" is a folder, and what begins with "->" a link.
func lay(t *testing.T, top string, there map[string]string) {
	t.Helper()
	for name, text := range there {
		path := filepath.Join(top, name)
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		target, isLink := strings.CutPrefix(text, "->")
		switch {
		case err != nil:
		case text == "/":
			err = os.Mkdir(path, 0o755)
		case isLink:
			err = os.Symlink(target, path)
		default:
			err = os.WriteFile(path, []byte(text), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

var all = []File{{Path: config.Name, Text: "a"}, {Path: ConstraintFile, Text: "b"}, {Path: "left.yaml", Lacks: "x"}, {Path: WorkflowFile, Text: "c"}, {Path: HookFile, Text: "d"}}

func TestWrite(t *testing.T) {
	whole := map[string]string{
		config.Name: "a", ConstraintFile: "b", ".github": "/", ".github/workflows": "/", WorkflowFile: "c", HookFile: "d",
	}
	for _, test := range []struct {
		name  string
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
			lay(t, top, test.there)
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
		text, err := filled("configuration", map[string]any{"Constraints": []string{ConstraintFile}, "Paths": []string{path}, "KubeVersion": "1.30", "APIVersions": []string{"a/v1", strings.Repeat("b", 200) + "/v1"}})
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
		want := [][]config.Text{{{Value: ConstraintFile, Line: 3}}, {{Value: path, Line: 4}}, {{Value: "1.30", Line: 5}}, {{Value: "a/v1", Line: 6}, {Value: strings.Repeat("b", 200) + "/v1", Line: 6}}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", path, diff)
		}
	}
}

// TestFiles: what is left alone and why, and all that is written.
func TestFiles(t *testing.T) {
	const tag, hash = "v0.1.0", "0123456789abcdef0123456789abcdef01234567"
	const head = "# What nevermigrate judges, and how. Each key is explained in\n# https://github.com/proompteng/nevermigrate/blob/main/docs/configuration.md\n"
	workflow := func(revision string) string {
		return "# A pull request by which controllers could apply database migrations fails. Make it a\n" +
			"# required check: https://github.com/proompteng/nevermigrate/blob/main/docs/getting-started.md\n" +
			"name: controllers never migrate\non: pull_request\npermissions:\n  contents: read\njobs:\n  controllers-never-migrate:\n" +
			"    uses: proompteng/nevermigrate/.github/workflows/controllers-never-migrate.yml@" + revision + "\n"
	}
	hook := func(revision string) string {
		return "  - repo: https://github.com/proompteng/nevermigrate\n    rev: " + revision + "\n    hooks:\n      - id: controllers-never-migrate\n"
	}
	configuration := File{Path: config.Name, Text: head + "paths: [.]\n"}
	newWorkflow, newHook := File{Path: WorkflowFile, Text: workflow(tag)}, File{Path: HookFile, Text: "repos:\n" + hook(tag)}
	called := func(name string) []File {
		return []File{configuration, {Path: ".github/workflows/" + name, Has: "the check"}, newHook}
	}
	hooked := []File{configuration, newWorkflow, {Path: HookFile, Has: "the hook"}}
	hookless := []File{configuration, newWorkflow, {Path: HookFile, Lacks: hook(tag)}}
	there := Repository{Revision: tag, Config: &config.Config{
		Paths: []config.Text{{Value: "x"}}, Constraints: []config.Text{{Value: "y"}}, KubeVersion: config.Text{Value: "1.30.0"}, APIVersions: []config.Text{{Value: "a/v1"}},
	}}
	there.KubeVersion, there.APIVersions = "1.31.0", []string{"b/v1"}
	for _, test := range []struct {
		name  string
		there map[string]string
		given Repository
		want  []File
		err   string
	}{
		{name: "nothing is there", given: Repository{Revision: tag}, want: []File{configuration, newWorkflow, newHook}},
		{
			name: "a hash with its version", given: Repository{Revision: hash, Version: tag},
			want: []File{configuration, {Path: WorkflowFile, Text: workflow(hash + " # " + tag)}, {Path: HookFile, Text: "repos:\n" + hook(hash+" # "+tag)}},
		},
		{
			name: "no revision, and files that call the check", want: []File{configuration},
			there: map[string]string{".github/workflows/a.yml": "uses: a/nevermigrate/b", HookFile: "id: controllers-never-migrate"},
		},
		{
			name: "what charts see", given: Repository{KubeVersion: "1.30.0", APIVersions: []string{"a/v1", "b/v1"}},
			want: []File{{Path: config.Name, Text: head + "paths: [.]\nkubeVersion: 1.30.0\napiVersions: [a/v1, b/v1]\n"}},
		},
		{
			name: "a constraint is there, and parameters are given", given: Repository{Parameters: map[string][]string{"envVar": {"A_MIGRATIONS"}}},
			there: map[string]string{ConstraintFile: "mine"},
			want:  []File{{Path: config.Name, Text: head + "constraints: [controllers-never-migrate.yaml]\npaths: [.]\n"}},
		},
		{name: "a configuration that has all", given: there, there: map[string]string{ConstraintFile: "mine"}, want: []File{{Path: config.Name, Has: "all it needs"}, newWorkflow, newHook}},
		{
			name: "a configuration that has nothing", given: Repository{Config: &config.Config{}, KubeVersion: "1.30.0", APIVersions: []string{"a/v1"}},
			there: map[string]string{ConstraintFile: "mine"},
			want: []File{{
				Path: config.Name, Has: "all it needs", Lacks: "constraints: [controllers-never-migrate.yaml]\npaths: [.]\nkubeVersion: 1.30.0\napiVersions: [a/v1]\n",
			}},
		},
		{name: "a job calls it", given: Repository{Revision: tag}, there: map[string]string{".github/workflows/a.yaml": "jobs:\n  a:\n    uses: acme/nevermigrate/.github/x.yml@v1\n"}, want: called("a.yaml")},
		{name: "a step calls it, in quotes", given: Repository{Revision: tag}, there: map[string]string{".github/workflows/a.yml": "steps:\n  -  uses:  \"acme/nevermigrate/x@v1\"\n"}, want: called("a.yml")},
		{name: "one calls it by the name of the workflow", given: Repository{Revision: tag}, there: map[string]string{WorkflowFile: "uses: 'acme/nevermigrate/x@v1'"}, want: called("controllers-never-migrate.yml")},
		{
			name: "what looks like a call, and is none", given: Repository{Revision: tag},
			there: map[string]string{
				".github/workflows/a.yml": "# uses: acme/nevermigrate/x@v1\nname: uses: acme/nevermigrate/x\nuses: acme/nevermigrated/x@v1\nuses: ./nevermigrate\n",
				".github/workflows/a.txt": "uses: acme/nevermigrate/x@v1", ".github/workflows/yml": "uses: acme/nevermigrate/x@v1",
			},
			want: []File{configuration, newWorkflow, newHook},
		},
		{
			name: "workflow and hook by these names, without the check", given: Repository{Revision: tag}, there: map[string]string{WorkflowFile: "on: push\n", HookFile: "repos: []\n"},
			want: []File{configuration, {Path: WorkflowFile, Lacks: workflow(tag)}, {Path: HookFile, Lacks: hook(tag)}},
		},
		{name: "the hook", given: Repository{Revision: tag}, there: map[string]string{HookFile: "  - id: controllers-never-migrate\n"}, want: hooked},
		{name: "the hook of the program that is installed, in quotes", given: Repository{Revision: tag}, there: map[string]string{HookFile: "  id: 'controllers-never-migrate-system'\n"}, want: hooked},
		{name: "a hook of its own", given: Repository{Revision: tag}, there: map[string]string{HookFile: "entry: nevermigrate diff --base main\n"}, want: hooked},
		{
			name: "what looks like the hook, and is none", given: Repository{Revision: tag}, want: hookless,
			there: map[string]string{HookFile: "# - id: controllers-never-migrate\n#   entry: nevermigrate check\n  - id: my-controllers-never-migrate\n    entry: nevermigrate checksum # not: nevermigrate check\n    name: id: controllers-never-migrate\n"},
		},
		{
			name: "a workflow that cannot be read", given: Repository{Revision: tag}, there: map[string]string{".github/workflows/a.yml": "->gone"},
			err: "read .github/workflows/a.yml: no such file or directory",
		},
		{
			name: "a hook that cannot be read", given: Repository{Revision: tag}, there: map[string]string{HookFile: "->gone"},
			err: "read .pre-commit-config.yaml: no such file or directory",
		},
		{
			name: "a file in place of a folder", given: Repository{Revision: tag}, there: map[string]string{".github": "mine"},
			err: "look into .github/workflows: not a directory",
		},
		{
			name: "a constraint that is a link to nowhere", given: Repository{Parameters: map[string][]string{"envVar": {"A_MIGRATIONS"}}}, there: map[string]string{ConstraintFile: "->gone"},
			want: []File{{Path: config.Name, Text: head + "constraints: [controllers-never-migrate.yaml]\npaths: [.]\n"}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			top := t.TempDir()
			lay(t, top, test.there)
			test.given.Top, test.given.Paths = top, []string{"."}
			got, err := Files(t.Context(), test.given)
			message := ""
			if err != nil {
				message = err.Error()
			}
			if diff := cmp.Diff(test.err, message); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

// TestNewConstraint: the constraint is the defaults with what differs.
func TestNewConstraint(t *testing.T) {
	given := Repository{Top: t.TempDir(), Paths: []string{"."}, Parameters: map[string][]string{"envVar": {"A_MIGRATIONS"}}}
	got, err := Files(t.Context(), given)
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := gatekeeper.Defaults(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	chosen.Parameters["envVar"] = []string{"A_MIGRATIONS"}
	text, err := chosen.YAML(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]File{{Path: ConstraintFile, Text: string(text)}}, got[1:]); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}
