package diff

import (
	"bytes"
	"crypto/sha256"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/proompteng/nevermigrate/harness/render"
)

// Limits on what is read of an app to recognise it elsewhere.
const (
	maxComparedFile = 1 << 20
	maxComparedApp  = 8 << 20
)

// fingerprint is an app's content, to recognise it in another folder.
type fingerprint struct {
	// lines are hashes of lines with the length of all lines that have them.
	lines map[uint64]int
	total int
	// exact is equal for equal names and contents.
	exact [sha256.Size]byte
}

// fingerprintOf reads the files of an app's folder, but not those of apps below
// it. What cannot be read counts as not there: it only makes the app harder to
// recognise, and an app that is not recognised is a new one.
func fingerprintOf(folder string) fingerprint {
	f := fingerprint{lines: map[uint64]int{}}
	exact := sha256.New()
	read := 0
	_ = filepath.WalkDir(folder, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || read > maxComparedApp {
			return nil
		}
		if entry.IsDir() {
			if file != folder && (entry.Name() == ".git" || render.IsApp(file)) {
				return filepath.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		content := readStart(file)
		read += len(content)
		f.add(content)
		relative, _ := filepath.Rel(folder, file)
		sum := sha256.Sum256(content)
		exact.Write([]byte(filepath.ToSlash(relative) + "\x00"))
		exact.Write(sum[:])
		return nil
	})
	exact.Sum(f.exact[:0])
	return f
}

func readStart(file string) []byte {
	opened, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer opened.Close()
	content, _ := io.ReadAll(io.LimitReader(opened, maxComparedFile))
	return content
}

func (f *fingerprint) add(content []byte) {
	for line := range bytes.Lines(content) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		hash := fnv.New64a()
		hash.Write(line)
		f.lines[hash.Sum64()] += len(line)
		f.total += len(line)
	}
}

// similarity is the part of two contents that they share, from 0 to 1.
func similarity(a, b fingerprint) float64 {
	if a.total == 0 || b.total == 0 {
		return 0
	}
	if len(a.lines) > len(b.lines) {
		a, b = b, a
	}
	shared := 0
	for line, length := range a.lines {
		shared += min(length, b.lines[line])
	}
	return 2 * float64(shared) / float64(a.total+b.total)
}
