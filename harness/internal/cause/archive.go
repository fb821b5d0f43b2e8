package cause

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// archive is a packed chart, whose files are changed by packing it again.
type archive struct {
	// file and shown are as in source; for one inside of another, they are as those
	// of a file in that.
	file, shown string
	outer       *archive
	name        string // in outer
	entries     []archived
}

// archived is a file of an archive.
type archived struct {
	name string
	text []byte
}

// inArchive separates an archive from the file in it, in the path of a source.
const inArchive = "!/"

// unpacked reads an archive, of which no more than limit bytes.
func unpacked(packed []byte, limit int64) ([]archived, error) {
	zipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	reader := tar.NewReader(io.LimitReader(zipped, limit))
	var entries []archived
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return entries, nil
		}
		if err != nil {
			return nil, err
		}
		if header.Typeflag != tar.TypeReg {
			continue
		}
		text, err := io.ReadAll(reader)
		if err != nil {
			return nil, err
		}
		entries = append(entries, archived{path.Clean(strings.ReplaceAll(header.Name, `\`, "/")), text})
	}
}

// packed is the archive with other texts for some of its files.
func (a *archive) packed(changed map[string][]byte) ([]byte, error) {
	var packed bytes.Buffer
	zipper, err := gzip.NewWriterLevel(&packed, gzip.NoCompression)
	if err != nil {
		return nil, err
	}
	writer := tar.NewWriter(zipper)
	for _, entry := range a.entries {
		text, ok := changed[entry.name]
		if !ok {
			text = entry.text
		}
		if err := writer.WriteHeader(&tar.Header{Name: entry.name, Mode: 0o644, Size: int64(len(text))}); err != nil {
			return nil, fmt.Errorf("pack %s: %w", a.shown, err)
		}
		if _, err := writer.Write(text); err != nil {
			return nil, fmt.Errorf("pack %s: %w", a.shown, err)
		}
	}
	if err := errors.Join(writer.Close(), zipper.Close()); err != nil {
		return nil, fmt.Errorf("pack %s: %w", a.shown, err)
	}
	return packed.Bytes(), nil
}

// changes are the texts of files that edits change, of those in archives by the
// archive and the name.
type changes struct {
	files    map[string][]byte
	archives map[*archive]map[string][]byte
}

func (c *changes) set(s *source, text []byte) {
	if s.archive == nil {
		c.files[s.file] = text
		return
	}
	c.setIn(s.archive, s.name, text)
}

func (c *changes) setIn(a *archive, name string, text []byte) {
	if c.archives[a] == nil {
		c.archives[a] = map[string][]byte{}
	}
	c.archives[a][name] = text
}

// overlay are the files by their real paths, archives packed again.
func (c *changes) overlay() (map[string][]byte, error) {
	for len(c.archives) > 0 {
		a := c.innermost()
		packed, err := a.packed(c.archives[a])
		if err != nil {
			return nil, err
		}
		delete(c.archives, a)
		if a.outer != nil {
			c.setIn(a.outer, a.name, packed)
		} else {
			c.files[a.file] = packed
		}
	}
	return c.files, nil
}

// innermost is a changed archive in which no other is changed.
func (c *changes) innermost() *archive {
	var deepest *archive
	for a := range c.archives {
		if deepest == nil || a.depth() > deepest.depth() {
			deepest = a
		}
	}
	return deepest
}

func (a *archive) depth() int {
	if a.outer == nil {
		return 0
	}
	return a.outer.depth() + 1
}
