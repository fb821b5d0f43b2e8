package check

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/proompteng/nevermigrate/harness/internal/argocd"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/find"
	"github.com/proompteng/nevermigrate/harness/internal/reads"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/internal/verdictcache"
	"github.com/proompteng/nevermigrate/harness/internal/version"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Verdicts are kept, each with what was read for it, so that a target of which all is the
// same need not be judged again: in memory, for the sides of a comparison, and in a
// folder from run to run. It is safe for concurrent use.
//
// What is in doubt is judged: a target that could not be judged, that renders what makes
// others, whose causes could not be found to the end, or of which something was read that
// no log sees.
type Verdicts struct {
	cache *verdictcache.Cache
	// program is this program.
	program string
	// remembers says that verdicts are kept in memory.
	remembers bool

	mu     sync.Mutex
	inRun  map[string][]verdictcache.Verdict
	reused int
	loaded map[string]func() ([]*evaluate.Evaluator, error)
	failed error
}

// Reused is how many targets were not judged, in all runs so far.
func (v *Verdicts) Reused() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.reused
}

// NewVerdicts keeps verdicts in a folder, which is made if need be; without one they are
// kept in memory. It is an error when the folder cannot be written to, or when the program
// cannot tell which it is.
func NewVerdicts(dir string) (*Verdicts, error) { return openVerdicts(dir, programDigest) }

// openVerdicts is NewVerdicts of the program that a function tells.
func openVerdicts(dir string, program func() (string, error)) (*Verdicts, error) {
	v := &Verdicts{remembers: dir == "", inRun: map[string][]verdictcache.Verdict{}, loaded: map[string]func() ([]*evaluate.Evaluator, error){}}
	if dir == "" {
		return v, nil
	}
	var err error
	if v.cache, err = verdictcache.Open(dir); err != nil {
		return nil, err
	}
	if v.program, err = program(); err != nil {
		return nil, fmt.Errorf("keep verdicts: read this program, to know one of another version: %w", err)
	}
	return v, nil
}

// Remember keeps verdicts in memory, too, for another side of a comparison.
func (v *Verdicts) Remember() { v.remembers = true }

// programDigest tells the program that runs from any other: by the build ID that Go's
// linker gives it, a digest of all that it is built of, or else by the SHA-256 of the file.
// Its version alone would be the same for two builds of changed source.
func programDigest() (string, error) {
	program, err := os.Open("/proc/self/exe") // also when the file was replaced
	if err != nil {
		name, nameErr := os.Executable()
		if nameErr != nil {
			return "", nameErr
		}
		if program, err = os.Open(name); err != nil {
			return "", err
		}
	}
	defer program.Close()
	head := make([]byte, 32<<10)
	if _, err := io.ReadFull(program, head); err == nil {
		if id := buildID(head); id != "" {
			return id, nil
		}
	}
	if _, err := program.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, program); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// buildID is the Go build ID of a program in the ELF format, of which the head is given;
// empty when it cannot be found there. See cmd/internal/buildid.
func buildID(head []byte) string {
	note := []byte("\x04\x00\x00\x00Go\x00\x00") // its type and its name
	at := bytes.Index(head, note)
	if !bytes.HasPrefix(head, []byte("\x7fELF")) || at < 4 {
		return ""
	}
	size, from := int(binary.LittleEndian.Uint32(head[at-4:])), at+len(note)
	if size > len(head)-from || size < 64 { // an ID that somebody set tells no programs apart
		return ""
	}
	return string(head[from : from+size])
}

// evaluators are those that a function loads, once for all runs with a policy and
// constraints: both sides of a comparison are judged by the same.
func (v *Verdicts) evaluators(o Options, load func() ([]*evaluate.Evaluator, error)) ([]*evaluate.Evaluator, error) {
	key := fmt.Sprintf("%q %+v %q", o.Policy, o.Verification, o.Constraints)
	v.mu.Lock()
	once, ok := v.loaded[key]
	if !ok {
		once = sync.OnceValues(load)
		v.loaded[key] = once
	}
	v.mu.Unlock()
	return once()
}

// Close trims the folder. Its error is why verdicts of the run are not in there: they are
// made again then.
func (v *Verdicts) Close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.cache != nil {
		v.cache.Trim(time.Now())
	}
	return v.failed
}

