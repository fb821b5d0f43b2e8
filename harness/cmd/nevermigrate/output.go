package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/proompteng/nevermigrate/harness"
	"github.com/proompteng/nevermigrate/harness/report"
)

// outputs is what the flags say about where a report goes and how it looks.
type outputs struct {
	given      []string
	noColor    bool
	failOnWarn bool
}

// addOutputFlags adds the flags of commands that write a report.
func addOutputFlags(cmd *cobra.Command) *outputs {
	o := &outputs{}
	flags := cmd.Flags()
	flags.StringArrayVarP(&o.given, "output", "o", nil,
		"`FORMAT[=FILE]` of the report: "+formatList()+"; can be given several times, once without a FILE (default table)")
	flags.BoolVar(&o.failOnWarn, "fail-on-warn", false, "exit with status 1 on warnings too")
	flags.BoolVar(&o.noColor, "no-color", false, "print no colours, as the variable NO_COLOR does")
	var completions []string
	for _, format := range report.Formats() {
		completions = append(completions, string(format))
	}
	must(cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(completions, cobra.ShellCompDirectiveNoFileComp)))
	return o
}

// outputHelp says how the flag is used, for the long help of a command.
const outputHelp = `The report goes to standard output as a table. -o FORMAT prints another format
there, and -o FORMAT=FILE writes one to a file besides, in the same run.`

func formatList() string {
	var names []string
	for _, format := range report.Formats() {
		names = append(names, string(format))
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// destination is a format and the file it goes to; no file is standard output.
type destination struct {
	format report.Format
	file   string
}

// destinations reads the flag. Something goes to standard output always: a
// check that says nothing on a terminal looks as if it had done nothing.
func (o *outputs) destinations() ([]destination, error) {
	var printed *destination
	var files []destination
	for _, value := range o.given {
		name, file, toFile := strings.Cut(value, "=")
		d := destination{report.Format(name), file}
		switch {
		case !slices.Contains(report.Formats(), d.format):
			return nil, fmt.Errorf("unknown output %q: use %s", name, formatList())
		case toFile && file == "":
			return nil, fmt.Errorf("output %q: name a file after the equals sign", value)
		case toFile:
			if slices.ContainsFunc(files, func(other destination) bool { return other.file == file }) {
				return nil, fmt.Errorf("output %q: the file is given twice", value)
			}
			files = append(files, d)
		case printed != nil:
			return nil, fmt.Errorf("outputs %s and %s both go to standard output: write one to a file, as in -o %s=FILE", printed.format, name, name)
		default:
			printed = &d
		}
	}
	if printed == nil {
		printed = &destination{format: report.FormatTable}
	}
	return append(files, *printed), nil
}

// check reports a mistake in the flags, before anything is judged.
func (o *outputs) check(cmd *cobra.Command) error {
	if _, err := o.destinations(); err != nil {
		return usageError(cmd, err)
	}
	return nil
}

// write writes the report wherever it goes, and returns its exit status as an
// error unless the contract holds. Judging says by which policy, whose rules
// some formats describe.
func (o *outputs) write(cmd *cobra.Command, result *report.Report, judging harness.Options) error {
	return o.writeWith(cmd, result.Write, result.ExitStatus(o.failOnWarn), judging)
}

// writeFunc writes something in a format.
type writeFunc func(w io.Writer, format report.Format, options report.WriteOptions) error

// writeWith is write for anything that can be written in a report's formats.
func (o *outputs) writeWith(cmd *cobra.Command, write writeFunc, status int, judging harness.Options) error {
	destinations, err := o.destinations()
	if err != nil {
		return usageError(cmd, err)
	}
	options := report.WriteOptions{FailOnWarn: o.failOnWarn, Version: programVersion()}
	for _, d := range destinations {
		if (d.format == report.FormatSARIF || d.format == report.FormatHTML) && options.Rules == nil {
			if options.Rules, err = harness.Rules(judging); err != nil {
				return err
			}
		}
		if d.file != "" {
			err = writeFile(d.file, func(w io.Writer) error { return write(w, d.format, options) })
		} else {
			printing := options
			printing.Color = colored(cmd.OutOrStdout(), o.noColor)
			err = write(cmd.OutOrStdout(), d.format, printing)
		}
		if err != nil {
			return err
		}
	}
	if status != report.ExitHolds {
		return exitStatus(status)
	}
	return nil
}

// writeFile writes a file as a whole or not at all. It replaces a regular file
// and nothing else: in a pull request from somebody unknown the name may be a
// symbolic link to a file that is none of its business.
func writeFile(name string, write func(io.Writer) error) (err error) {
	info, err := os.Lstat(name)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("write %s: it is there and not a regular file", name)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("write %s: %w", name, err)
	}
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(file.Name())
		}
	}()
	if err := write(file); err != nil {
		return err
	}
	// As os.Create would leave it; CreateTemp makes files that others cannot read.
	if err := file.Chmod(0o644); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.Rename(file.Name(), name); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// colored reports whether to use colours: on a terminal, unless the user does
// not want them (https://no-color.org).
func colored(w io.Writer, noColor bool) bool {
	file, ok := w.(*os.File)
	return ok && !noColor && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(file.Fd()))
}
