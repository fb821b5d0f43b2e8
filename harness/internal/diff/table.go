package diff

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/output"
	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/report"
)

// TextOptions say how a diff is written for people.
type TextOptions struct {
	// Color paints it for a terminal.
	Color bool
	// Wide gives it every column.
	Wide bool
	// NewOnly and FailOnWarn say what the verdict counts; see ExitStatus.
	NewOnly, FailOnWarn bool
}

// WriteTable writes the diff for people: each target that changed or that has
// findings, and a last line with the verdict and counts.
func (d *Diff) WriteTable(w io.Writer, options TextOptions) error {
	t := table{options: options, paint: output.Painter(options.Color)}
	sides := d.sides(plaintext.Line)
	if d.HeadFile == "" {
		sides += " Head: the working tree."
	}
	fmt.Fprintf(&t.text, "%s\n\n", sides)
	t.shared = output.Share(d.told(!options.NewOnly))
	for i := range d.Targets {
		if d.Targets[i].isWorthShowing() {
			t.target(&d.Targets[i])
		}
	}
	for _, s := range t.shared.Groups {
		fmt.Fprintf(&t.text, "%s\n\n", strings.Join(s.Lines(t.paint), "\n  "))
	}
	if d.NotJudged != nil {
		t.notJudged("NEW, NOT JUDGED", d.NotJudged.New)
	}
	if d.NotJudged != nil && !options.NewOnly {
		t.notJudged("STILL NOT JUDGED", report.Undecided(d.NotJudged.Kept))
	}
	status, sentence := d.verdict(options)
	fmt.Fprintf(&t.text, "%s: %s. %s\n", t.paint.Status(status), sentence, d.Summary.text())
	return plaintext.Write(w, t.text.String())
}

// sides says what was compared with what; name writes a name.
func (d *Diff) sides(name func(string) string) string {
	if d.Base.BaseCommit == nil {
		return fmt.Sprintf("Base: %s. Head: %s.", name(FileName(d.Base.File)), name(FileName(d.HeadFile)))
	}
	mergeBase := ""
	if d.Base.MergeBase {
		mergeBase = ", its merge base with HEAD"
	}
	contract := " The contract is that of the base."
	if d.Base.Contract == HeadSide {
		contract = " The contract is that of the head."
	}
	return fmt.Sprintf("Base: %s (commit %s%s).%s", name(d.Base.Revision), name(d.Base.Commit[:12]), mergeBase, contract)
}

// isWorthShowing reports whether there is more to say of a target than that it
// is there and as it was.
func (t *Target) isWorthShowing() bool {
	return t.Change != Unchanged || t.Kind != nil || len(t.Findings.New)+len(t.Findings.Kept)+len(t.Findings.Fixed) > 0
}

// told are the findings of the head side that are told as a whole.
func (d *Diff) told(kept bool) []output.Entry {
	var entries []output.Entry
	for i := range d.Targets {
		target := &report.Target{Path: d.Targets[i].Path}
		findings := []([]report.Finding){d.Targets[i].Findings.New}
		if kept {
			findings = append(findings, d.Targets[i].Findings.Kept)
		}
		for _, list := range findings {
			for j := range list {
				entries = append(entries, output.Entry{Target: target, Finding: &list[j]})
			}
		}
	}
	return entries
}

type table struct {
	text    bytes.Buffer
	shared  *output.Sharing
	options TextOptions
	paint   output.Painter
}

func (t *table) target(target *Target) {
	name := target.Path
	if target.BasePath != "" {
		name = target.BasePath + " → " + name
	}
	fmt.Fprintf(&t.text, "%s: %s\n", plaintext.Line(name), t.heading(target))
	if target.Kind != nil {
		fmt.Fprintf(&t.text, "  It is of another kind now: %s.\n", plaintext.Line(sides(*target.Kind)))
	}
	if target.Error != "" {
		fmt.Fprintf(&t.text, "  %s\n", plaintext.Indented(target.Error, 2))
	}
	if target.BaseError != "" {
		fmt.Fprintf(&t.text, "  %s\n  %s\n", baseUnjudged, plaintext.Indented(target.BaseError, 2))
	}
	t.containers(target.containerRows())
	if target.LostControllers && target.Change != Removed {
		fmt.Fprintf(&t.text, "  %s\n", t.paint.Paint(lostControllers, "warn"))
	}
	t.findings("new", target.Findings.New, true)
	t.findings("kept", target.Findings.Kept, !t.options.NewOnly)
	t.findings("fixed", target.Findings.Fixed, false)
	for i := range target.Exempted {
		fmt.Fprintf(&t.text, "\n  %s\n", strings.Join(output.ExemptedLines(&target.Exempted[i]), "\n    "))
	}
	t.text.WriteByte('\n')
}

// notJudged lists places that were not judged, if there are any, under a heading.
func (t *table) notJudged(heading string, places []report.NotJudged) {
	if len(places) == 0 {
		return
	}
	rows := output.NotJudgedRows(places, t.paint)
	rows[0][0] = heading
	plaintext.WriteColumns(&t.text, rows)
	t.text.WriteByte('\n')
}

// lostControllers is said of a target without any controllers workload, which
// no rule looks at any more.
const lostControllers = "The base side had controllers workloads here, and the head side has none: nothing is bound by the contract any more."

const baseUnjudged = "The base side could not be judged, so every finding counts as new."

// heading is the verdict on the head side, with NewOnly on what is new there, and
// what became of the target.
func (t *table) heading(target *Target) string {
	status := target.Status
	isNew := slices.ContainsFunc(target.Findings.New, func(f report.Finding) bool { return f.Severity == report.Deny })
	switch {
	case status == "": // It was removed.
		return string(target.Change)
	case status == report.Fail && t.options.NewOnly && !isNew:
		status = report.Pass
	}
	if target.Change == Changed || target.Change == Unchanged {
		return t.paint.Status(status)
	}
	return t.paint.Status(status) + " (" + string(target.Change) + ")"
}

