package find_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/find"
)

// archiveOf packs files, each a name and a text.
func archiveOf(t *testing.T, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	archive := tar.NewWriter(zipped)
	for i := 0; i < len(files); i += 2 {
		if err := archive.WriteHeader(&tar.Header{Name: files[i], Size: int64(len(files[i+1])), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{archive.Close(), zipped.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// TestPacked: a packed chart is not judged, unless a chart holds it or it lies beside
// what it packs; what is no chart is nothing.
func TestPacked(t *testing.T) {
	chart := []string{"x/Chart.yaml", "name: x\nversion: 1.0.0\n", "x/templates/a.yaml", "name: x-controllers\n"}
	packed := archiveOf(t, chart...)
	unpacked := map[string]string{"x/Chart.yaml": chart[1], "x/templates/a.yaml": chart[3]}
	const reason = "it is not unpacked: `helm template` prints what it makes, to be judged"
	type result struct {
		NotJudged []find.NotJudged
		Read      []find.Read
	}
	for _, test := range []struct {
		what  string
		at    string
		data  []byte
		files map[string]string
		want  result
	}{
		{"alone", "x-1.0.0.tgz", packed, nil, result{NotJudged: []find.NotJudged{{Path: "x-1.0.0.tgz", Kind: find.PackedChart, Reason: reason}}}},
		{"beside what it packs", "x-1.0.0.tgz", packed, unpacked, result{Read: []find.Read{{Path: "x-1.0.0.tgz", Kind: find.Chart, By: []string{"x"}}}}},
		{"beside something else", "x-1.0.0.tgz", packed, map[string]string{"x/Chart.yaml": chart[1], "x/templates/a.yaml": "name: y\n"},
			result{NotJudged: []find.NotJudged{{Path: "x-1.0.0.tgz", Kind: find.PackedChart, Reason: reason}}}},
		{"a subchart of a chart", "parent/charts/x-1.0.0.tgz", packed, map[string]string{"parent/Chart.yaml": "name: parent\nversion: 1.0.0\n"}, result{}},
		{"a file of a chart", "parent/files/x-1.0.0.tgz", packed, map[string]string{"parent/Chart.yaml": "name: parent\nversion: 1.0.0\n"},
			result{NotJudged: []find.NotJudged{{Path: "parent/files/x-1.0.0.tgz", Kind: find.PackedChart, Reason: reason}}}},
		{"cut off", "x.tgz", packed[:len(packed)-20], nil, result{NotJudged: []find.NotJudged{{Path: "x.tgz", Kind: find.PackedChart, Reason: reason, Unread: true}}}},
		{"out of the folder", "x.tgz", archiveOf(t, append([]string{"../y", "y"}, chart...)...), unpacked, result{NotJudged: []find.NotJudged{{Path: "x.tgz", Kind: find.PackedChart, Reason: reason}}}},
		{"an archive of something else", "x.tgz", archiveOf(t, "x/readme.md", "x-controllers"), nil, result{}},
		{"no archive", "x.tgz", []byte("x-controllers"), nil, result{}},
		{"empty", "x.tgz", nil, nil, result{}},
	} {
		t.Run(test.what, func(t *testing.T) {
			t.Chdir(t.TempDir())
			files := map[string]string{test.at: string(test.data)}
			maps.Copy(files, test.files)
			files["pod.yaml"] = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a}]}\n"
			for name, text := range files {
				if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			found, err := find.Cover([]string{"."}, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i := range found.NotJudged {
				n := &found.NotJudged[i]
				if n.Kind == find.PackedChart && !n.Unread && !bytes.Contains(n.Text, []byte("x-controllers")) {
					t.Errorf("the text is %q", n.Text)
				}
				n.Text = nil
			}
			if diff := cmp.Diff(test.want, result{found.NotJudged, found.Read}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
