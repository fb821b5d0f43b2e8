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

	"github.com/proompteng/nevermigrate/harness/internal/catalogue"
	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/output"
	"github.com/proompteng/nevermigrate/harness/internal/version"
	"github.com/proompteng/nevermigrate/harness/report"
)

// outputs is what the flags say about where a report goes and how it looks.
type outputs struct {
	given []string
	// from is where in the configuration they come from; empty: from the flag.
	from string
	// destinations are what is given, once it was checked.
	destinations []destination
	noColor      bool
	failOnWarn   bool
	quiet        bool
	wide         bool
}

// addOutputFlags adds the flags of commands that write a report.
func addOutputFlags(cmd *cobra.Command) *outputs {
	o := &outputs{}
	flags := cmd.Flags()
	flags.StringArrayVarP(&o.given, "output", "o", nil,
		"`FORMAT[=FILE]` of the report: "+formatList()+"; can be given several times, once without a FILE (default table)")
	flags.BoolVar(&o.failOnWarn, "fail-on-warn", false, "exit with status 1 on warnings too")
	flags.BoolVar(&o.wide, "wide", false, "give the table every column, also where all workloads have the same namespace and constraint")
	flags.BoolVar(&o.noColor, "no-color", false, "print no colours, as the variable NO_COLOR does")
	must(cmd.RegisterFlagCompletionFunc("output", completeOutput))
	return o
}

// outputHelp says how the flag is used, for the long help of a command.
const outputHelp = `The report goes to standard output as a table. -o FORMAT prints another format
there, and -o FORMAT=FILE writes one to a file besides, in the same run.`

func formatNames() []string {
	var names []string
	for _, format := range output.Formats() {
		names = append(names, string(format))
	}
	return names
}

func formatList() string {
	names := formatNames()
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// destination is a format and the file it goes to; no file is standard output.
type destination struct {
	format report.Format
	file   string
}

// read reads the flag. Something goes to standard output always: a check that
// says nothing on a terminal looks as if it had done nothing.
func (o *outputs) read() ([]destination, error) {
	var printed *destination
	var files []destination
	for _, value := range o.given {
		name, file, toFile := strings.Cut(value, "=")
		d := destination{report.Format(name), file}
		switch {
		case !slices.Contains(output.Formats(), d.format):
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
		printed = &destination{format: output.Table}
	}
	return append(files, *printed), nil
}

// check reports a mistake in the flags, before anything is judged.
func (o *outputs) check(cmd *cobra.Command) (err error) {
	if o.destinations, err = o.read(); err != nil {
		if o.from != "" {
			return fmt.Errorf("%s: outputs: %w", o.from, err)
		}
		return usageError(cmd, err)
	}
	return nil
}

// write writes the report wherever it goes, and returns its exit status as an
// error unless the contract holds. Judging says by which policy, whose rules
// some formats describe.
func (o *outputs) write(cmd *cobra.Command, result *report.Report, judging check.Options) error {
	write := func(w io.Writer, format report.Format, options output.Options) error {
		return output.Write(w, result, format, options)
	}
	return o.writeWith(cmd, write, result.ExitStatus(o.failOnWarn), judging)
}

// writeFunc writes something in a format.
type writeFunc func(w io.Writer, format report.Format, options output.Options) error

// writeWith is write for anything that can be written in a report's formats.
func (o *outputs) writeWith(cmd *cobra.Command, write writeFunc, status int, judging check.Options) error {
	options := output.Options{FailOnWarn: o.failOnWarn, Quiet: o.quiet, Wide: o.wide, Version: version.Program().Version, Rules: func() ([]catalogue.Rule, error) {
		return check.Rules(cmd.Context(), judging)
	}}
	for _, d := range o.destinations {
		writeOne := func(w io.Writer) error { return write(w, d.format, options) }
		if d.file != "" {
			if err := writeFile(d.file, writeOne); err != nil {
				return err
			}
			continue
		}
		// Standard output is the last of them, and files have no colours.
		options.Color = colored(cmd.OutOrStdout(), o.noColor)
		if err := writeOne(cmd.OutOrStdout()); err != nil {
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
	err = file.Chmod(0o644)
	if err == nil {
		err = file.Close()
	}
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// colored reports whether to use colours: on a terminal, unless the user does
// not want them (https://no-color.org).
func colored(w io.Writer, noColor bool) bool {
	return !noColor && os.Getenv("NO_COLOR") == "" && isTerminal(w)
}
