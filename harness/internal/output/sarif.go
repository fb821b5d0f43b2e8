package output

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/owenrumney/go-sarif/v2/sarif"

	"github.com/proompteng/nevermigrate/harness/internal/catalogue"
	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/report"
)

// SARIF is SARIF 2.1.0, which code scanning reads.
const SARIF report.Format = "sarif"

// undecided is what SARIF is told of targets that could not be judged.
var undecided = catalogue.Rule{
	Code:        codeUndecided,
	Title:       "The target could not be judged",
	Description: "It does not render, or it cannot be read. Nothing is proven about it.",
	Remedy:      "Repair what the message names.",
	Severity:    report.Deny,
}

// notJudged is what SARIF is told of places that were not judged.
var notJudged = catalogue.Rule{
	Code:        codeNotJudged,
	Title:       "The place was not judged",
	Description: "It can put a workload into the cluster, and nobody looked into it. Nothing is proven about it.",
	Remedy:      "Judge what it makes, or exclude it with a reason.",
	Severity:    report.Deny,
}

// writeSARIF writes a result for each finding, and for each target that could
// not be judged. What is right has none: GitHub makes an alert of each.
func writeSARIF(b *bytes.Buffer, r *report.Report, options Options) error {
	rules, err := options.rules()
	if err != nil {
		return err
	}
	log, err := sarif.New(sarif.Version210)
	if err != nil {
		return err
	}
	driver := sarif.NewDriver("nevermigrate").WithInformationURI(report.Home)
	if options.Version != "" {
		driver.WithVersion(options.Version)
	}
	for _, rule := range append(slices.Clone(rules), undecided, notJudged) {
		driver.AddRule(describeRule(rule))
	}
	run := sarif.NewRun(sarif.Tool{Driver: driver})
	run.ColumnKind = "unicodeCodePoints"
	// The category by which code scanning tells this tool's results from others.
	run.WithAutomationDetails(sarif.NewRunAutomationDetails().WithID("nevermigrate/"))
	entries := slices.DeleteFunc(problems(r), Entry.isInformation)
	told := invocation(r, options)
	if n := len(entries) - maxResults; n > 0 {
		entries = byLevel(entries)[:maxResults]
		told.AddTToolExecutionNotification(sarif.NewNotification().WithLevel("warning").WithMessage(sarif.NewTextMessage(
			fmt.Sprintf("%d results are left out, the least bad: code scanning takes %d", n, maxResults))))
	}
	run.AddInvocations(told)
	alike := map[string]int{} // how many results have a fingerprint
	for _, e := range entries {
		if e.Finding != nil {
			// A policy of one's own may have codes without texts. A rule that is
			// there already stays as it is.
			driver.AddRule(describeRule(catalogue.Rule{Code: e.code(), Title: plaintext.Line(e.code()), Severity: e.Finding.Severity}))
		}
		result := e.sarif()
		fingerprint := e.fingerprint()
		alike[fingerprint]++
		fingerprint = fmt.Sprintf("%s:%d", fingerprint, alike[fingerprint])
		// Code scanning tells results apart by the second, which it would make of the
		// line: two apps that one line breaks would be one.
		result.PartialFingerprints = map[string]any{"finding/v1": fingerprint, "primaryLocationLineHash": fingerprint}
		if e.exempted != nil {
			result.AddSuppression(e.suppression(fingerprint))
		}
		run.AddResult(result)
	}
	log.AddRun(run)
	return plaintext.WriteJSON(b, log)
}

// maxResults is how many results of a run code scanning takes.
const maxResults = 25_000

func describeRule(rule catalogue.Rule) *sarif.ReportingDescriptor {
	level := "error"
	if rule.Severity == report.Warn {
		level = "warning"
	}
	description := rule.Title + "."
	if rule.Description != "" {
		description += " " + rule.Description
	}
	help, markdown := description, description
	if rule.Remedy != "" {
		help += "\n\nRemedy: " + rule.Remedy
		markdown += "\n\n**Remedy:** " + rule.Remedy
	}
	severity := "8.0" // high
	if rule.Severity == report.Warn {
		severity = "4.0" // medium
	}
	described := sarif.NewRule(rule.Code).
		WithProperties(sarif.Properties{"tags": []string{"security", "kubernetes", "database-migrations"}, "precision": "very-high", "security-severity": severity}).
		WithName(camelCase(rule)).
		WithDescription(rule.Title + ".").
		WithFullDescription(sarif.NewMultiformatMessageString(description)).
		WithTextHelp(help).
		WithMarkdownHelp(markdown).
		WithDefaultConfiguration(sarif.NewReportingConfiguration().WithLevel(level))
	if uri := report.PageOf(rule.Code); uri != "" {
		described.WithHelpURI(uri)
	}
	return described
}

