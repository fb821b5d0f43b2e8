package probe

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"sync"

	"github.com/proompteng/nevermigrate/harness/evaluate"
	"github.com/proompteng/nevermigrate/harness/manifest"
	"github.com/proompteng/nevermigrate/harness/mode"
	"github.com/proompteng/nevermigrate/harness/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// Verdict is what one configuration does.
type Verdict string

// The verdicts.
const (
	// Refused: the chart, its schema or a template's error stops the rendering.
	Refused Verdict = "refused"
	// Harmless: every container that the contract binds skips.
	Harmless Verdict = "harmless"
	// Vanished: a template that writes a controllers workload under the base
	// writes none any more that the contract binds.
	Vanished Verdict = "vanished"
	// Breach: a controllers container migrates or cannot be proven not to, and
	// the policy denies it.
	Breach Verdict = "hole"
	// Escaped: the same, and the policy passes: a mistake in the policy.
	Escaped Verdict = "escaped"
)

// judge judges what is rendered, by the policy and by the kubelet's and the
// service's rules. It is safe for concurrent use.
type judge struct {
	evaluators []*evaluate.Evaluator
	contracts  []contract
	migrating  [][]any // whole commands that are known to migrate

	mu    sync.Mutex
	known map[[sha256.Size]byte]*judged
}

// maxKnown bounds what is remembered. To forget costs time and nothing else.
const maxKnown = 20_000

// breach is a container that breaks the contract.
type breach struct {
	workload, namespace, container string
	mode                           mode.Mode // by the rules
	reason                         string
	codes                          []string // of the policy's findings; none when it passes
	message, path                  string   // of the first of them
	entry                          string   // what is rendered, as YAML
}

// judged is what is said of some objects.
type judged struct {
	refused     error
	ids         []string
	controllers int // workloads that the contract binds
	breaches    []breach
	// print is a hash of all that can make a difference to the judgement.
	print [sha256.Size]byte
	// declared is a hash of all that declares the migrations variable.
	declared [sha256.Size]byte
}

// verdict is that of one template's objects, leaving aside what vanished.
func (j *judged) verdict() Verdict {
	switch {
	case j.refused != nil:
		return Refused
	case slices.ContainsFunc(j.breaches, func(b breach) bool { return len(b.codes) == 0 }):
		return Escaped
	case len(j.breaches) > 0:
		return Breach
	default:
		return Harmless
	}
}

