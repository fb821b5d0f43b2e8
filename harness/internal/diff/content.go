package diff

import (
	"bytes"
	"cmp"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Limits on what is read of an app to recognise it elsewhere.
const (
	maxComparedFile = 1 << 20
	maxComparedApp  = 8 << 20
)

// content is what an app is recognised by in another folder: the lines of its
// files, or its workloads, in the order of their hashes.
type content struct {
	parts  []part
	weight int // of all parts
}

type part struct {
	hash   uint64
	weight int
}

func (c *content) add(text []byte, weight int) {
	hash := fnv.New64a()
	hash.Write(text)
	c.parts = append(c.parts, part{hash.Sum64(), weight})
	c.weight += weight
}

func (c *content) sort() {
	slices.SortFunc(c.parts, func(a, b part) int { return cmp.Compare(a.hash, b.hash) })
}

// workloadsOf are the workloads of a target, whatever they are judged to be.
func workloadsOf(t report.Target) content {
	var names []string
	for _, w := range t.Workloads {
		names = append(names, strings.Join([]string{w.Kind, w.Namespace, w.Name}, "\x00"))
	}
	slices.Sort(names)
	var c content
	for _, name := range slices.Compact(names) {
		c.add([]byte(name), 1)
	}
	c.sort()
	return c
}

// contentOf reads the files of an app's folder, but not those of apps below it.
// What cannot be read counts as not there: it only makes the app harder to
// recognise, and an app that is not recognised is a new one.
func contentOf(folder string) content {
	var c content
	read := 0
	_ = filepath.WalkDir(folder, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil || read > maxComparedApp:
			return nil
		case entry.IsDir() && file != folder && (entry.Name() == ".git" || render.IsApp(file)):
			return filepath.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		opened, err := os.Open(file)
		if err != nil {
			return nil
		}
		defer opened.Close()
		text, _ := io.ReadAll(io.LimitReader(opened, maxComparedFile))
		read += len(text)
		for text := range bytes.Lines(text) {
			if text = bytes.TrimSpace(text); len(text) > 0 {
				c.add(text, len(text))
			}
		}
		return nil
	})
	c.sort()
	return c
}

// similarity is the part of both contents that they share, from 0 to 1.
func similarity(a, b content) float64 {
	ones, others, shared := a.parts, b.parts, 0
	for len(ones) > 0 && len(others) > 0 {
		switch one, other := ones[0], others[0]; {
		case one.hash < other.hash:
			ones = ones[1:]
		case one.hash > other.hash:
			others = others[1:]
		default:
			ones, others, shared = ones[1:], others[1:], shared+one.weight
		}
	}
	return 2 * float64(shared) / float64(max(1, a.weight+b.weight))
}
