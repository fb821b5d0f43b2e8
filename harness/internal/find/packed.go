package find

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// maxPacked bounds what is unpacked of a packed chart, in bytes, as Helm does.
const maxPacked = 100 << 20

// packed looks at a file that may be a packed chart. One that lies beside the folder
// that it packs is read with that: nothing else is in it. Any other is not judged.
func (w *walk) packed(file string) {
	found := NotJudged{Path: DisplayPath(file), Kind: PackedChart, Reason: "it is not unpacked: `helm template` prints what it makes, to be judged"}
	data, err := render.ReadRegular(file)
	if err != nil {
		found.Unread = true
		w.notJudged = append(w.notJudged, found)
		return
	}
	entries, err := unpack(data)
	name := ""
	for entry := range entries {
		if path.Base(entry) == "Chart.yaml" && strings.Count(entry, "/") == 1 {
			name = path.Dir(entry)
		}
	}
	switch {
	case name == "" && err == nil, errors.Is(err, gzip.ErrHeader):
		return // an archive of something else
	case err != nil:
		found.Unread = true
	case isUnpacked(entries, filepath.Dir(file)):
		w.unpacked = append(w.unpacked, Read{Path: found.Path, Kind: Chart, By: []string{DisplayPath(filepath.Join(filepath.Dir(file), name))}})
		return
	}
	var text bytes.Buffer
	for entry, content := range entries {
		text.WriteString(entry + "\n")
		text.Write(content)
		text.WriteString("\n")
	}
	found.Text = text.Bytes()
	w.notJudged = append(w.notJudged, found)
}

// unpack returns the files of an archive, also when its end cannot be read.
func unpack(data []byte) (map[string][]byte, error) {
	entries := map[string][]byte{}
	zipped, err := gzip.NewReader(bytes.NewReader(data))
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = gzip.ErrHeader
	}
	if err != nil {
		return entries, err
	}
	limited := &io.LimitedReader{R: zipped, N: maxPacked}
	archive := tar.NewReader(limited)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) && limited.N > 0 {
			return entries, nil
		}
		if err != nil {
			return entries, err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			return entries, err
		}
		entries[path.Clean(header.Name)] = content
	}
}

// isUnpacked reports whether each file of an archive is in a folder as it is.
func isUnpacked(entries map[string][]byte, dir string) bool {
	for name, content := range entries {
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return false
		}
		file := filepath.Join(dir, filepath.FromSlash(name))
		if info, err := os.Lstat(file); err != nil || !info.Mode().IsRegular() {
			return false
		}
		if text, err := render.ReadRegular(file); err != nil || !bytes.Equal(text, content) {
			return false
		}
	}
	return true
}