// file judges what one template gives. The same text is judged once.
func (k *judge) file(ctx context.Context, chart *render.Chart, file render.File) (*judged, error) {
	key := sha256.Sum256([]byte(file.Name + "\x00" + file.Text))
	k.mu.Lock()
	found, ok := k.known[key]
	k.mu.Unlock()
	if ok {
		return found, nil
	}
	objects, err := chart.Objects(file)
	var refusal render.ErrRefused
	if errors.As(err, &refusal) {
		found = &judged{refused: err}
	} else if err != nil {
		return nil, err
	} else {
		contents := make([]map[string]any, len(objects))
		for i, object := range objects {
			contents[i] = object.Content
		}
		if found, err = k.objects(ctx, contents); err != nil {
			return nil, err
		}
		for _, object := range objects {
			found.ids = append(found.ids, object.ID)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known == nil || len(k.known) >= maxKnown {
		k.known = map[[sha256.Size]byte]*judged{}
	}
	k.known[key] = found
	return found, nil
}

// objects judges objects.
func (k *judge) objects(ctx context.Context, contents []map[string]any) (*judged, error) {
	j := &judged{}
	hash, declared := sha256.New(), sha256.New()
	for i, content := range contents {
		object := []manifest.Object{{Document: i + 1, Content: content}}
		for e, evaluator := range k.evaluators {
			result, err := evaluator.Evaluate(ctx, object)
			if err != nil {
				return nil, err
			}
			for _, w := range result.Workloads {
				if w.Role == report.Controllers {
					j.controllers++
				}
			}
			found := k.breaches(content, result, k.contracts[e])
			j.breaches = append(j.breaches, found...)
		}
		if text, err := json.Marshal(judgedPart(content)); err != nil {
			return nil, fmt.Errorf("write object: %w", err)
		} else {
			hash.Write(text)
		}
		if w, ok := workloadOf(content); ok {
			for _, container := range w.containers {
				for _, contract := range k.contracts {
					text, err := json.Marshal(declarations(container, contract.rules.Variable))
					if err != nil {
						return nil, fmt.Errorf("write declarations: %w", err)
					}
					declared.Write(text)
				}
			}
		}
	}
	j.declared = [sha256.Size]byte(declared.Sum(nil))
	j.print = [sha256.Size]byte(hash.Sum(nil))
	return j, nil
}

// breaches holds the policy's findings on an object against what the rules give.
func (k *judge) breaches(content map[string]any, result *evaluate.Result, contract contract) []breach {
	w, isWorkload := workloadOf(content)
	denied := map[string]*breach{}
	var found []*breach
	for _, finding := range result.Findings {
		if finding.Severity != report.Deny && finding.Enforcement == "" {
			continue
		}
		b := denied[finding.Container]
		if b == nil {
			b = &breach{
				workload: finding.Workload, namespace: finding.Namespace, container: finding.Container,
				mode: mode.Unknown, message: finding.Message, path: finding.Path,
			}
			denied[finding.Container], found = b, append(found, b)
		}
		if !slices.Contains(b.codes, finding.Code) {
			b.codes = append(b.codes, finding.Code)
		}
	}
	if isWorkload && contract.binds(w) && (!contract.matches || len(result.Workloads) > 0) {
		for _, container := range w.containers {
			if contract.exempts(container) {
				continue
			}
			name, _ := container["name"].(string)
			resolved := contract.rules.Container(container)
			migrating := slices.ContainsFunc(k.migrating, func(words []any) bool { return reflect.DeepEqual(words, command(container)) })
			if migrating {
				resolved.Mode, resolved.Reason = mode.Auto, "the command sets or removes the variable"
			}
			b := denied[name]
			if b == nil && resolved.Mode == mode.Skip {
				continue
			}
			if b == nil {
				b = &breach{workload: w.kind + "/" + w.name, namespace: w.namespace, container: name}
				if whole := denied[""]; whole != nil {
					b.codes, b.message, b.path = whole.codes, whole.message, whole.path
				}
				denied[name], found = b, append(found, b)
			}
			b.mode, b.reason = resolved.Mode, resolved.Reason
			b.entry = entryOf(container, contract.rules.Variable)
		}
	}
	breaches := make([]breach, len(found))
	for i, b := range found {
		slices.Sort(b.codes)
		breaches[i] = *b
	}
	return breaches
}

// judgedPart is what the rules read of an object.
func judgedPart(content map[string]any) any {
	w, ok := workloadOf(content)
	if !ok {
		return nil
	}
	part := []any{w.kind, w.name, w.namespace, w.names}
	for _, container := range w.containers {
		kept := map[string]any{}
		for _, key := range []string{"name", "image", "env", "envFrom", "command", "args", "lifecycle", "livenessProbe", "readinessProbe", "startupProbe"} {
			if value, ok := container[key]; ok {
				kept[key] = value
			}
		}
		part = append(part, kept)
	}
	return part
}

// outcome is what is said of one configuration.
type outcome struct {
	verdict Verdict
	// files are those with breaches, or from which controllers workloads have
	// vanished, sorted by name.
	files []judgedFile
	// print is a hash of all that can make a difference to the judgement.
	print, declared [sha256.Size]byte
	// reason is why it is refused.
	reason error
}

type judgedFile struct {
	name string
	*judged
}

// subject is a chart under a base, with what judges its configurations.
type subject struct {
	chart   *render.Chart
	base    map[string]any
	judge   *judge
	options render.Options // for the whole road
	// writers are the templates that write controllers workloads under the base.
	writers []string

	mu        sync.Mutex
	malformed map[[sha256.Size]byte]error // what refusedAsApp has said, by print
}

// render renders one configuration and judges each template's objects. Refused
// is what Helm or kustomize say against the configuration.
func (s *subject) render(ctx context.Context, c configuration) (files []judgedFile, refused, err error) {
	texts, err := s.chart.Template(ctx, c.over(s.base))
	var refusal render.ErrRefused
	if errors.As(err, &refusal) {
		return nil, refusal, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("template with %s: %w", c.arguments(), err)
	}
	seen := map[string]bool{}
	for _, text := range texts {
		j, err := s.judge.file(ctx, s.chart, text)
		if err != nil {
			return nil, nil, fmt.Errorf("judge %s with %s: %w", text.Name, c.arguments(), err)
		}
		if j.refused != nil {
			return nil, j.refused, nil
		}
		for _, id := range j.ids {
			if seen[id] {
				return nil, fmt.Errorf("%s is written twice", id), nil
			}
			seen[id] = true
		}
		files = append(files, judgedFile{text.Name, j})
	}
	if len(seen) == 0 {
		return nil, render.ErrNothingRendered, nil
	}
	return files, nil, nil
}

// try renders one configuration and judges it.
func (s *subject) try(ctx context.Context, c configuration) (outcome, error) {
	files, refused, err := s.render(ctx, c)
	if err != nil || refused != nil {
		return outcome{verdict: Refused, reason: refused}, err
	}
	o := outcome{verdict: Harmless}
	hash, declared := sha256.New(), sha256.New()
	bound := map[string]bool{}
	for _, file := range files {
		bound[file.name] = file.controllers > 0
		fmt.Fprintf(hash, "%s\x00%x", file.name, file.print)
		fmt.Fprintf(declared, "%s\x00%x", file.name, file.declared)
		if v := file.verdict(); v != Harmless {
			o.files = append(o.files, file)
			if v == Escaped || o.verdict == Harmless {
				o.verdict = v
			}
		}
	}
	o.print, o.declared = [sha256.Size]byte(hash.Sum(nil)), [sha256.Size]byte(declared.Sum(nil))
	if o.malformed() {
		refused, err := s.refusedAsApp(ctx, o.print, c)
		if err != nil || refused != nil {
			return outcome{verdict: Refused, reason: refused}, err
		}
	}
	if o.verdict == Harmless {
		for _, name := range s.writers {
			if !bound[name] {
				o.verdict = Vanished
				o.files = append(o.files, judgedFile{name, &judged{}})
			}
		}
	}
	return o, nil
}

// malformed reports whether all that is broken is that something cannot be read.
func (o *outcome) malformed() bool {
	return o.verdict == Breach && !slices.ContainsFunc(o.files, func(file judgedFile) bool {
		return slices.ContainsFunc(file.breaches, func(b breach) bool { return !slices.Equal(b.codes, []string{"CNM006"}) })
	})
}

// refusedAsApp renders a configuration as an app and returns what kustomize says
// against it: its transformers read some of what is malformed, and fail.
func (s *subject) refusedAsApp(ctx context.Context, print [sha256.Size]byte, c configuration) (refused, err error) {
	s.mu.Lock()
	refused, ok := s.malformed[print]
	s.mu.Unlock()
	if ok {
		return refused, nil
	}
	_, refused, err = s.asApp(ctx, c)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.malformed == nil || len(s.malformed) >= maxKnown {
		s.malformed = map[[sha256.Size]byte]error{}
	}
	s.malformed[print] = refused
	return refused, nil
}

// asApp renders a configuration as an app, the whole road through kustomize.
func (s *subject) asApp(ctx context.Context, c configuration) (objects []map[string]any, refused, err error) {
	dir, err := os.MkdirTemp("", "nevermigrate-probe-")
	if err != nil {
		return nil, nil, fmt.Errorf("make folder for an app: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := s.chart.WriteApp(dir, c.over(s.base)); err != nil {
		return nil, nil, err
	}
	objects, refused = render.Objects(ctx, dir, s.options)
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	return objects, refused, nil
}