// marks stand before the rows of what changed, as in other comparisons.
var marks = map[Change]string{Added: "+", Removed: "-", Changed: "~", Unknown: "?"}

// containers lists the containers that changed.
func (t *table) containers(changed []containerRow) {
	if len(changed) == 0 {
		return
	}
	rows := [][]string{{"WORKLOAD", "NAMESPACE", "ROLE", "CONTAINER", "CONSTRAINT", "MODE"}}
	var workloads []report.Workload
	for _, r := range changed {
		w := r.workload
		workloads = append(workloads, report.Workload{Namespace: w.Namespace, Constraint: w.Constraint})
		rows = append(rows, []string{plaintext.Cell(w.Kind + "/" + w.Name), plaintext.Cell(w.Namespace), plaintext.Cell(sides(w.Role)),
			plaintext.Cell(r.container.describe()), plaintext.Cell(w.Constraint), t.mode(w, r.container)})
	}
	var columns strings.Builder
	plaintext.WriteColumns(&columns, rows, output.ModeColumns(workloads, t.options.Wide)...)
	for i, line := range strings.Split(strings.TrimSuffix(columns.String(), "\n"), "\n") {
		if i > 0 {
			line = cmp.Or(marks[changed[i-1].change], " ") + line[1:]
		}
		t.text.WriteString(line + "\n")
	}
}

// mode paints the modes by what the head side has.
func (t *table) mode(w *Workload, c Container) string {
	text := plaintext.Line(c.modeText())
	if w.Role.Head == nil || c.Mode.Head == nil {
		return text
	}
	return t.paint.Paint(text, output.JudgeMode(*w.Role.Head, *c.Mode.Head, *c.Exempt.Head))
}

// findings writes findings, as a whole or the first line of each.
func (t *table) findings(change string, findings []report.Finding, whole bool) {
	for i := range findings {
		lines := output.FindingLines(&findings[i], t.paint)
		if pointer, ok := t.shared.Pointer(&findings[i], t.paint); ok {
			lines = []string{pointer}
		}
		if !whole {
			lines = lines[:1]
		}
		fmt.Fprintf(&t.text, "\n  %s: %s\n", change, strings.Join(lines, "\n    "))
	}
}

// verdict is the verdict in a word and in a sentence.
func (d *Diff) verdict(options TextOptions) (report.Status, string) {
	status, sentence := output.Verdict(d.Head(options.NewOnly), options.FailOnWarn)
	if status == report.Pass && options.NewOnly && d.Summary.Kept.Denied > 0 {
		// With old findings forgiven, the contract does not hold.
		return status, "nothing new breaks the contract, which was broken before"
	}
	if status == report.Pass && options.NewOnly && d.NotJudged != nil && slices.ContainsFunc(d.NotJudged.Kept, report.NotJudged.Undecided) {
		return status, "nothing new breaks the contract, and what was not judged before may be bound by it"
	}
	return status, sentence
}

func (s Summary) text() string {
	counts := func(new, kept, fixed int) string { return fmt.Sprintf("%d new, %d kept, %d fixed", new, kept, fixed) }
	exempted := ""
	if s.Exempted > 0 {
		exempted = fmt.Sprintf(" %d exempted.", s.Exempted)
	}
	return fmt.Sprintf("%s compared%s: %d added, %d removed, %d moved, %d changed, %d unchanged. Denied: %s. Warned: %s.%s %s.",
		plaintext.Count(s.Targets, "target"), output.FromCache(s.Cached, s.Head), s.Added, s.Removed, s.Moved, s.Changed, s.Unchanged,
		counts(s.New.Denied, s.Kept.Denied, s.Fixed.Denied), counts(s.New.Warned, s.Kept.Warned, s.Fixed.Warned), exempted,
		plaintext.Count(s.Errors, "error"))
}

// containerRow is a container that changed.
type containerRow struct {
	target    *Target
	workload  *Workload
	container Container
	change    Change
}

// containerRows lists the containers that changed. A workload that changed and
// has none is listed too.
func (t *Target) containerRows() []containerRow {
	var rows []containerRow
	for i := range t.Workloads {
		w := &t.Workloads[i]
		listed := len(rows)
		for _, c := range w.Containers {
			change := c.Change
			if change == Unchanged && changeOf(w.Role, Added) == Changed {
				change = Changed
			}
			if change != Unchanged {
				rows = append(rows, containerRow{t, w, c, change})
			}
		}
		if len(rows) == listed && w.Change != Unchanged {
			rows = append(rows, containerRow{t, w, Container{Name: "(none)", Type: "container"}, w.Change})
		}
	}
	return rows
}

func (c Container) describe() string {
	if c.Type == "container" {
		return c.Name
	}
	return c.Name + " (" + c.Type + ")"
}

// modeText is a container's mode on both sides, exemption included.
func (c Container) modeText() string {
	var modes Sides[string]
	if c.Mode.Base != nil {
		modes.Base = new(output.ModeText(*c.Mode.Base, *c.Exempt.Base))
	}
	if c.Mode.Head != nil {
		modes.Head = new(output.ModeText(*c.Mode.Head, *c.Exempt.Head))
	}
	return sides(modes)
}

// sides is a value, or both when they differ.
func sides[T ~string](s Sides[T]) string {
	switch {
	case s.Base == nil && s.Head == nil:
		return ""
	case s.Base == nil:
		return string(*s.Head)
	case s.Head == nil || *s.Base == *s.Head:
		return string(*s.Base)
	default:
		return string(*s.Base) + " → " + string(*s.Head)
	}
}
