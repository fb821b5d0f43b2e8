//go:build unix

package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/manual"
)

// TestManPage: the help has the form of which a man page is made.
func TestManPage(t *testing.T) {
	got, err := manual.ManOfHelp(help)
	if err != nil {
		t.Fatal(err)
	}
	const want = `.TH MIGRATIONS\-GUARD 1 "" nevermigrate "User Commands"
.SH NAME
migrations\-guard \- starts a command only when it would not run migrations
.SH SYNOPSIS
migrations\-guard [flags] [\-\-] [COMMAND [ARGUMENT...]]
.SH DESCRIPTION
.PP
Without a command it only checks. One line of JSON on standard error says what the mode is; standard output is the command\(aqs.
.PP
.RS
.nf
\-\-variable NAME      the migrations variable (default JANGAR_MIGRATIONS)
\-\-skip\-value VALUE   a value that skips migrations; repeat it for more (default
                     skip, disabled, false, 0 and off)
\-\-hint TEXT          where the variable is set, for the error message (default
                     controllers.env.vars.NAME in the chart\(aqs values)
\-\-version            print the version
\-\-help               print this
.fi
.RE
.PP
A flag wins over its variable:
.PP
.RS
.nf
MIGRATIONS_GUARD_VARIABLE      as \-\-variable
MIGRATIONS_GUARD_SKIP_VALUES   as \-\-skip\-value, with commas between
MIGRATIONS_GUARD_HINT          as \-\-hint
.fi
.RE
.PP
Exit status, unless it is the command\(aqs: 0 a check that held, 64 bad usage, 78 the mode is not skip, 126 the command cannot be run, 127 it was not found.
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("man page (-want +got):\n%s", diff)
	}
}
