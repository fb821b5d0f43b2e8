// Package verdictcache keeps verdicts in a folder, each with what was read for it. It
// knows nothing of how a verdict is come to: whoever asks says by a key what else went
// into it, and sees whether what was read is still the same.
//
// Who can write to the folder can write a verdict: it is to be as trusted as the program.
// What is half written or changed by accident is not there.
package verdictcache

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/proompteng/nevermigrate/harness/internal/reads"
	"github.com/proompteng/nevermigrate/harness/report"
)

// format is the version of the files. Those of another version are not there.
const format = 1

// Verdict is a verdict on a target, and what was read for it.
type Verdict struct {
	Reads []reads.Read `json:"reads"`
	// Target is what was judged, before findings were exempted and without their causes.
	Target report.Target `json:"target"`
	// Findings are those that were left, with their causes, and Searched says of each
	// whether these were looked for.
	Findings []report.Finding `json:"findings"`
	Searched []bool           `json:"searched"`
	// WithoutCauses says that there is nothing to look into for any.
	WithoutCauses bool `json:"withoutCauses,omitempty"`
}

// Cache is a folder with verdicts. Several processes may use one at once.
type Cache struct{ dir string }

// most is how many verdicts are kept for a key: those of some branches.
const most = 4

// maxBytes bounds a file.
const maxBytes = 16 << 20

// Open opens the cache in a folder, which it makes if need be. It is an error when that
// cannot be written to.
func Open(dir string) (*Cache, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open verdict cache: %w", err)
	}
	probe, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return nil, fmt.Errorf("open verdict cache: %w", err)
	}
	err = errors.Join(probe.Close(), os.Remove(probe.Name()))
	if err != nil {
		return nil, fmt.Errorf("open verdict cache: %w", err)
	}
	return &Cache{dir}, nil
}

// file is the file of a key, which is in hexadecimal digits.
func (c *Cache) file(key string) string { return filepath.Join(c.dir, key[:2], key+".verdict") }

// Get returns the verdicts that are kept for a key, the newest first. What cannot be read
// is not there. Trim leaves what was asked for.
func (c *Cache) Get(key string) []Verdict {
	file := c.file(key)
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxBytes {
		return nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	head, text, ok := bytes.Cut(data, []byte("\n"))
	if !ok || string(head) != header(text) {
		return nil
	}
	var verdicts []Verdict
	if err := json.Unmarshal(text, &verdicts); err != nil {
		return nil
	}
	if now := time.Now(); now.Sub(info.ModTime()) > 24*time.Hour {
		_ = os.Chtimes(file, now, now) // it is trimmed too early then, and made again
	}
	return verdicts
}

// header is the first line of a file, by which a file that is not whole is known.
func header(text []byte) string {
	return fmt.Sprintf("nevermigrate verdict %d %s", format, report.Digest(text))
}

// Faithful reports whether a verdict is the same when it is read again, and returns it as
// text. Of bytes that are no UTF-8 JSON makes something else.
func Faithful(v Verdict) (text string, ok bool) {
	data, err := json.Marshal(v)
	if err != nil || bytes.Contains(data, []byte(`\ufffd`)) {
		return "", false
	}
	var read Verdict
	if json.Unmarshal(data, &read) != nil {
		return "", false
	}
	again, err := json.Marshal(read)
	return string(data), err == nil && bytes.Equal(data, again)
}

// Put keeps a verdict for a key, as a whole or not at all, in place of one for which the
// same was read.
func (c *Cache) Put(key string, v Verdict) error {
	verdicts := slices.DeleteFunc(c.Get(key), func(o Verdict) bool { return slices.Equal(o.Reads, v.Reads) })
	verdicts = append([]Verdict{v}, verdicts...)
	verdicts = verdicts[:min(most, len(verdicts))]
	text, err := json.Marshal(verdicts)
	if err != nil {
		return fmt.Errorf("write verdict cache: %w", err)
	}
	file := c.file(key)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("write verdict cache: %w", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(file), ".new-*")
	if err != nil {
		return fmt.Errorf("write verdict cache: %w", err)
	}
	defer os.Remove(temporary.Name()) // it is gone when all went well
	_, err = temporary.Write(append([]byte(header(text)+"\n"), text...))
	err = errors.Join(err, temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("write verdict cache: %w", err)
	}
	return nil
}

// keepUnused is how long a verdict stays that nobody uses.
const keepUnused = 30 * 24 * time.Hour

// Trim removes what was not used for a month, once a day. What cannot be removed stays.
func (c *Cache) Trim(now time.Time) {
	mark := filepath.Join(c.dir, "trimmed")
	if info, err := os.Stat(mark); err == nil && now.Sub(info.ModTime()) < 24*time.Hour {
		return
	}
	if os.WriteFile(mark, nil, 0o644) != nil || os.Chtimes(mark, now, now) != nil {
		return
	}
	folders, _ := os.ReadDir(c.dir)
	for _, folder := range folders {
		if !folder.IsDir() || len(folder.Name()) != 2 {
			continue
		}
		files, _ := os.ReadDir(filepath.Join(c.dir, folder.Name()))
		for _, file := range files {
			ours := strings.HasSuffix(file.Name(), ".verdict") || strings.HasPrefix(file.Name(), ".new-")
			if info, err := file.Info(); err == nil && ours && now.Sub(info.ModTime()) > keepUnused {
				_ = os.Remove(filepath.Join(c.dir, folder.Name(), file.Name()))
			}
		}
	}
}
