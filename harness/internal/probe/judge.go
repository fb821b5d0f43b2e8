package probe

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/independent"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/mode"
	"github.com/proompteng/nevermigrate/harness/internal/render"
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
	// Migrates: a controllers container migrates or cannot be proven not to, and
	// the policy denies it. The configuration is a hole.
	Migrates Verdict = "hole"
	// Escaped: the same, and the policy passes: a mistake in the policy.
	Escaped Verdict = "escaped"
)

// judge judges objects, by the policy and by the kubelet's and the service's
// rules. It is safe for concurrent use.
type judge struct {
	constraints []underConstraint
	corpora     []corpus // one for each constraint
	files       memo[*judged]
}

// underConstraint holds the two ways to judge under one constraint.
type underConstraint struct {
	policy      *evaluate.Evaluator
	independent independent.Rules
}

func newJudge(ctx context.Context, options Options) (*judge, error) {
	constraints, err := constraint.Load(options.Constraints)
	if err != nil {
		return nil, err
	}
	policy, err := evaluate.LoadPolicy(options.Policy, options.Verification)
	if err != nil {
		return nil, err
	}
	k := &judge{}
	for i := range max(1, len(constraints)) {
		var c *constraint.Constraint // none: the defaults
		if i < len(constraints) {
			c = &constraints[i]
		}
		evaluator, err := evaluate.New(ctx, policy, c)
		if err != nil {
			return nil, err
		}
		rules, err := independent.New(c)
		if err != nil {
			return nil, err
		}
		corpus, err := newCorpus(rules.Mode, rules.Name)
		if err != nil {
			return nil, err
		}
		k.constraints = append(k.constraints, underConstraint{evaluator, rules})
		k.corpora = append(k.corpora, corpus)
	}
	return k, nil
}

// finding is what is wrong with one container; with an object as a whole, it has
// no container.
type finding struct {
	workload, namespace, container string
	mode                           mode.Mode // by the kubelet's and the service's rules
	reason                         string
	codes                          []string // of the policy's findings, sorted; none when it passes
	message                        string   // of the first of them
	entry                          string   // what is rendered, as YAML
}

// judged is what is said of some objects.
type judged struct {
	refused     error
	ids         []string
	controllers int // workloads that the contract binds
	workloads   int
	bound       []who // the containers that the contract binds
	findings    []*finding
	digest      digest // of all that can make a difference to the verdict
}

// verdict is that of one template's objects, leaving aside what vanished.
func (j *judged) verdict() Verdict {
	switch {
	case j.refused != nil:
		return Refused
	case slices.ContainsFunc(j.findings, func(f *finding) bool { return len(f.codes) == 0 }):
		return Escaped
	case len(j.findings) > 0:
		return Migrates
	default:
		return Harmless
	}
}

// codes are those of all findings, sorted.
func (j *judged) codes() []string {
	var codes []string
	for _, f := range j.findings {
		for _, code := range f.codes {
			codes = insert(codes, code)
		}
	}
	return codes
}

// file judges what one template gives. The same text is judged once.
func (k *judge) file(ctx context.Context, chart *render.Chart, file render.File) (*judged, error) {
	return k.files.get(digestOf(file.Name, file.Text), func() (*judged, error) {
		objects, err := chart.Objects(file)
		var refusal render.ErrRefused
		if errors.As(err, &refusal) {
			return &judged{refused: err}, nil
		}
		if err != nil {
			return nil, err
		}
		var ids []string
		var contents []map[string]any
		for _, object := range objects {
			ids, contents = append(ids, object.ID), append(contents, object.Content)
		}
		found, err := k.objects(ctx, contents)
		if err != nil {
			return nil, err
		}
		found.ids = ids
		return found, nil
	})
}

