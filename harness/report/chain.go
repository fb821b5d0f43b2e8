package report

import (
	"fmt"
	"strconv"
)

// chain tells where a finding comes from, a line each: its causes, what they
// override, and the fix.
func (f *Finding) chain() []string {
	var lines []string
	for i := range f.Causes {
		word := "Cause: "
		if i > 0 {
			word = "Cause too: "
		}
		lines = append(lines, word+f.Causes[i].describe())
	}
	for i := range f.Overridden {
		lines = append(lines, "Overrides: "+f.Overridden[i].describe())
	}
	if f.CausesTruncated {
		lines = append(lines, truncatedNote)
	}
	if f.Fix != nil {
		lines = append(lines, f.Fix.describe())
	}
	return lines
}

const truncatedNote = "The search for causes ended at its bound, so there may be others."

// describe is a cause as a sentence without a full stop.
func (c *Cause) describe() string {
	text := c.place()
	if c.Path != "" {
		text += " " + clean(c.Path)
	}
	if c.Value != "" {
		text += " is " + logCommands.Replace(strconv.Quote(c.Value))
	}
	if c.Layer != "" {
		text += " (" + clean(string(c.Layer)) + ")"
	}
	return text
}

// place is the cause's file, line and column as compilers write them.
func (c *Cause) place() string {
	place := filePlace(c.File, c.Line)
	if c.Line > 0 && c.Column > 0 {
		place += ":" + strconv.Itoa(c.Column)
	}
	return place
}

func filePlace(file string, line int) string {
	if line > 0 {
		return clean(file) + ":" + strconv.Itoa(line)
	}
	return clean(file)
}

// Title says whether somebody has tried the fix.
func (f *Fix) Title() string {
	if f.Verified {
		return "Fix (verified)"
	}
	return "Fix (not verified)"
}

func (f *Fix) describe() string {
	return fmt.Sprintf("%s: in %s %s", f.Title(), filePlace(f.File, f.Line), clean(f.Change))
}

// where is what a finding is about, below the target.
func (f *Finding) where() string {
	where := clean(f.Workload)
	if f.Workload == "" {
		return "the whole target"
	}
	if f.Namespace != "" {
		where += " in namespace " + clean(f.Namespace)
	}
	if f.Container != "" {
		where += ", container " + clean(f.Container)
	}
	return where
}
