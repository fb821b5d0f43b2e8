package diff

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/fatih/color"

	"github.com/proompteng/nevermigrate/harness/report"
)

// TextOptions say how a diff is written for people.
type TextOptions struct {
	// Color paints it for a terminal.
	Color bool
	// NewOnly and FailOnWarn say what the verdict counts; see ExitStatus.
	NewOnly, FailOnWarn bool
}

// WriteTable writes the diff for people: each target that changed or that has
// findings, and a last line with the verdict and counts.
func (d *Diff) WriteTable(w io.Writer, options TextOptions) error {
	t := table{options: options}
	fmt.Fprintf(&t.text, "%s\n\n", report.Clean(d.Base.describe()))
	for i := range d.Targets {
		if d.Targets[i].isWorthShowing() {
			t.target(&d.Targets[i])
		}
	}
	t.summary(d)
	if _, err := w.Write(t.text.Bytes()); err != nil {
		return fmt.Errorf("write diff: %w", err)
	}
	return nil
}

// describe says what is compared with what.
func (b Base) describe() string {
	what := ""
	if b.MergeBase {
		what = ", its merge base with HEAD"
	}
	return fmt.Sprintf("Base: %s (commit %.12s%s). Head: the working tree.", b.Revision, b.Commit, what)
}

// isWorthShowing reports whether there is more to say of a target than that it
// is there and as it was.
func (t *Target) isWorthShowing() bool {
	return t.Change != Unchanged || len(t.Findings.New)+len(t.Findings.Kept)+len(t.Findings.Fixed) > 0
}

// verdict is the target's verdict; empty for one that was removed.
func (t *Target) verdict(newOnly bool) report.Status {
	counted := Counts{}
	counted.add(t.Findings.New)
	if !newOnly {
		counted.add(t.Findings.Kept)
	}
	switch {
	case t.Status == "" || t.Status == report.Error:
		return t.Status
	case counted.Denied > 0:
		return report.Fail
	default:
		return report.Pass
	}
}

type table struct {
	text    bytes.Buffer
	options TextOptions
}

func (t *table) target(target *Target) {
	name := target.Path
	if target.BasePath != "" {
		name = target.BasePath + " → " + name
	}
	fmt.Fprintf(&t.text, "%s: %s\n", report.Clean(name), t.heading(target))
	if target.Error != "" {
		fmt.Fprintf(&t.text, "  %s\n", report.CleanLines(target.Error))
	}
	if target.BaseError != "" {
		fmt.Fprintf(&t.text, "  %s\n  %s\n", baseUnjudged, report.CleanLines(target.BaseError))
	}
	t.containers(target.containerRows())
	if target.LostControllers && target.Change != Removed {
		fmt.Fprintf(&t.text, "  %s\n", t.paint(color.FgYellow, lostControllers))
	}
	for i := range target.Findings.New {
		t.finding("new", &target.Findings.New[i], true)
	}
	for i := range target.Findings.Kept {
		t.finding("kept", &target.Findings.Kept[i], !t.options.NewOnly)
	}
	for i := range target.Findings.Fixed {
		t.finding("fixed", &target.Findings.Fixed[i], false)
	}
	t.text.WriteByte('\n')
}

// lostControllers is said of a target without any controllers workload, which
// no rule looks at any more.
const lostControllers = "The base side had controllers workloads here, and the head side has none: nothing is bound by the contract any more."

const baseUnjudged = "The base side could not be judged, so every finding counts as new."

func (t *table) heading(target *Target) string {
	change := ""
	if target.Change != Changed && target.Change != Unchanged {
		change = " (" + string(target.Change) + ")"
	}
	status := target.verdict(t.options.NewOnly)
	if status == "" {
		return string(target.Change)
	}
	return t.status(status) + change
}

func (t *table) status(status report.Status) string {
	switch status {
	case report.Pass:
		return t.paint(color.FgGreen, string(status))
	case report.Fail:
		return t.paint(color.FgRed, string(status))
	default:
		return t.paint(color.FgYellow, string(status))
	}
}

// containers lists the containers that changed.
func (t *table) containers(changed []containerRow) {
	if len(changed) == 0 {
		return
	}
	var rows [][]string
	constraints := slices.ContainsFunc(changed, func(r containerRow) bool { return r.workload.Constraint != "" })
	row := func(constraint string, cells ...string) {
		if constraints {
			cells = slices.Insert(cells, len(cells)-1, constraint)
		}
		rows = append(rows, cells)
	}
	row("CONSTRAINT", "CHANGE", "WORKLOAD", "NAMESPACE", "ROLE", "CONTAINER", "MODE")
	for _, r := range changed {
		w := r.workload
		row(report.TableCell(w.Constraint), string(r.change), report.TableCell(w.Kind+"/"+w.Name), report.TableCell(w.Namespace),
			report.TableCell(w.roleText()), report.TableCell(r.container.describe()), t.mode(w, r.container))
	}
	// The mode comes last: colours would upset the width of another column.
	columns := tabwriter.NewWriter(&t.text, 0, 0, 2, ' ', 0)
	for _, cells := range rows {
		fmt.Fprintf(columns, "  %s\n", strings.TrimRight(strings.Join(cells, "\t"), "\t"))
	}
	columns.Flush()
}