// objects judges objects.
func (k *judge) objects(ctx context.Context, contents []map[string]any) (*judged, error) {
	j := &judged{}
	var read []any
	for i, content := range contents {
		workloads := independent.Workloads(content)
		for _, w := range workloads {
			read = append(read, w.Read())
		}
		if workloads == nil {
			read = append(read, nil)
		}
		j.workloads += len(workloads)
		for _, under := range k.constraints {
			result, err := under.policy.Evaluate(ctx, []manifest.Object{{Document: i + 1, Content: content}})
			if err != nil {
				return nil, err
			}
			for _, w := range result.Workloads {
				if w.Role != report.Controllers {
					continue
				}
				j.controllers++
				for _, container := range w.Containers {
					j.bound = append(j.bound, who{w.Kind + "/" + w.Name, container.Name})
				}
			}
			own := under.independent
			found := policyFindings(result)
			for _, w := range workloads {
				if own.Binds(w) && (!own.LeavesOut || len(result.Workloads) > 0) {
					found = compare(w, own, found)
				}
			}
			j.findings = append(j.findings, found...)
		}
	}
	j.digest = digestOf(read...)
	return j, nil
}

// policyFindings are the policy's findings on an object, one for each container.
func policyFindings(result *evaluate.Result) []*finding {
	var found []*finding
	for _, denied := range result.Findings {
		if denied.Severity != report.Deny && denied.Enforcement == "" {
			continue
		}
		f := of(found, denied.Container)
		if f == nil {
			f = &finding{
				workload: denied.Workload, namespace: denied.Namespace, container: denied.Container,
				mode: mode.Unknown, message: denied.Message,
			}
			found = append(found, f)
		}
		f.codes = insert(f.codes, denied.Code)
	}
	return found
}

// of is the finding on a container, nil when there is none.
func of(findings []*finding, container string) *finding {
	if i := slices.IndexFunc(findings, func(f *finding) bool { return f.container == container }); i >= 0 {
		return findings[i]
	}
	return nil
}

// compare holds the policy's findings on a controllers workload against what the
// kubelet's and the service's rules give, and returns all.
func compare(w independent.Workload, own independent.Rules, found []*finding) []*finding {
	for _, container := range w.Containers {
		if own.Exempts(container) {
			continue
		}
		name, _ := container["name"].(string)
		resolved := own.Resolve(container)
		f := of(found, name)
		if f == nil {
			if resolved.Mode == mode.Skip {
				continue
			}
			f = &finding{workload: w.Kind + "/" + w.Name, namespace: w.Namespace, container: name}
			if whole := of(found, ""); whole != nil {
				f.codes, f.message = whole.codes, whole.message
			}
			found = append(found, f)
		}
		// Pods of one object may have containers of the same name.
		if f.entry != "" && resolved.Mode == mode.Skip {
			continue
		}
		f.mode, f.reason = resolved.Mode, resolved.Reason
		f.entry = entryOf(container, own.Mode.Variable)
	}
	return found
}

// insert adds a text to a sorted set.
func insert(set []string, text string) []string {
	i, found := slices.BinarySearch(set, text)
	if found {
		return set
	}
	return slices.Insert(set, i, text)
}

// digest is a hash in hexadecimal.
type digest string

// digestOf is the hash of JSON values.
func digestOf(values ...any) digest {
	text, err := json.Marshal(values)
	if err != nil {
		panic(fmt.Sprintf("hash what JSON has no form for: %v", err))
	}
	return digest(fmt.Sprintf("%x", sha256.Sum256(text)))
}

// memo remembers what has been found out, by digests.
type memo[V any] struct {
	mu    sync.Mutex
	known map[digest]V
}

// maxKnown bounds what is remembered. To forget costs time and nothing else.
const maxKnown = 20_000

// get finds out what is not known. An error is not remembered.
func (m *memo[V]) get(key digest, find func() (V, error)) (V, error) {
	m.mu.Lock()
	found, ok := m.known[key]
	m.mu.Unlock()
	if ok {
		return found, nil
	}
	found, err := find()
	if err != nil {
		return found, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known) >= maxKnown {
		m.known = map[digest]V{}
	}
	m.known[key] = found
	return found, nil
}
