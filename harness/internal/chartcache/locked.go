package chartcache

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"github.com/proompteng/nevermigrate/harness/internal/chartlock"
	"github.com/proompteng/nevermigrate/harness/internal/render"
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

func (l *Locked) open(ref render.ChartRef) (string, error) {
	lock, err := l.lock()
	if err != nil {
		return "", err
	}
	chart, ok := lock.Find(ref)
	if !ok {
		return "", fmt.Errorf("%s is %w in %s", ref, render.ErrNotLocked, filepath.ToSlash(l.file))
	}
	place := fmt.Sprintf("%s:%d", filepath.ToSlash(l.file), chart.Line)
	archive, err := l.cache.Read(chart.SHA256)
	var differs *DigestError
	switch {
	case errors.Is(err, ErrAbsent):
		return "", fmt.Errorf("%s is in %s, and not in the cache %s: run `nevermigrate vendor`, which uses the network", ref, place, l.cache.Dir)
	case errors.As(err, &differs):
		return "", fmt.Errorf("%s is not the one of %s: the SHA-256 of %s is %s, and the lock says %s: somebody changed the cache; remove the file and run `nevermigrate vendor`", ref, place, differs.File, differs.Is, differs.Should)
	case err != nil:
		return "", fmt.Errorf("%s of %s: %w", ref, place, err)
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