// keeper keeps the verdicts of one run.
type keeper struct {
	*Verdicts
	run json.RawMessage // what goes into each verdict of the run
	// workDir is from where paths are seen; an error is why nobody knows.
	workDir    string
	workDirErr error
	// paths are texts that no verdict may hold: they are not the same in another run.
	paths []string

	mu      sync.Mutex
	disks   map[string]*reads.Disk
	found   map[string]*verdictcache.Verdict
	pending []pending
	// hits counts the targets that were not judged.
	hits int
}

// pending is a verdict that is not in the folder yet.
type pending struct {
	key     string
	disk    *reads.Disk
	verdict verdictcache.Verdict
}

// newKeeper is what keeps the verdicts of a run by some evaluators; nil when nothing does.
// A helm command reads by itself, and a trace is to show each evaluation.
func (o Options) newKeeper(evaluators []*evaluate.Evaluator) (*keeper, error) {
	if o.Verdicts == nil || o.Render.HelmCommand != "" || o.Trace != nil {
		return nil, nil
	}
	k := &keeper{Verdicts: o.Verdicts, disks: map[string]*reads.Disk{}, found: map[string]*verdictcache.Verdict{}}
	k.workDir, k.workDirErr = o.workDir()
	type constraint struct{ Name, SHA256 string }
	run := struct {
		Program, Version, Policy, PolicyVersion string
		Constraints                             []constraint
		AllowAbsent, ArgoCD                     bool
		KubeVersion                             string
		APIVersions                             []string
		Timeout                                 time.Duration
		MaxBytes                                int64
		MaxMemory                               uint64
		WithoutHelm, LoadAnywhere               bool
		Release                                 render.Release
	}{
		Program: o.Verdicts.program, Version: version.Program().Version, AllowAbsent: o.AllowAbsent, ArgoCD: o.ArgoCD != nil,
		KubeVersion: o.Render.KubeVersion, APIVersions: o.Render.APIVersions, Timeout: o.Render.Timeout, MaxBytes: o.Render.MaxBytes,
		MaxMemory: o.Render.MaxMemory, WithoutHelm: o.Render.WithoutHelm, LoadAnywhere: o.Render.LoadAnywhere, Release: o.Release,
	}
	source, err := evaluators[0].Policy().Source()
	if err != nil {
		return nil, err
	}
	run.Policy, run.PolicyVersion = source.SHA256, source.Version
	for _, evaluator := range evaluators {
		if c := evaluator.Constraint(); c != nil {
			run.Constraints = append(run.Constraints, constraint{c.Name, c.SHA256})
			k.paths = append(k.paths, find.DisplayPath(c.File))
		}
	}
	k.run, err = json.Marshal(run)
	return k, err
}

// base is the folder of which the paths in a verdict are; empty when there is none.
func (o Options) base(t find.Target) (string, error) {
	if o.Render.Root != "" {
		return o.Render.Root, nil
	}
	absolute, err := filepath.Abs(filepath.FromSlash(t.Path))
	return render.WorkTree(absolute), err
}

// disk is what is below the folder of a target.
func (k *keeper) disk(base string, o Options) *reads.Disk {
	k.mu.Lock()
	defer k.mu.Unlock()
	disk, ok := k.disks[base]
	if !ok {
		var chart func(string) string
		if charts, ok := o.Render.Charts.(chartDigests); ok {
			chart = func(name string) string {
				var ref render.ChartRef
				if err := json.Unmarshal([]byte(name), &ref); err != nil {
					return err.Error()
				}
				digest, err := charts.Digest(ref)
				if err != nil {
					return err.Error()
				}
				return digest
			}
		}
		disk = reads.NewDisk(base, chart)
		k.disks[base] = disk
	}
	return disk
}

// chartDigests tells which charts there are, without unpacking them.
type chartDigests interface {
	Digest(render.ChartRef) (string, error)
	// Use says that one was used.
	Use()
}

