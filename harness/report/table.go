package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/fatih/color"
)

// TableOptions say how a table is written.
type TableOptions struct {
	// Color paints modes, codes and verdicts for a terminal.
	Color bool
	// FailOnWarn says that the verdict counts warnings; see ExitStatus.
	FailOnWarn bool
}

// WriteTable writes the report for people: for each target its workloads with
// their modes and its findings, and a last line with the verdict and counts.
// Control characters, which a manifest may use to repaint a terminal, are
// written as escapes.
func (r *Report) WriteTable(w io.Writer, options TableOptions) error {
	t := table{paint: newPainter(options.Color)}
	for i := range r.Targets {
		t.target(&r.Targets[i])
	}
	t.summary(r, options.FailOnWarn)
	if _, err := w.Write(t.text.Bytes()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

type table struct {
	text  bytes.Buffer
	paint painter
}

func (t *table) target(target *Target) {
	fmt.Fprintf(&t.text, "%s: %s\n", clean(target.Path), t.paint.status(target.Status))
	switch {
	case target.Error != "":
		fmt.Fprintf(&t.text, "  %s\n", indent(target.Error))
	case len(target.Workloads) > 0:
		t.workloads(target.Workloads)
	case len(target.Findings) == 0:
		fmt.Fprintf(&t.text, "  no workload is bound by the contract or declares the migrations variable\n")
	}
	for i := range target.Findings {
		t.finding(&target.Findings[i])
	}
	t.text.WriteByte('\n')
}

func (t *table) workloads(workloads []Workload) {
	// The mode comes last: colours would upset the width of another column.
	columns := tabwriter.NewWriter(&t.text, 0, 0, 2, ' ', 0)
	constraints := slices.ContainsFunc(workloads, func(w Workload) bool { return w.Constraint != "" })
	row := func(constraint string, cells ...string) {
		if constraints {
			cells = slices.Insert(cells, len(cells)-1, constraint)
		}
		fmt.Fprintf(columns, "  %s\n", strings.Join(cells, "\t"))
	}
	row("CONSTRAINT", "WORKLOAD", "NAMESPACE", "ROLE", "CONTAINER", "MODE")
	for _, workload := range workloads {
		for _, container := range workload.Containers {
			name := TableCell(container.Name)
			if container.Type != "container" {
				name += " (" + clean(container.Type) + ")"
			}
			row(TableCell(workload.Constraint), TableCell(workload.Kind+"/"+workload.Name), TableCell(workload.Namespace),
				string(workload.Role), name, t.paint.mode(workload.Role, container))
		}
		if len(workload.Containers) == 0 {
			row(TableCell(workload.Constraint), TableCell(workload.Kind+"/"+workload.Name), TableCell(workload.Namespace),
				string(workload.Role), "(none)", t.paint.mode(workload.Role, Container{Mode: Unknown}))
		}
	}
	columns.Flush()
}

func (t *table) finding(finding *Finding) {
	severity := string(finding.Severity)
	if finding.Enforcement != "" {
		severity += " (enforcementAction: " + clean(finding.Enforcement) + ")"
	}
	fmt.Fprintf(&t.text, "\n  %s %s\n", t.paint.severity(finding.Severity, clean(finding.Code)+" "+severity), finding.where())
	fmt.Fprintf(&t.text, "    %s\n", clean(finding.Message))
	fmt.Fprintf(&t.text, "    Remedy: %s\n", clean(finding.Remedy))
	for _, line := range finding.chain() {
		fmt.Fprintf(&t.text, "    %s\n", line)
	}
}

func (t *table) summary(r *Report, failOnWarn bool) {
	status, sentence := r.verdict(failOnWarn)
	fmt.Fprintf(&t.text, "%s: %s. %s\n", t.paint.status(status), sentence, r.Summary)
}

// verdict is the status of the whole, as ExitStatus has it, and why.
func (r *Report) verdict(failOnWarn bool) (Status, string) {
	switch r.ExitStatus(failOnWarn) {
	case ExitUndecided:
		return Error, "it could not be decided"
	case ExitBroken:
		if r.Summary.Denied == 0 {
			return Fail, "there are warnings"
		}
		return Fail, "the contract is broken"
	default:
		return Pass, "the contract holds"
	}
}

// String is the counts as a sentence.
func (s Summary) String() string {
	return fmt.Sprintf("%s, %s, %s judged, %d denied, %d warned, %s.",
		count(s.Targets, "target"), count(s.Controllers, "controllers workload"), count(s.Containers, "container"),
		s.Denied, s.Warned, count(s.Errors, "error"))
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// longestCell is longer than any name in Kubernetes, with a kind before it. A
// longer one would widen the column in every row.
const longestCell = 400

// TableCell is a text for the cell of a table: clean, and not longer than names
// can be.
func TableCell(text string) string { return clean(cut(text, longestCell)) }

// logCommands are what Azure Pipelines, and GitHub Actions of old, take for a
// command anywhere in a line of a log.
var logCommands = strings.NewReplacer("##[", "# #[", "##vso[", "# #vso[")

// clean writes control characters and other characters that cannot be seen as
// Go escapes, and takes commands to a log apart.
func clean(text string) string {
	var b strings.Builder
	for _, r := range logCommands.Replace(text) {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		escaped := strconv.QuoteRune(r)
		b.WriteString(escaped[1 : len(escaped)-1])
	}
	return b.String()
}

// indent cleans a message of several lines and indents all but the first.
func indent(message string) string {
	return strings.ReplaceAll(cleanLines(message), "\n", "\n  ")
}

// painter colours words, or leaves them as they are.
type painter struct{ red, yellow, green, none *color.Color }

func newPainter(colored bool) painter {
	p := painter{color.New(color.FgRed), color.New(color.FgYellow), color.New(color.FgGreen), color.New()}
	for _, c := range []*color.Color{p.red, p.yellow, p.green, p.none} {
		if colored {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
	}
	return p
}

func (p painter) status(status Status) string {
	switch status {
	case Pass:
		return p.green.Sprint(status)
	case Fail:
		return p.red.Sprint(status)
	default:
		return p.yellow.Sprint(status)
	}
}

func (p painter) severity(severity Severity, text string) string {
	if severity == Deny {
		return p.red.Sprint(text)
	}
	return p.yellow.Sprint(text)
}

// mode paints what matters: a controllers container is right only with skip.
func (p painter) mode(role Role, container Container) string {
	text := clean(string(container.Mode))
	switch {
	case container.Exempt:
		return text + " (exempt)"
	case role != Controllers:
		return text
	case container.Mode == Skip:
		return p.green.Sprint(text)
	default:
		return p.red.Sprint(text)
	}
}