func (w *Workload) roleChanged() bool {
	return w.Role.Base != nil && w.Role.Head != nil && *w.Role.Base != *w.Role.Head
}

func (w *Workload) roleText() string {
	return sides(w.Role, func(r report.Role) string { return string(r) })
}

func (c Container) describe() string {
	if c.Type == "container" {
		return c.Name
	}
	return c.Name + " (" + c.Type + ")"
}

// sides is a value, or both when they differ.
func sides[T comparable](s Sides[T], text func(T) string) string {
	switch {
	case s.Base == nil && s.Head == nil:
		return ""
	case s.Base == nil:
		return text(*s.Head)
	case s.Head == nil || *s.Base == *s.Head:
		return text(*s.Base)
	default:
		return text(*s.Base) + " → " + text(*s.Head)
	}
}

// modeText is a container's mode on both sides, exemption included.
func (c Container) modeText() string {
	type state struct {
		mode   report.Mode
		exempt bool
	}
	var states Sides[state]
	if c.Mode.Base != nil {
		states.Base = &state{*c.Mode.Base, *c.Exempt.Base}
	}
	if c.Mode.Head != nil {
		states.Head = &state{*c.Mode.Head, *c.Exempt.Head}
	}
	return sides(states, func(s state) string {
		text := string(s.mode)
		if s.exempt {
			text += " (exempt)"
		}
		return text
	})
}

// mode paints what matters: a controllers container is right only with skip.
func (t *table) mode(w *Workload, c Container) string {
	text := report.Clean(c.modeText())
	switch {
	case w.Role.Head == nil || *w.Role.Head != report.Controllers || c.Mode.Head == nil || *c.Exempt.Head:
		return text
	case *c.Mode.Head == report.Skip:
		return t.paint(color.FgGreen, text)
	default:
		return t.paint(color.FgRed, text)
	}
}

func (t *table) finding(change string, finding *report.Finding, whole bool) {
	text := finding.TableText(t.options.Color)
	if !whole {
		text, _, _ = strings.Cut(text, "\n")
		fmt.Fprintf(&t.text, "\n  %s: %s\n", change, text)
		return
	}
	fmt.Fprintf(&t.text, "\n  %s: %s\n", change, text)
}

func (t *table) summary(d *Diff) {
	word, sentence := d.verdict(t.options)
	fmt.Fprintf(&t.text, "%s: %s. %s\n", t.status(word), sentence, d.Summary.text())
}

// verdict is the verdict in a word and in a sentence.
func (d *Diff) verdict(options TextOptions) (report.Status, string) {
	switch d.ExitStatus(options.NewOnly, options.FailOnWarn) {
	case report.ExitHolds:
		return report.Pass, d.passes(options.NewOnly)
	case report.ExitBroken:
		if d.denies(options.NewOnly) == 0 {
			return report.Fail, "there are warnings"
		}
		return report.Fail, "the contract is broken"
	default:
		return report.Error, "it could not be decided"
	}
}

// denies counts the findings that break the contract.
func (d *Diff) denies(newOnly bool) int {
	return d.Head(newOnly).Summary.Denied
}

// passes says what is right: with old findings forgiven, the contract does not
// hold.
func (d *Diff) passes(newOnly bool) string {
	if newOnly && d.Summary.Kept.Denied > 0 {
		return "nothing new breaks the contract, which was broken before"
	}
	return "the contract holds"
}

func (s Summary) text() string {
	return fmt.Sprintf("%s compared: %d added, %d removed, %d moved, %d changed, %d unchanged. Denied: %s. Warned: %s. %s.",
		count(s.Targets, "target"), s.Added, s.Removed, s.Moved, s.Changed, s.Unchanged,
		counts(s.New.Denied, s.Kept.Denied, s.Fixed.Denied), counts(s.New.Warned, s.Kept.Warned, s.Fixed.Warned),
		count(s.Errors, "error"))
}

func counts(new, kept, fixed int) string {
	return fmt.Sprintf("%d new, %d kept, %d fixed", new, kept, fixed)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

func (t *table) paint(attribute color.Attribute, text string) string {
	c := color.New(attribute)
	if t.options.Color {
		c.EnableColor()
	} else {
		c.DisableColor()
	}
	return c.Sprint(text)
}