// camelCase is the title of a rule as one word, or its code when there is none.
func camelCase(rule catalogue.Rule) string {
	name := ""
	for _, word := range strings.FieldsFunc(rule.Title, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }) {
		name += plaintext.UpperFirst(word)
	}
	return cmp.Or(name, rule.Code)
}

func (e Entry) sarif() *sarif.Result {
	levels := [levels]string{denied: "error", warned: "warning", dryRun: "note"}
	found := e
	found.exempted = nil // what it would be
	result := sarif.NewRuleResult(e.code()).WithLevel(levels[found.level()]).
		// In a SARIF message this would be a link.
		WithMessage(sarif.NewTextMessage(strings.ReplaceAll(e.message(), "](", "] (")))
	file, line, column := e.place()
	location := sarifLocation(file, line, column)
	if region := location.PhysicalLocation.Region; region != nil {
		region.WithEndLine(line)
	}
	result.AddLocation(location)
	if e.Finding == nil {
		return result
	}
	location.LogicalLocations = logicalLocations(e.Finding)
	for i, cause := range e.Finding.Causes {
		if i > 0 {
			file, line, column := placeOf(cause)
			related := sarifLocation(file, line, column)
			result.RelatedLocations = append(result.RelatedLocations, related.WithMessage(sarif.NewTextMessage(plaintext.Line(cause.Path))))
		}
	}
	return result
}

// suppression is how code scanning knows that somebody has accepted a finding. The
// module writes a suppression as a whole, so it has an id, which is made of the
// fingerprint, and a place, which is the target.
func (e Entry) suppression(fingerprint string) *sarif.Suppression {
	sum := sha256.Sum256([]byte(fingerprint))
	sum[6], sum[8] = sum[6]&0x0f|0x50, sum[8]&0x3f|0x80 // the version and the variant of an id made of a name
	id := hex.EncodeToString(sum[:16])
	return sarif.NewSuppression("external").WithStatus("accepted").
		WithGuid(strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-")).
		WithLocation(sarifLocation(plaintext.Line(e.Target.Path), 0, 0)).
		WithJustifcation(plainStyle.exempted(e.exempted))
}

// fingerprint tells the same finding in another run: neither its place nor its
// message is part of it, for both change when the file is edited elsewhere.
func (e Entry) fingerprint() string {
	parts := []string{e.Target.Path, e.code()}
	if f := e.Finding; f != nil {
		parts = append(parts, f.Constraint, f.Workload, f.Namespace, f.Container)
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

func logicalLocations(finding *report.Finding) []*sarif.LogicalLocation {
	if finding.Workload == "" {
		return nil
	}
	name, full, kind := plaintext.Line(finding.Workload), plaintext.Line(finding.Workload), "resource"
	if finding.Namespace != "" {
		full = plaintext.Line(finding.Namespace) + "/" + full
	}
	if finding.Container != "" {
		name, kind = plaintext.Line(finding.Container), "container"
		full += "/" + name
	}
	return []*sarif.LogicalLocation{sarif.NewLogicalLocation().WithName(name).WithFullyQualifiedName(full).WithKind(kind)}
}

// sarifLocation is a place in a file; without a line, the file.
func sarifLocation(file string, line, column int) *sarif.Location {
	path := (&url.URL{Path: file}).EscapedPath()
	// A colon in the first part of a path would make a scheme of it.
	if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ":") {
		path = "./" + path
	}
	physical := sarif.NewPhysicalLocation().WithArtifactLocation(sarif.NewSimpleArtifactLocation(path))
	if line > 0 {
		physical.Region = sarif.NewRegion().WithStartLine(line)
		if column > 0 {
			physical.Region.WithStartColumn(column)
		}
	}
	return sarif.NewLocationWithPhysicalLocation(physical)
}

func invocation(r *report.Report, options Options) *sarif.Invocation {
	_, sentence := Verdict(r, options.FailOnWarn)
	status := r.ExitStatus(options.FailOnWarn)
	invocation := sarif.NewInvocation().WithExecutionSuccess(status != report.ExitUndecided).
		WithExitCode(status).WithExitCodeDescription(sentence)
	for _, line := range Warnings(r) {
		invocation.AddTToolExecutionNotification(sarif.NewNotification().WithLevel("warning").WithMessage(sarif.NewTextMessage(plaintext.Line(line))))
	}
	for _, e := range problems(r) {
		if e.isInformation() {
			invocation.AddTToolExecutionNotification(sarif.NewNotification().WithLevel("note").
				WithMessage(sarif.NewTextMessage(plaintext.Line(e.Target.Path) + ": " + e.line())))
		}
		if e.Finding == nil {
			invocation.AddTToolExecutionNotification(sarif.NewNotification().WithLevel("error").
				WithMessage(sarif.NewTextMessage(plaintext.Line(e.Target.Path) + ": " + e.message())))
		}
	}
	return invocation
}
