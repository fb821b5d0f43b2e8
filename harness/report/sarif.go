package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/open-policy-agent/conftest/output"
	"github.com/owenrumney/go-sarif/v2/sarif"
)

const informationURI = "https://github.com/proompteng/nevermigrate"

// writeSARIF writes SARIF 2.1.0. Conftest's has the places and the levels. But
// its rules are its own (deny, warn) and it describes itself as the tool, a
// target that is right is a result, of which GitHub makes an alert, and a
// target that could not be judged has no word for it. That is put right in what
// it wrote.
func (r *Report) writeSARIF(w io.Writer, options WriteOptions) error {
	results := r.checkResults(func(file string) string { return file }, func(e entry) string {
		// In a SARIF message this would be a link.
		return strings.ReplaceAll(e.body(), "](", "] (")
	})
	var text bytes.Buffer
	if err := output.NewSARIF(&text).Output(results); err != nil {
		return err
	}
	log, err := sarif.FromBytes(text.Bytes())
	if err != nil {
		return fmt.Errorf("read what conftest wrote: %w", err)
	}
	run := log.Runs[0]
	rules := rulesByCode(options.Rules)
	kept := []*sarif.Result{}
	entries := r.entries()
	seen := map[string]int{}
	for _, result := range run.Results {
		if *result.RuleID == regoPackage+"/success" || *result.RuleID == regoPackage+"/skip" {
			continue
		}
		if len(kept) == len(entries) {
			return fmt.Errorf("conftest wrote more results than there are findings")
		}
		e := entries[len(kept)]
		e.describe(result, rules.index(e), seen)
		kept = append(kept, result)
	}
	if len(kept) != len(entries) {
		return fmt.Errorf("conftest left out %d results", len(entries)-len(kept))
	}
	run.Results = kept
	run.Tool = sarif.Tool{Driver: driver(rules.list, options.Version)}
	run.ColumnKind = "unicodeCodePoints"
	run.Invocations = []*sarif.Invocation{r.invocation(options)}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(log)
}

// ruleIndex is the list of rules that a run declares, and where each is in it.
type ruleIndex struct {
	list   []Rule
	byCode map[string]int
}

func rulesByCode(rules []Rule) *ruleIndex {
	index := &ruleIndex{byCode: map[string]int{}}
	for _, rule := range rules {
		index.add(rule)
	}
	index.add(undecided)
	return index
}

func (r *ruleIndex) add(rule Rule) int {
	r.byCode[rule.Code] = len(r.list)
	r.list = append(r.list, rule)
	return len(r.list) - 1
}

// index is where the rule of an entry is. A policy of one's own may have codes
// without texts: they are declared by what the finding says.
func (r *ruleIndex) index(e entry) int {
	if i, ok := r.byCode[e.code()]; ok {
		return i
	}
	return r.add(Rule{Code: e.code(), Title: clean(e.code()), Severity: e.finding.Severity})
}

func driver(rules []Rule, version string) *sarif.ToolComponent {
	driver := sarif.NewDriver("nevermigrate").WithInformationURI(informationURI)
	if version != "" {
		driver.Version = &version
	}
	for _, rule := range rules {
		level := "error"
		if rule.Severity == Warn {
			level = "warning"
		}
		description := rule.Title + ". " + rule.Description
		if rule.Description == "" {
			description = rule.Title + "."
		}
		help, markdown := description, description
		if rule.Remedy != "" {
			help += "\n\nRemedy: " + rule.Remedy
			markdown += "\n\n**Remedy:** " + rule.Remedy
		}
		driver.AddRule(sarif.NewRule(rule.Code).
			WithName(rule.name()).
			WithDescription(rule.Title + ".").
			WithFullDescription(sarif.NewMultiformatMessageString(description)).
			WithTextHelp(help).
			WithMarkdownHelp(markdown).
			WithDefaultConfiguration(sarif.NewReportingConfiguration().WithLevel(level)))
	}
	return driver
}

// describe sets what conftest does not know of a result.
func (e entry) describe(result *sarif.Result, rule int, seen map[string]int) {
	code := e.code()
	result.RuleID = &code
	result.WithRuleIndex(rule)
	fingerprint := e.fingerprint()
	seen[fingerprint]++
	result.PartialFingerprints = map[string]any{"finding/v1": fmt.Sprintf("%s:%d", fingerprint, seen[fingerprint])}
	location := result.Locations[0]
	artifact := location.PhysicalLocation.ArtifactLocation
	*artifact.URI = relativeURI(*artifact.URI)
	cause := e.cause()
	if cause == nil || cause.Line == 0 {
		location.PhysicalLocation.Region = nil
	} else if cause.Column > 0 {
		location.PhysicalLocation.Region.WithStartColumn(cause.Column)
	}
	if e.finding == nil {
		return
	}
	location.LogicalLocations = e.logicalLocations()
	for i := range e.finding.Causes {
		if i > 0 {
			result.RelatedLocations = append(result.RelatedLocations, e.finding.Causes[i].location())
		}
	}
}

// fingerprint tells the same finding in another run: neither its place nor its
// message is part of it, for both change when the file is edited elsewhere.
func (e entry) fingerprint() string {
	parts := []string{e.target.Path, e.code()}
	if f := e.finding; f != nil {
		parts = append(parts, f.Constraint, f.Workload, f.Namespace, f.Container)
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

func (e entry) logicalLocations() []*sarif.LogicalLocation {
	if e.finding.Workload == "" {
		return nil
	}
	name, full, kind := clean(e.finding.Workload), clean(e.finding.Workload), "resource"
	if e.finding.Namespace != "" {
		full = clean(e.finding.Namespace) + "/" + full
	}
	if e.finding.Container != "" {
		name, kind = clean(e.finding.Container), "container"
		full += "/" + name
	}
	return []*sarif.LogicalLocation{sarif.NewLogicalLocation().WithName(name).WithFullyQualifiedName(full).WithKind(kind)}
}

func (c *Cause) location() *sarif.Location {
	uri := url.URL{Path: clean(c.File)}
	physical := sarif.NewPhysicalLocation().WithArtifactLocation(sarif.NewSimpleArtifactLocation(relativeURI(uri.EscapedPath())))
	if c.Line > 0 {
		physical.Region = sarif.NewRegion().WithStartLine(c.Line)
		if c.Column > 0 {
			physical.Region.WithStartColumn(c.Column)
		}
	}
	return sarif.NewLocationWithPhysicalLocation(physical).WithMessage(sarif.NewTextMessage(clean(c.Path)))
}

// relativeURI keeps a path with a colon in its first part from being read as a
// scheme.
func relativeURI(path string) string {
	if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ":") {
		return "./" + path
	}
	return path
}

func (r *Report) invocation(options WriteOptions) *sarif.Invocation {
	_, sentence := r.verdict(options.FailOnWarn)
	status := r.ExitStatus(options.FailOnWarn)
	invocation := sarif.NewInvocation().WithExecutionSuccess(status != ExitUndecided).
		WithExitCode(status).WithExitCodeDescription(sentence)
	for i := range r.Targets {
		if r.Targets[i].Error == "" {
			continue
		}
		e := entry{target: &r.Targets[i]}
		invocation.AddTToolExecutionNotification(sarif.NewNotification().WithLevel("error").
			WithMessage(sarif.NewTextMessage(clean(e.target.Path) + ": " + e.body())))
	}
	return invocation
}
