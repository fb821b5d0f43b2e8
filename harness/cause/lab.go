package cause

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/proompteng/nevermigrate/harness/evaluate"
	"github.com/proompteng/nevermigrate/harness/manifest"
	"github.com/proompteng/nevermigrate/harness/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// errBound says that no more experiments may be made.
var errBound = errors.New("the bound on renderings was reached")

// lab makes experiments with one app: it renders the app with a change and
// keeps the workloads. No file is written.
type lab struct {
	dir        string
	options    render.Options
	evaluators []*evaluate.Evaluator
	deadline   time.Time

	// below are changes that stand under those of every experiment.
	below map[string][]byte

	renders int // of all findings
	left    int // of this finding
	known   map[[sha256.Size]byte]*world
}

// world is what is rendered from the app, as it is or after a change.
type world struct {
	err     error
	objects []manifest.Object // that may be workloads
}

// try renders the app with edits.
func (l *lab) try(ctx context.Context, edits ...edit) (*world, error) {
	files, err := overlay(edits)
	if err != nil {
		return &world{err: err}, nil
	}
	return l.render(ctx, files)
}

func (l *lab) render(ctx context.Context, files map[string][]byte) (*world, error) {
	if len(l.below) > 0 {
		merged := maps.Clone(l.below)
		maps.Copy(merged, files)
		files = merged
	}
	hash := sha256.New()
	for _, file := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(hash, "%d:%s%d:", len(file), file, len(files[file]))
		hash.Write(files[file])
	}
	key := [sha256.Size]byte(hash.Sum(nil))
	if known, ok := l.known[key]; ok {
		return known, nil
	}
	if l.left <= 0 || time.Now().After(l.deadline) {
		return nil, errBound
	}
	l.left--
	l.renders++
	options := l.options
	options.Overlay = files
	objects, err := render.Objects(ctx, l.dir, options)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	w := &world{err: err}
	for i, content := range objects {
		if kind, _ := content["kind"].(string); mayBeWorkload(kind) {
			w.objects = append(w.objects, manifest.Object{Document: i + 1, Content: content})
		}
	}
	l.known[key] = w
	return w, nil
}

var workloadKinds = []string{
	"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob", "Pod", "PodTemplate", "Rollout",
}

// mayBeWorkload reports whether the policy judges objects of a kind. The others
// are not kept: an experiment is remembered until the app is done.
func mayBeWorkload(kind string) bool {
	return slices.Contains(workloadKinds, kind) || strings.HasSuffix(kind, "List")
}

// object returns the workload that a finding is about.
func (w *world) object(workload, namespace string) (manifest.Object, bool) {
	for _, object := range w.objects {
		if names(object.Content, workload, namespace) {
			return object, true
		}
		items, _ := object.Content["items"].([]any)
		for _, item := range items {
			if content, ok := item.(map[string]any); ok && names(content, workload, namespace) {
				return object, true
			}
		}
	}
	return manifest.Object{}, false
}

func names(object map[string]any, workload, namespace string) bool {
	kind, _ := object["kind"].(string)
	metadata, _ := object["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	in, _ := metadata["namespace"].(string)
	return kind+"/"+name == workload && in == namespace
}

// judged is what one evaluator says of one workload.
type judged struct {
	findings  []report.Finding
	workloads []report.Workload
}

// judge evaluates the workload of a finding.
func (l *lab) judge(ctx context.Context, e *evaluate.Evaluator, w *world, workload, namespace string) (*judged, error) {
	object, ok := w.object(workload, namespace)
	if !ok {
		return nil, nil
	}
	result, err := e.Evaluate(ctx, []manifest.Object{object})
	if err != nil {
		return nil, err
	}
	return &judged{result.Findings, result.Workloads}, nil
}

// verdict is what all evaluators say of all workloads.
func (l *lab) verdict(ctx context.Context, w *world) ([]report.Finding, []report.Workload, error) {
	var findings []report.Finding
	var workloads []report.Workload
	for _, e := range l.evaluators {
		result, err := e.Evaluate(ctx, w.objects)
		if err != nil {
			return nil, nil, err
		}
		findings = append(findings, result.Findings...)
		workloads = append(workloads, result.Workloads...)
	}
	return findings, workloads, nil
}

// effect is what an experiment did to a finding.
type effect int

const (
	nothing effect = iota // the finding is as it was, or the app cannot be judged
	changed               // it says something else
	gone                  // it is there no more, and the container still is
)

// effectOn compares a finding with what is found after a change. A container
// that is gone, or that the contract no longer binds, proves nothing.
func effectOn(f *report.Finding, before, after *judged) effect {
	if after == nil || f.Container != "" && !binds(after.workloads, f) || f.Container == "" && len(after.workloads) == 0 {
		return nothing
	}
	if count(after.findings, f, sameThing) < count(before.findings, f, sameThing) {
		return gone
	}
	if count(after.findings, f, samePlace) > 0 {
		return nothing
	}
	if count(after.findings, f, sameWords) >= count(before.findings, f, sameWords) {
		return nothing
	}
	return changed
}

func binds(workloads []report.Workload, f *report.Finding) bool {
	for _, w := range workloads {
		if w.Role != report.Controllers || w.Kind+"/"+w.Name != f.Workload || w.Namespace != f.Namespace {
			continue
		}
		for _, c := range w.Containers {
			if c.Name == f.Container && !c.Exempt {
				return true
			}
		}
	}
	return false
}

func count(findings []report.Finding, f *report.Finding, same func(a, b *report.Finding) bool) int {
	n := 0
	for i := range findings {
		if same(&findings[i], f) {
			n++
		}
	}
	return n
}

func sameThing(a, b *report.Finding) bool {
	return a.Code == b.Code && a.Constraint == b.Constraint && a.Workload == b.Workload && a.Namespace == b.Namespace && a.Container == b.Container
}

func samePlace(a, b *report.Finding) bool {
	return sameThing(a, b) && a.Path == b.Path && a.Message == b.Message
}

var placePattern = regexp.MustCompile(`\[\d+\]`)

// sameWords leaves out the places, which move when an entry before them goes.
func sameWords(a, b *report.Finding) bool {
	return sameThing(a, b) && placePattern.ReplaceAllString(a.Message, "[]") == placePattern.ReplaceAllString(b.Message, "[]")
}

// declaration is what a rendered container's env says of the variable last.
type declaration struct {
	declared bool
	value    string // of a literal
	literal  bool
}

// declared looks into the containers of that name, wherever they stand.
func declared(node any, container, envVar string) declaration {
	var found declaration
	visitContainers(node, func(spec map[string]any) {
		if spec["name"] != container {
			return
		}
		env, _ := spec["env"].([]any)
		for _, entry := range env {
			entry, _ := entry.(map[string]any)
			if entry["name"] != envVar {
				continue
			}
			value, isString := entry["value"].(string)
			found = declaration{true, value, isString || entry["value"] == nil && entry["valueFrom"] == nil}
			if !isString && entry["value"] != nil {
				found.value = fmt.Sprint(entry["value"])
			}
		}
	})
	return found
}

func visitContainers(node any, visit func(map[string]any)) {
	switch node := node.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(node)) {
			if list, ok := node[key].([]any); ok && strings.HasSuffix(strings.ToLower(key), "containers") {
				for _, item := range list {
					if spec, ok := item.(map[string]any); ok {
						visit(spec)
					}
				}
				continue
			}
			visitContainers(node[key], visit)
		}
	case []any:
		for _, item := range node {
			visitContainers(item, visit)
		}
	}
}
