package cause

import (
	"cmp"
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/evaluate"
	"github.com/proompteng/nevermigrate/harness/internal/stated"
	"github.com/proompteng/nevermigrate/harness/report"
)

// The codes of warnings that are looked into in ways of their own.
const (
	typo        = "CNM102"
	loading     = "CNM104"
	resemblance = "CNM105"
)

// auto is the plain value for migrating.
const auto = "auto"

// findFallback looks for what makes each control plane skip. It has a fix where
// one place decides: which of several should migrate is for people to say.
func (s *search) findFallback(ctx context.Context) {
	judged := s.base(ctx).judge(ctx, container{}, s.evaluator)
	if s.err == nil && (judged == nil || !stated.NobodyMigrates(s.evaluator.ConstraintName(), judged.Workloads)) {
		s.err = errors.New("the finding does not come back when the app is rendered again")
	}
	if s.err != nil {
		return
	}
	s.role = report.ControlPlane
	seen := map[report.Cause]bool{}
	for _, at := range controlPlanes(judged.Workloads) {
		s.container = at
		s.rendered = s.declaration(s.base(ctx))
		for _, a := range s.decider(ctx, nil) {
			if cause := s.causesOf([]attempt{a})[0]; !seen[cause] {
				seen[cause] = true
				s.deciders = append(s.deciders, a)
			}
		}
	}
	if len(seen) != 1 {
		return
	}
	s.stage(ctx, s.deciders)
	s.fix = s.bestFix(ctx)
	if without := s.deciders[0].without; without != nil {
		s.overridden = s.causesOf(s.chain(ctx, without))
	}
}

// controlPlanes are the containers of the workloads that may migrate.
func controlPlanes(judged []report.Workload) []container {
	var all []container
	for _, w := range judged {
		for _, c := range w.Containers {
			if w.Role == report.ControlPlane {
				all = append(all, container{w.Kind + "/" + w.Name, w.Namespace, c.Name})
			}
		}
	}
	return all
}

// findResemblance looks for the name by which a workload looks like controllers.
// It has no fix: whether the name is unlucky is for people to say.
func (s *search) findResemblance(ctx context.Context) {
	if s.prepare(ctx); s.err != nil {
		return
	}
	before := s.base(ctx).judge(ctx, container{}, s.evaluator)
	isRenamed := func(after *rendering) bool {
		judged := after.judge(ctx, container{}, s.evaluator)
		return judged != nil && len(judged.Workloads) >= len(before.Workloads) && resembling(judged) < resembling(before)
	}
	found := s.first(ctx, nil, s.names(), isRenamed)
	if found == nil {
		found = s.firstInTexts(ctx, nil, s.nameLines(), isRenamed)
	}
	if found != nil {
		s.mending = append(s.mending, attempt{place: found.place, cause: found.cause})
	}
}

// resembling counts the findings about names.
func resembling(judged *evaluate.Result) (n int) {
	for _, f := range judged.Findings {
		if f.Code == resemblance {
			n++
		}
	}
	return n
}

// maxNames bounds the attempts with names.
const maxNames = 40

// shortestName is the length below which a text says nothing about a name that
// holds it.
const shortestName = 4

// names are attempts with what may be the name that the finding is about, or a
// part of it, the longest first.
func (s *search) names() []attempt {
	found := s.places(func(p *place) bool {
		text := ""
		if p.isScalar() {
			text = strings.ToLower(p.text())
		}
		return len(text) >= shortestName && strings.Contains(strings.ToLower(s.offender), text)
	})
	slices.SortStableFunc(found, func(a, b *place) int { return cmp.Compare(len(b.text()), len(a.text())) })
	var attempts []attempt
	for _, p := range found[:min(len(found), maxNames)] {
		attempts = append(attempts, attempt{place: p, edits: []edit{set(p, "renamed")}})
	}
	return attempts
}

// nameLines are, for each template, attempts with what it writes of the name.
func (s *search) nameLines() [][]attempt {
	words := strings.FieldsFunc(s.offender, func(r rune) bool { return r == '-' || r == '.' || r == '_' })
	slices.SortStableFunc(words, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	var all [][]attempt
	for _, word := range words {
		if len(word) < shortestName {
			continue
		}
		byTemplate := map[*source][]attempt{}
		for _, a := range s.lines(regexp.MustCompile(regexp.QuoteMeta(word)), "") {
			a.edits[0].text = "renamed"
			t := a.edits[0].source
			byTemplate[t] = append(byTemplate[t], a)
		}
		for _, t := range s.sources.templates {
			if attempts := byTemplate[t]; attempts != nil {
				all = append(all, attempts[:min(len(attempts), maxTextAttempts)])
			}
		}
	}
	return all
}

// loads are attempts with the command that the finding is about. They are no
// fixes: what a command is needed for is for people to say.
func (s *search) loads() []attempt {
	var attempts []attempt
	if s.offender == "" {
		return nil
	}
	for _, p := range s.places(func(p *place) bool { return p.isScalar() && p.text() == s.offender }) {
		attempts = append(attempts, attempt{place: p, edits: []edit{set(p, "true")}})
	}
	return attempts
}

// memberPattern is the member of a container that a finding's path leads into.
var memberPattern = regexp.MustCompile(`[cC]ontainers\[\d+\]\.(\w+)`)

// memberLines rename the member of a container that the finding is about, such as
// its command, where a template writes it.
func (s *search) memberLines() []attempt {
	member := memberPattern.FindStringSubmatch(s.finding.Path)
	if member == nil || member[1] == "env" {
		return nil
	}
	return s.lines(regexp.MustCompile(`\b`+member[1]+`\b`), "Unused")
}

var quotedKey = regexp.MustCompile(`\["([A-Za-z0-9_$/-]+)"\]`)

// asJoined is a path of the policy, which may write a key in quotes that needs
// none, as paths are written here.
func asJoined(path string) string {
	return strings.TrimPrefix(quotedKey.ReplaceAllString(path, ".$1"), ".")
}
