// Package chartcache holds the archives of charts that were downloaded, by their
// SHA-256, and gives those that a lock names to whoever renders. It never uses the
// network, and it believes no file that it has not verified in the same process.
package chartcache

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"

	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Bounds of an archive. What it unpacks to is bounded by Helm.
const (
	MaxBytes   = render.DefaultMaxBytes
	maxEntries = 20_000
	maxUnpacks = 128 << 20
)

// Cache is a folder with archives. Several processes may use one at once.
type Cache struct {
	// Dir is the folder; empty: there is none.
	Dir string
}

// Default is the folder of the user's cache; empty when the user has none.
func Default() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "nevermigrate", "charts")
}

// ErrAbsent says that a cache does not have an archive.
var ErrAbsent = errors.New("the cache does not have it")

// DigestError says that an archive is not what it should be.
type DigestError struct{ File, Is, Should string }

// Error implements error.
func (e *DigestError) Error() string {
	return fmt.Sprintf("%s: its SHA-256 is %s and should be %s", e.File, e.Is, e.Should)
}

// errNoDir says that there is no folder.
var errNoDir = errors.New("there is no cache folder of a user here: name a folder with --cache")

// File is the file of an archive.
func (c Cache) File(digest string) string { return filepath.Join(c.Dir, "sha256", digest+".tgz") }

// Read reads an archive and verifies it. Its error is an ErrAbsent, a *DigestError, or
// that of reading.
func (c Cache) Read(digest string) ([]byte, error) {
	if c.Dir == "" {
		return nil, errNoDir
	}
	file := c.File(digest)
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, ErrAbsent
	case err != nil:
		return nil, fmt.Errorf("read cache: %w", err)
	case !info.Mode().IsRegular() || info.Size() > MaxBytes:
		return nil, fmt.Errorf("read cache: %s: it is no file of at most %d bytes: remove it", file, int64(MaxBytes))
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read cache: %w", err)
	}
	if is := report.Digest(data); is != digest {
		return nil, &DigestError{file, is, digest}
	}
	return data, nil
}

// Write puts an archive into the cache, as a whole or not at all, and returns its
// digest.
func (c Cache) Write(data []byte) (digest string, err error) {
	if c.Dir == "" {
		return "", errNoDir
	}
	digest = report.Digest(data)
	if _, err := c.Read(digest); err == nil {
		return digest, nil
	}
	file := c.File(digest)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", fmt.Errorf("write cache: %w", err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(file), ".new-*")
	if err != nil {
		return "", fmt.Errorf("write cache: %w", err)
	}
	defer os.Remove(temporary.Name()) // it is gone when all went well
	_, err = temporary.Write(data)
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), file)
	}
	if err != nil {
		return "", fmt.Errorf("write cache: %w", err)
	}
	return digest, nil
}

// Folders holds unpacked charts in a temporary folder. The zero value is ready to use,
// by several goroutines at once, and is to be closed.
type Folders struct {
	// Lock is the file by which paths in charts are shown.
	Lock string

	mu    sync.Mutex
	dir   string
	shown map[string]string // by the folders
}

// Close removes the folders.
func (f *Folders) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dir != "" {
		_ = os.RemoveAll(f.dir)
	}
	f.dir, f.shown = "", nil
}

// Unpack unpacks an archive, and returns the folder of the chart, which has the chart's
// name. An archive that has another chart, is too large, or holds anything but files
// in one folder, is an error.
func (f *Folders) Unpack(ref render.ChartRef, archive []byte) (string, error) {
	if err := scan(archive); err != nil {
		return "", fmt.Errorf("unpack %s: %w", ref, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dir == "" {
		dir, err := os.MkdirTemp("", "nevermigrate-charts-")
		if err == nil {
			f.dir, err = filepath.EvalSymlinks(dir)
		}
		if err != nil {
			return "", fmt.Errorf("make folder for charts: %w", err)
		}
		f.shown = map[string]string{}
	}
	dir, err := os.MkdirTemp(f.dir, "chart-")
	if err != nil {
		return "", fmt.Errorf("make folder for a chart: %w", err)
	}
	if err := chartutil.Expand(dir, bytes.NewReader(archive)); err != nil {
		return "", fmt.Errorf("unpack %s: %w", ref, err)
	}
	folder := filepath.Join(dir, ref.Name)
	if !render.IsChart(folder) {
		return "", fmt.Errorf("unpack %s: the archive has a chart of another name", ref)
	}
	f.shown[folder] = fmt.Sprintf("%s!/%s-%s", filepath.ToSlash(f.Lock), ref.Name, ref.Version)
	return folder, nil
}

// Shown implements render.ChartStore.
func (f *Folders) Shown(path string) (string, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for folder := path; f.dir != "" && len(folder) > len(f.dir); folder = filepath.Dir(folder) {
		if shown, ok := f.shown[folder]; ok {
			return shown + filepath.ToSlash(path[len(folder):]), true
		}
	}
	return "", false
}

// ShownMessage implements render.ChartStore.
func (f *Folders) ShownMessage(message string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	for folder, shown := range f.shown { // none of them is in another one
		message = strings.ReplaceAll(message, folder, shown)
	}
	return message
}

// scan refuses an archive that is not worth unpacking. Helm, which unpacks it, refuses
// names that lead out of the folder, and too much text.
func scan(archive []byte) error {
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return fmt.Errorf("read archive: %w", err)
	}
	limited := &io.LimitedReader{R: unzipped, N: maxUnpacks}
	reader := tar.NewReader(limited)
	for entries := 0; ; entries++ {
		header, err := reader.Next()
		if limited.N <= 0 {
			return fmt.Errorf("the archive unpacks to more than %d bytes", maxUnpacks)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read archive: %w", err)
		}
		if entries >= maxEntries {
			return fmt.Errorf("the archive has more than %d entries", maxEntries)
		}
		switch header.Typeflag {
		case tar.TypeReg, tar.TypeDir, tar.TypeXGlobalHeader:
		default:
			return fmt.Errorf("%s in the archive is neither a file nor a folder", header.Name)
		}
	}
}