// workDir is the folder from which paths are seen.
func (o Options) workDir() (string, error) {
	if o.WorkDir != "" {
		return o.WorkDir, nil
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(dir)
}

// key is what all goes into the verdict on a target, but for what is read; not ok is one
// of which nobody keeps a verdict.
func (k *keeper) key(t find.Target, o Options) (key string, disk *reads.Disk, ok bool) {
	if k == nil || t.Kind == find.StandardInput || t.Kind == find.Missing {
		return "", nil, false
	}
	base, err := o.base(t)
	if err != nil {
		return "", nil, false
	}
	if k.workDirErr != nil {
		return "", nil, false
	}
	disk = k.disk(base, o)
	what := struct {
		Run                 json.RawMessage
		Rooted, Required    bool
		WorkDir, Path, Kind string
		Files               []string
		Application         any
	}{Run: k.run, Rooted: base != "", Required: t.Required, WorkDir: disk.Relative(k.workDir), Path: disk.Relative(t.Path), Kind: string(t.Kind)}
	for _, file := range t.Files {
		what.Files = append(what.Files, disk.Relative(file))
	}
	if a, ok := t.By.(*argocd.Application); ok {
		d := o.deploys
		one := struct {
			Object, World any
			Folders       []string
			File, By      string
			Made          bool
			Live          []string
		}{Object: a.Application, World: d.world.Facts(), By: a.By(), Made: a.IsMade()}
		for _, folder := range a.Folders {
			one.Folders = append(one.Folders, disk.Relative(folder))
		}
		if a.File() != "" {
			one.File = disk.Relative(a.File())
		}
		for _, l := range d.live[t.Path] {
			one.Live = append(one.Live, fmt.Sprintf("%s %+v", l.what, l.place))
		}
		what.Application = one
	}
	text, err := json.Marshal(what)
	if err != nil {
		return "", nil, false
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), disk, true
}

// known is the verdict on a target for which the same was read as is there now, or nil.
func (k *keeper) known(t find.Target, o Options) *verdictcache.Verdict {
	key, disk, ok := k.key(t, o)
	if !ok {
		return nil
	}
	k.mu.Lock()
	known, isFound := k.found[key]
	k.mu.Unlock()
	if isFound {
		return known
	}
	k.Verdicts.mu.Lock()
	all := slices.Clone(k.inRun[key])
	k.Verdicts.mu.Unlock()
	if k.cache != nil {
		all = append(all, k.cache.Get(key)...)
	}
	if i := slices.IndexFunc(all, func(v verdictcache.Verdict) bool { return disk.Has(v.Reads) }); i >= 0 {
		known = &all[i]
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.found[key] = known
	return known
}

// lookUp looks up what is known of targets, several at the same time.
func (o Options) lookUp(targets []find.Target) {
	if o.keeper == nil {
		return
	}
	var group errgroup.Group
	group.SetLimit(o.jobs())
	for _, t := range targets {
		group.Go(func() error {
			o.keeper.known(t, o)
			return nil
		})
	}
	_ = group.Wait() // there is none
}

// again is a target that is not judged again: with what is known of it, by what passes
// today. It is not ok when more is asked of it than is known.
func (k *keeper) again(t find.Target, judged report.Target, o Options) (again report.Target, ok bool) {
	known := k.known(t, o)
	if known == nil {
		return again, false
	}
	again = known.Target
	again.Findings = slices.Clone(known.Target.Findings)
	again.Path, again.Chain = judged.Path, judged.Chain
	o.exempt(&again)
	if wanted := o.wanted(again, known.WithoutCauses); slices.Contains(wanted, true) {
		if !slices.Equal(wanted, known.Searched) || !slices.EqualFunc(again.Findings, known.Findings, sameButCauses) {
			return report.Target{}, false
		}
		again.Findings = slices.Clone(known.Findings)
	}
	for _, read := range known.Reads {
		if charts, ok := o.Render.Charts.(chartDigests); ok && read.Kind == reads.Chart {
			charts.Use()
		}
	}
	k.mu.Lock()
	k.hits++
	k.mu.Unlock()
	k.Verdicts.mu.Lock()
	k.reused++
	k.Verdicts.mu.Unlock()
	return again, true
}

// wanted says of each finding whether its causes are looked for.
func (o Options) wanted(judged report.Target, withoutCauses bool) []bool {
	wanted := make([]bool, len(judged.Findings))
	for i, f := range judged.Findings {
		wanted[i] = !o.WithoutCauses && !withoutCauses && len(f.Causes) == 0
	}
	return wanted
}

// sameButCauses reports whether two findings are the same but for how they came about.
func sameButCauses(a, b report.Finding) bool {
	b.Causes, b.Overridden, b.Fix, b.CausesTruncated, b.CausesError = a.Causes, a.Overridden, a.Fix, a.CausesTruncated, a.CausesError
	return reflect.DeepEqual(a, b)
}

// watched are options by which all that is read for a target is noted.
func (o Options) watched(t find.Target) Options {
	if _, disk, ok := o.keeper.key(t, o); ok {
		return o.by(reads.NewLog(disk))
	}
	return o
}

// by are options by which a log notes what is read.
func (o Options) by(log *reads.Log) Options {
	if log == nil {
		return o
	}
	o.Render.Reads = log
	if o.Render.Charts != nil {
		o.Render.Charts = loggedCharts{o.Render.Charts, log}
	}
	return o
}

// loggedCharts are charts of which a log notes those that are asked for.
type loggedCharts struct {
	render.ChartStore
	log *reads.Log
}

// Chart implements render.ChartStore.
func (c loggedCharts) Chart(ctx context.Context, ref render.ChartRef) (string, error) {
	name, err := json.Marshal(ref.Normal())
	if err != nil {
		return "", err
	}
	c.log.Chart(string(name))
	folder, err := c.ChartStore.Chart(ctx, ref)
	if err == nil {
		c.log.Ignore(folder)
	}
	return folder, err
}

// manyPending is how many verdicts are kept in memory before they go to the folder.
const manyPending = 512

// keep keeps the verdict on a target: as it was judged before findings were exempted, and
// as it is.
func (k *keeper) keep(t find.Target, before, judged report.Target, searched []bool, withoutCauses bool, o Options) {
	log := o.Render.Reads
	if k == nil || log == nil || judged.Error != "" {
		return
	}
	isOpen := func(f report.Finding) bool { return f.CausesError != "" || f.CausesTruncated }
	if slices.ContainsFunc(judged.Findings, isOpen) {
		return
	}
	if a, ok := t.By.(*argocd.Application); ok && slices.Contains(searched, true) && (a.IsMade() || a.By() != "") {
		return // what makes the Application was tried with changes, and is not in the log
	}
	key, disk, ok := k.key(t, o)
	if !ok {
		return
	}
	v := verdictcache.Verdict{Target: before, Findings: slices.Clone(judged.Findings), Searched: searched, WithoutCauses: withoutCauses}
	v.Target.Path, v.Target.Chain, v.Target.Note = "", nil, judged.Note
	if v.Reads, ok = log.Reads(); !ok {
		return
	}
	text, ok := verdictcache.Faithful(v)
	if !ok || k.holdsPath(text, o) {
		return
	}
	if k.remembers {
		k.Verdicts.mu.Lock()
		k.inRun[key] = append(k.inRun[key], v)
		k.Verdicts.mu.Unlock()
	}
	if k.cache == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pending = append(k.pending, pending{key, disk, v})
	if len(k.pending) >= manyPending {
		k.flush()
	}
}

// holdsPath reports whether a verdict holds a path that is not that of another checkout.
func (k *keeper) holdsPath(text string, o Options) bool {
	paths := slices.Clone(k.paths)
	k.mu.Lock()
	defer k.mu.Unlock()
	for base := range k.disks {
		if base != "" {
			paths = append(paths, base)
		}
	}
	if o.WorkDir != "" {
		paths = append(paths, filepath.Base(o.Render.Root))
	}
	return slices.ContainsFunc(paths, func(path string) bool { return strings.Contains(text, path) })
}

// flush writes what is pending to the folder: what is there as it was when it was read.
func (k *keeper) flush() {
	fresh := map[*reads.Disk]*reads.Disk{}
	for _, p := range k.pending {
		if fresh[p.disk] == nil {
			fresh[p.disk] = p.disk.Fresh()
		}
		if !fresh[p.disk].Has(p.verdict.Reads) {
			continue
		}
		if err := k.cache.Put(p.key, p.verdict); err != nil {
			k.Verdicts.mu.Lock()
			k.failed = err
			k.Verdicts.mu.Unlock()
		}
	}
	k.pending = nil
}

// finish writes what is left, and says how many targets were not judged.
func (k *keeper) finish(r *report.Report) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.flush(); k.cache != nil {
		hits := k.hits
		r.Summary.Cached = &hits
	}
}
