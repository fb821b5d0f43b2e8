package reads

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// world makes files in a folder, and returns its real path. A text that begins with -> is
// a link; of a name that ends in / there is a folder.
func world(t *testing.T, files map[string]string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		write(t, filepath.Join(dir, name), text)
	}
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	switch {
	case err != nil:
	case len(text) > 2 && text[:2] == "->":
		_ = os.Remove(path)
		err = os.Symlink(text[2:], path)
	default:
		err = os.WriteFile(path, []byte(text), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestChangesAreSeen: each kind of look sees what it is to see, and only that; the same in
// another folder is the same.
func TestChangesAreSeen(t *testing.T) {
	files := map[string]string{
		"a/file": "1", "a/link": "->file", "a/folder/x": "1", "a/out": "->../b", "b/y": "1", "b/z.yaml": "1", "c": "->a", "a/dangling": "->nothing",
	}
	looks := map[string]func(l *Log, dir string){
		"stat":   func(l *Log, dir string) { _, _ = l.Stat(dir + "/a/file") },
		"absent": func(l *Log, dir string) { _, _ = l.Stat(dir + "/a/missing") },
		"file":   func(l *Log, dir string) { _, _ = l.ReadFile(dir + "/a/file") },
		"link":   func(l *Log, dir string) { _, _ = l.ReadFile(dir + "/a/link") },
		"by c":   func(l *Log, dir string) { _, _ = l.ReadFile(dir + "/c/file") },
		"list":   func(l *Log, dir string) { _, _ = l.ReadDir(dir + "/a") },
		"tree":   func(l *Log, dir string) { l.Note(Tree, dir+"/a") },
		"glob":   func(l *Log, dir string) { _, _ = l.Glob(dir, "**/*.yaml") },
		"walk": func(l *Log, dir string) {
			_ = l.WalkDir(dir+"/a", func(_ string, _ os.DirEntry, err error) error { return err })
		},
		"dangling": func(l *Log, dir string) { _, _ = l.EvalSymlinks(dir + "/a/dangling") },
	}
	for _, test := range []struct {
		what string
		edit func(t *testing.T, dir string)
		want []string
	}{
		{"nothing", func(*testing.T, string) {}, nil},
		{"another text", func(t *testing.T, dir string) { write(t, dir+"/a/file", "2") }, []string{"by c", "file", "link", "tree"}},
		{"a text below", func(t *testing.T, dir string) { write(t, dir+"/a/folder/x", "2") }, []string{"tree"}},
		{"a text behind a link", func(t *testing.T, dir string) { write(t, dir+"/b/y", "2") }, []string{"tree"}},
		{"a file that appears", func(t *testing.T, dir string) { write(t, dir+"/a/missing", "") }, []string{"absent", "list", "tree", "walk"}},
		{"a file that appears below", func(t *testing.T, dir string) { write(t, dir+"/a/folder/new", "") }, []string{"tree", "walk"}},
		{"a file that matches", func(t *testing.T, dir string) { write(t, dir+"/d/e/new.yaml", "") }, []string{"glob"}},
		{"a file that is gone", func(t *testing.T, dir string) { _ = os.Remove(dir + "/a/file") }, []string{"by c", "file", "link", "list", "stat", "tree", "walk"}},
		{"a folder in its place", func(t *testing.T, dir string) { _ = os.Remove(dir + "/a/file"); write(t, dir+"/a/file/x", "1") }, []string{"by c", "file", "link", "list", "stat", "tree", "walk"}},
		{"a link in its place to the same text", func(t *testing.T, dir string) { write(t, dir+"/b/same", "1"); write(t, dir+"/a/file", "->../b/same") }, []string{"by c", "file", "link", "list", "stat", "tree", "walk"}},
		{"a folder by a link", func(t *testing.T, dir string) {
			_ = os.Rename(dir+"/a", dir+"/moved")
			write(t, dir+"/a", "->moved")
		}, []string{"by c", "file", "glob", "link", "list", "stat", "tree", "walk"}},
		{"a link that leads elsewhere", func(t *testing.T, dir string) { write(t, dir+"/a/dangling", "->file") }, []string{"dangling", "tree"}},
		{"a link that leads to another folder with the same", func(t *testing.T, dir string) {
			write(t, dir+"/other/file", "1")
			write(t, dir+"/c", "->other")
		}, []string{"by c", "glob"}},
	} {
		t.Run(test.what, func(t *testing.T) {
			dir, other := world(t, files), world(t, files)
			logs := map[string][]Read{}
			for what, look := range looks {
				log := NewLog(NewDisk(dir, nil))
				look(log, dir)
				all, ok := log.Reads()
				if !ok {
					t.Fatalf("%s: not sure", what)
				}
				logs[what] = all
			}
			test.edit(t, other)
			seen := map[string]bool{}
			for what, all := range logs {
				if !NewDisk(other, nil).Has(all) {
					seen[what] = true
				}
			}
			want := map[string]bool{}
			for _, what := range test.want {
				want[what] = true
			}
			if diff := cmp.Diff(want, seen); diff != "" {
				t.Errorf("who sees it (-want +got):\n%s", diff)
			}
		})
	}
}

// TestReads: what another look sees is noted once; what nobody can see again is not ok.
func TestReads(t *testing.T) {
	dir := world(t, map[string]string{"a/b/x": "1", "y": "2"})
	log := NewLog(NewDisk(dir, func(name string) string { return "digest of " + name }))
	_, _ = log.Stat(dir + "/a/b/x")
	log.Note(Tree, dir+"/a")
	_, _ = log.ReadFile(dir + "/a/b/x")
	_, _ = log.Stat(dir + "/y")
	_, _ = log.ReadFile(dir + "/y")
	log.Ignore(dir + "/made")
	_, _ = log.ReadFile(dir + "/made/x")
	log.Chart("c")
	all, ok := log.Reads()
	var got []string
	for _, r := range all {
		got = append(got, string(r.Kind)+" "+r.Path)
	}
	if diff := cmp.Diff([]string{"tree a", "chart c", "file y"}, got); diff != "" || !ok {
		t.Errorf("ok %v (-want +got):\n%s", ok, diff)
	}
	for what, unsure := range map[string]func(*Log){
		"said so":             (*Log).Unsure,
		"a tree elsewhere":    func(l *Log) { l.Note(Tree, t.TempDir()) },
		"a chart of nowhere":  func(l *Log) { l.Chart("c") },
		"a pipe or a device":  func(l *Log) { _, _ = l.Open(os.DevNull) },
		"a pattern elsewhere": func(l *Log) { _, _ = l.Glob(t.TempDir(), "*") },
	} {
		log := NewLog(NewDisk(dir, nil))
		if unsure(log); true {
			if _, ok := log.Reads(); ok {
				t.Errorf("%s: sure", what)
			}
		}
	}
	var none *Log
	if text, err := none.ReadFile(dir + "/y"); err != nil || string(text) != "2" {
		t.Errorf("without a log: %q, %v", text, err)
	}
}

// TestFirstLook: what is there is what was there at the first look, until it is looked at
// afresh: so a file that changes meanwhile is known.
func TestFirstLook(t *testing.T) {
	dir := world(t, map[string]string{"x": "1"})
	disk := NewDisk(dir, nil)
	log := NewLog(disk)
	_, _ = log.ReadFile(dir + "/x")
	write(t, dir+"/x", "2")
	all, ok := log.Reads()
	if !ok || !disk.Has(all) || disk.Fresh().Has(all) {
		t.Errorf("ok %v, as first seen %v, afresh %v", ok, disk.Has(all), disk.Fresh().Has(all))
	}
}

// TestLargeFile: a change of the last byte of a file is seen, however large it is.
func TestLargeFile(t *testing.T) {
	for _, size := range []int{0, small - 1, small, small + 1, 3 * small} {
		text := strings.Repeat("x", size)
		dir, other := world(t, map[string]string{"x": text + "1"}), world(t, map[string]string{"x": text + "2"})
		log := NewLog(NewDisk(dir, nil))
		_, _ = log.ReadFile(dir + "/x")
		if all, ok := log.Reads(); !ok || !NewDisk(dir, nil).Has(all) || NewDisk(other, nil).Has(all) {
			t.Errorf("a file of %d bytes: ok %v", size+1, ok)
		}
	}
}
