//go:build unix

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/mode"
)

const help = `migrations-guard starts a command only when it would not run migrations.

  migrations-guard [flags] [--] [COMMAND [ARGUMENT...]]

Without a command it only checks. One line of JSON on standard error says what
the mode is; standard output is the command's.

  --variable NAME      the migrations variable (default JANGAR_MIGRATIONS)
  --skip-value VALUE   a value that skips migrations; repeat it for more (default
                       skip, disabled, false, 0 and off)
  --hint TEXT          where the variable is set, for the error message (default
                       controllers.env.vars.NAME in the chart's values)
  --version            print the version
  --help               print this

A flag wins over its variable:

  MIGRATIONS_GUARD_VARIABLE      as --variable
  MIGRATIONS_GUARD_SKIP_VALUES   as --skip-value, with commas between
  MIGRATIONS_GUARD_HINT          as --hint

Exit status, unless it is the command's: 0 a check that held, 64 bad usage,
78 the mode is not skip, 126 the command cannot be run, 127 it was not found.
`

// settings is what the arguments and the environment ask for.
type settings struct {
	rules         mode.Rules
	hint          string
	command       []string
	help, version bool
}

// setting is something that a flag sets, or else a variable.
type setting struct {
	name   string
	values []string
	// flag is what messages call it.
	flag string
	twin string
}

// parse reads the arguments, and from the environment what they leave out. What
// is wrong in either is an error: a typo must not disarm the guard.
func parse(args, environ []string) (settings, error) {
	s := settings{rules: mode.Defaults()}
	variable := setting{flag: "--variable", twin: "MIGRATIONS_GUARD_VARIABLE"}
	skipValues := setting{flag: "--skip-value", twin: "MIGRATIONS_GUARD_SKIP_VALUES"}
	hint := setting{flag: "--hint", twin: "MIGRATIONS_GUARD_HINT"}

	flags := flag.NewFlagSet("migrations-guard", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	all := []*setting{&variable, &skipValues, &hint}
	for _, setting := range all {
		flags.Func(strings.TrimLeft(setting.flag, "-"), "", func(value string) error {
			setting.values = append(setting.values, value)
			return nil
		})
	}
	flags.BoolVar(&s.version, "version", false, "")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		s.help = true
	case err != nil:
		// Its text repeats the arguments as they are.
		return s, errors.New(printable(err.Error()))
	}
	s.command = flags.Args()
	if s.help || s.version {
		// An init container that prints its version and succeeds checks nothing.
		if len(s.command) > 0 {
			return s, errors.New("--help and --version stand alone, without a command")
		}
		return s, nil
	}

	for _, setting := range []*setting{&variable, &hint} {
		if len(setting.values) > 1 {
			return s, fmt.Errorf("%s: given %d times", setting.flag, len(setting.values))
		}
	}
	for _, setting := range all {
		if err := setting.lookUp(environ); err != nil {
			return s, err
		}
	}
	for _, name := range variable.values {
		if err := mode.CheckVariable(name); err != nil {
			return s, fmt.Errorf("%s: %w", variable.name, err)
		}
		s.rules.Variable = name
	}
	s.hint = fmt.Sprintf("controllers.env.vars.%s in the chart's values", s.rules.Variable)
	for _, text := range hint.values {
		if text == "" {
			return s, fmt.Errorf("%s: empty: say where the variable is set, or leave it out", hint.name)
		}
		s.hint = printable(text)
	}
	if len(skipValues.values) > 0 {
		s.rules.SkipValues = skipValues.values
		if skipValues.name == skipValues.twin {
			s.rules.SkipValues = strings.Split(skipValues.values[0], ",")
		}
	}
	for _, value := range s.rules.SkipValues {
		if err := mode.CheckSkipValue(value); err != nil {
			return s, fmt.Errorf("%s: %w", skipValues.name, err)
		}
	}
	return s, nil
}

// lookUp takes from the environment what no flag has set. A variable that is
// there twice with different values is an error, for nobody knows which counts.
func (s *setting) lookUp(environ []string) error {
	s.name = s.flag
	if len(s.values) > 0 {
		return nil
	}
	s.name = s.twin
	found := valuesOf(s.twin, environ)
	slices.Sort(found)
	if found = slices.Compact(found); len(found) > 1 {
		return fmt.Errorf("%s: set more than once in the environment, with different values", s.twin)
	}
	s.values = found
	return nil
}

// valuesOf gives the values that an environment has for a variable, in order.
func valuesOf(name string, environ []string) []string {
	var values []string
	for _, entry := range environ {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			values = append(values, value)
		}
	}
	return values
}

// printable escapes what a terminal might not print as it is.
func printable(text string) string {
	quoted := strconv.QuoteToASCII(text)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
