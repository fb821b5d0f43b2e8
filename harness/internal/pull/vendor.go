package pull

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/proompteng/nevermigrate/harness/internal/chartcache"
	"github.com/proompteng/nevermigrate/harness/internal/chartlock"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Vendor gives charts to whoever renders, as chartcache.Locked does, and downloads those
// that the cache does not have. It remembers what was asked for. It implements
// render.ChartStore. It is to be closed.
type Vendor struct {
	chartcache.Folders
	client *Client
	cache  chartcache.Cache
	file   string
	before *chartlock.Lock
	update bool

	mu    sync.Mutex
	calls map[render.ChartRef]func() (string, error)
	used  []Chart
}

// State is what was done about a chart.
type State string

// The states of a chart.
const (
	Downloaded State = "downloaded"
	Cached     State = "in the cache"
	// Updated is a chart that the lock has with another digest.
	Updated State = "updated"
)

// Chart is a chart that was asked for.
type Chart struct {
	render.ChartRef
	SHA256 string
	State  State
}

// NewVendor reads the lock in a file, which need not be there. With update, each chart
// is downloaded again, and may be another one than the lock says.
func NewVendor(file string, cache chartcache.Cache, client *Client, update bool) (*Vendor, error) {
	before, err := chartlock.Read(file)
	if err != nil {
		return nil, err
	}
	v := &Vendor{client: client, cache: cache, file: file, before: before, update: update, calls: map[render.ChartRef]func() (string, error){}}
	v.Lock = file
	return v, nil
}

// Chart implements render.ChartStore.
func (v *Vendor) Chart(ctx context.Context, ref render.ChartRef) (string, error) {
	ref = ref.Normal()
	v.mu.Lock()
	call, ok := v.calls[ref]
	if !ok {
		call = sync.OnceValues(func() (string, error) { return v.chart(ctx, ref) })
		v.calls[ref] = call
	}
	v.mu.Unlock()
	return call()
}

func (v *Vendor) chart(ctx context.Context, ref render.ChartRef) (string, error) {
	if problem := chartlock.Problem(ref); problem != "" {
		return "", errors.New(problem)
	}
	chart, archive, err := v.archive(ctx, ref)
	if err != nil {
		return "", err
	}
	// What does not unpack is not kept.
	folder, err := v.Unpack(ref, archive)
	if err != nil {
		return "", err
	}
	if _, err := v.cache.Write(archive); err != nil {
		return "", err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.used = append(v.used, chart)
	return folder, nil
}

// archive is that of the cache, or else it is downloaded.
func (v *Vendor) archive(ctx context.Context, ref render.ChartRef) (Chart, []byte, error) {
	chart := Chart{ref, "", Downloaded}
	locked, isLocked := v.before.Find(ref)
	if isLocked && !v.update {
		archive, err := v.cache.Read(locked.SHA256)
		var differs *chartcache.DigestError
		switch {
		case err == nil:
			chart.SHA256, chart.State = locked.SHA256, Cached
			return chart, archive, nil
		case !errors.Is(err, chartcache.ErrAbsent) && !errors.As(err, &differs):
			return chart, nil, err
		}
	}
	archive, err := v.client.Pull(ctx, ref)
	if err != nil {
		return chart, nil, err
	}
	chart.SHA256 = report.Digest(archive)
	if isLocked && chart.SHA256 != locked.SHA256 {
		if !v.update {
			return chart, nil, fmt.Errorf("%s is not the one of %s:%d any more: its SHA-256 is %s, and the lock says %s: find out who changed it; --update takes it as it is now", ref, filepath.ToSlash(v.file), locked.Line, chart.SHA256, locked.SHA256)
		}
		chart.State = Updated
	}
	return chart, archive, nil
}

// Used implements render.ChartStore. A report is not made of this.
func (*Vendor) Used() (file, sha256 string) { return "", "" }

// Charts are those that were asked for and are there now, in the order of the lock.
func (v *Vendor) Charts() []Chart {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.SortedFunc(slices.Values(v.used), func(a, b Chart) int {
		return cmp.Or(cmp.Compare(a.Repo, b.Repo), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
}

// Write writes the lock with the charts that were asked for. Whole says that no other
// chart is used: then the others are dropped, and returned. Otherwise they stay.
func (v *Vendor) Write(whole bool) (dropped []chartlock.Chart, changed bool, err error) {
	used := v.Charts()
	change := func(l *chartlock.Lock) error {
		dropped = nil
		isUsed := func(c chartlock.Chart) bool {
			return slices.ContainsFunc(used, func(u Chart) bool { return u.ChartRef == c.ChartRef })
		}
		kept := []chartlock.Chart{}
		for _, c := range l.Charts {
			_, wasThere := v.before.Find(c.ChartRef)
			switch {
			case isUsed(c):
			case whole && wasThere:
				dropped = append(dropped, c)
			default:
				kept = append(kept, c)
			}
		}
		for _, u := range used {
			before, _ := v.before.Find(u.ChartRef)
			if now, ok := l.Find(u.ChartRef); ok && now.SHA256 != u.SHA256 && now.SHA256 != before.SHA256 {
				return fmt.Errorf("%s: somebody else wrote %s meanwhile, with another digest: run vendor once more", filepath.ToSlash(v.file), u.ChartRef)
			}
			kept = append(kept, chartlock.Chart{ChartRef: u.ChartRef, SHA256: u.SHA256})
		}
		l.Charts = kept
		return nil
	}
	const tries = 50
	for i := 0; ; i++ {
		changed, err = chartlock.Update(v.file, change)
		if !errors.Is(err, chartlock.ErrBusy) || i == tries {
			return dropped, changed, err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Locked downloads what the lock names and the cache does not have.
func (v *Vendor) Locked(ctx context.Context) ([]Chart, error) {
	var group errgroup.Group
	group.SetLimit(atOnce)
	errs := make([]error, len(v.before.Charts))
	for i, chart := range v.before.Charts {
		group.Go(func() error {
			if _, err := v.Chart(ctx, chart.ChartRef); err != nil {
				errs[i] = fmt.Errorf("%s:%d: %w", filepath.ToSlash(v.file), chart.Line, err)
			}
			return nil
		})
	}
	_ = group.Wait() // each has its error
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return v.Charts(), nil
}

// atOnce is how many charts are downloaded at the same time.
const atOnce = 4
