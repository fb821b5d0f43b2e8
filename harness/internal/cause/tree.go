package cause

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/reads"
)

// tree is what holds the files of a chart: a folder on disk or, where there is an
// archive, one in it.
type tree struct {
	folder  string
	archive *archive
	reads   *reads.Log
}

// exists reports whether there is such a folder.
func (t tree) exists() bool {
	if t.archive != nil {
		return true
	}
	info, err := t.reads.Stat(t.folder)
	return err == nil && info.IsDir()
}

// text is that of a file, or nil.
func (t tree) text(name string) []byte {
	if t.archive == nil {
		text, err := t.reads.ReadFile(filepath.Join(t.folder, filepath.FromSlash(name)))
		if err != nil {
			return nil
		}
		return text
	}
	for _, entry := range t.archive.entries {
		if entry.name == path.Join(t.folder, name) {
			return entry.text
		}
	}
	return nil
}

// files are the names of the files below a folder of the tree; those for which
// skip holds, and what is below them, are left out.
func (t tree) files(below string, skip func(name string) bool) []string {
	var names []string
	if t.archive != nil {
		for _, entry := range t.archive.entries {
			name, ok := strings.CutPrefix(entry.name, t.folder+"/")
			if ok && (below == "" || strings.HasPrefix(name, below+"/")) && !skip(name) {
				names = append(names, name)
			}
		}
		return names
	}
	_ = t.reads.WalkDir(filepath.Join(t.folder, filepath.FromSlash(below)), func(at string, entry os.DirEntry, err error) error {
		if err != nil {
			return nil // it rendered without
		}
		name, err := filepath.Rel(t.folder, at)
		if name = filepath.ToSlash(name); err != nil || skip(name) {
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if !entry.IsDir() {
			names = append(names, name)
		}
		return nil
	})
	return names
}

// subtrees are the charts in the folder charts of a chart, packed ones too, with
// their names.
func (t tree) subtrees(s *sources) (trees []tree, names []string) {
	add := func(found tree, name string) { trees, names = append(trees, found), append(names, name) }
	addPacked := func(outer *archive, at, shown, name string, text []byte) {
		if a, top := s.archive(outer, at, shown, name, text); a != nil {
			add(tree{folder: top, archive: a}, top)
		}
	}
	if t.archive == nil {
		entries, err := t.reads.ReadDir(filepath.Join(t.folder, "charts"))
		if err != nil {
			return nil, nil
		}
		for _, entry := range entries {
			below := filepath.Join(t.folder, "charts", entry.Name())
			info, err := t.reads.Stat(below)
			switch {
			case err != nil || strings.ContainsAny(entry.Name()[:1], "_."):
			case info.IsDir():
				add(tree{folder: below, reads: t.reads}, entry.Name())
			case filepath.Ext(below) == ".tgz" && s.wanted == nil && info.Mode().IsRegular() && info.Size() <= s.maxBytes:
				real := s.realPath(below)
				text, _ := t.reads.ReadFile(real)
				addPacked(nil, real, shownPath(real), "", text)
			}
		}
		return trees, names
	}
	for _, file := range t.files("charts", func(string) bool { return false }) {
		parts := strings.Split(file, "/")
		name := path.Join(t.folder, file)
		switch {
		case strings.ContainsAny(parts[1][:1], "_."):
		case len(parts) > 2 && !slices.Contains(names, parts[1]):
			add(tree{folder: path.Join(t.folder, "charts", parts[1]), archive: t.archive}, parts[1])
		case len(parts) == 2 && path.Ext(file) == ".tgz":
			addPacked(t.archive, t.archive.file+inArchive+name, t.archive.shown+inArchive+name, name, t.text(file))
		}
	}
	return trees, names
}

// archive reads a packed chart, and returns the folder in it that is the chart's.
func (s *sources) archive(outer *archive, file, shown, name string, packed []byte) (*archive, string) {
	entries, err := unpacked(packed, s.unpackLeft)
	if err != nil {
		return nil, ""
	}
	for _, entry := range entries {
		s.unpackLeft -= int64(len(entry.text))
	}
	for _, entry := range entries {
		if top, rest, ok := strings.Cut(entry.name, "/"); ok && rest == "Chart.yaml" {
			return &archive{file: file, shown: shown, outer: outer, name: name, entries: entries}, top
		}
	}
	return nil, ""
}

// fileOf is file for a file of a tree.
func (s *sources) fileOf(t tree, name string, as source) *source {
	if t.archive == nil {
		return s.file(filepath.Join(t.folder, filepath.FromSlash(name)), as)
	}
	inner := path.Join(t.folder, name)
	file := t.archive.file + inArchive + inner
	if known, ok := s.byFile[file]; ok {
		return known
	}
	text := t.text(name)
	if text == nil {
		s.byFile[file] = nil
		return nil
	}
	as.file, as.shown, as.text = file, t.archive.shown+inArchive+inner, text
	as.archive, as.name = t.archive, inner
	return s.add(&as)
}
