package chartcache

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/proompteng/nevermigrate/harness/internal/chartlock"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Locked gives the charts that a lock names, from a cache. It implements
// render.ChartStore. It is to be closed.
type Locked struct {
	Folders
	cache Cache
	file  string
	lock  func() (*chartlock.Lock, error)

	mu     sync.Mutex
	charts map[render.ChartRef]func() (string, error)
	used   bool
}

// New is what gives the charts of the lock in a file, which need not be there. Nothing
// is read before a chart is asked for. A file of another side of a comparison is shown
// as the file it stands for.
func New(file, shown string, cache Cache) *Locked {
	l := &Locked{cache: cache, file: shown, charts: map[render.ChartRef]func() (string, error){}}
	l.Lock = shown
	l.lock = sync.OnceValues(func() (*chartlock.Lock, error) { return chartlock.Read(file) })
	return l
}

// Chart implements render.ChartStore. An error says what is wrong, and what to do: the
// lock cannot be read, does not have the chart, or the cache does not have it, or has
// another one.
func (l *Locked) Chart(_ context.Context, ref render.ChartRef) (string, error) {
	ref = ref.Normal()
	l.mu.Lock()
	open, ok := l.charts[ref]
	if !ok {
		open = sync.OnceValues(func() (string, error) { return l.open(ref) })
		l.charts[ref] = open
	}
	l.mu.Unlock()
	return open()
}

// archive is a chart of the lock, from the cache.
func (l *Locked) archive(ref render.ChartRef) ([]byte, error) {
	lock, err := l.lock()
	if err != nil {
		return nil, err
	}
	chart, ok := lock.Find(ref)
	if !ok {
		return nil, fmt.Errorf("%s is %w in %s", ref, render.ErrNotLocked, filepath.ToSlash(l.file))
	}
	place := fmt.Sprintf("%s:%d", filepath.ToSlash(l.file), chart.Line)
	archive, err := l.cache.Read(chart.SHA256)
	var differs *DigestError
	switch {
	case errors.Is(err, ErrAbsent):
		return nil, fmt.Errorf("%s is in %s, and not in the cache %s: run `nevermigrate vendor`, which uses the network", ref, place, l.cache.Dir)
	case errors.As(err, &differs):
		return nil, fmt.Errorf("%s is not the one of %s: the SHA-256 of %s is %s, and the lock says %s: somebody changed the cache; remove the file and run `nevermigrate vendor`", ref, place, differs.File, differs.Is, differs.Should)
	case err != nil:
		return nil, fmt.Errorf("%s of %s: %w", ref, place, err)
	}
	return archive, nil
}

// Digest is the SHA-256 of the archive of a chart, or an error as of Chart. It unpacks
// nothing, and does not count as used.
func (l *Locked) Digest(ref render.ChartRef) (string, error) {
	archive, err := l.archive(ref.Normal())
	if err != nil {
		return "", err
	}
	return report.Digest(archive), nil
}

// Use says that a chart of the lock decided something, though it was not asked for.
func (l *Locked) Use() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used = true
}

func (l *Locked) open(ref render.ChartRef) (string, error) {
	archive, err := l.archive(ref)
	if err != nil {
		return "", err
	}
	folder, err := l.Unpack(ref, archive)
	if err != nil {
		return "", err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used = true
	return folder, nil
}

// Used implements render.ChartStore.
func (l *Locked) Used() (file, sha256 string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.used {
		return "", ""
	}
	lock, err := l.lock()
	if err != nil { // it was read, so this cannot be
		return "", ""
	}
	return filepath.ToSlash(l.file), lock.SHA256
}
