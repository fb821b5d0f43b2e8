//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf16"

	"github.com/proompteng/nevermigrate/harness/internal/mode"
	"github.com/proompteng/nevermigrate/harness/internal/version"
)

// action is what the guard does about the mode.
type action string

const (
	start  action = "exec"
	check  action = "check"
	refuse action = "refuse"
)

// verdict is the line that the guard writes, with its keys in this order.
type verdict struct {
	Guard        string    `json:"guard"`
	Version      string    `json:"version"`
	Mode         mode.Mode `json:"mode"`
	Variable     string    `json:"variable"`
	Value        *string   `json:"value"`
	Set          bool      `json:"set"`
	Declarations int       `json:"declarations"`
	Source       string    `json:"source"`
	SkipValues   []string  `json:"skipValues"`
	Action       action    `json:"action"`
	Command      string    `json:"command,omitempty"`
	// complaint says what to do when the action is refuse.
	complaint string
}

// judge resolves the mode. Which of several declarations counts depends on the
// program that reads them, so all must say skip.
func judge(s settings, environ []string) verdict {
	values := valuesOf(s.rules.Variable, environ)
	v := verdict{
		Guard:        "migrations-guard",
		Version:      version.Program().Version,
		Mode:         mode.Skip,
		Variable:     s.rules.Variable,
		Set:          len(values) > 0,
		Declarations: len(values),
		Source:       "environment",
		SkipValues:   s.rules.SkipValues,
		Action:       check,
	}
	if len(s.command) > 0 {
		v.Action, v.Command = start, cut(s.command[0])
	}
	if !v.Set {
		v.Mode, v.Source, v.Action = s.rules.Resolve("", false), "default", refuse
		v.complaint = complaint(s, "is not set")
		return v
	}
	decisive := cut(values[0])
	migrates := func(value string) bool { return s.rules.Resolve(value, true) != mode.Skip }
	if i := slices.IndexFunc(values, migrates); i >= 0 {
		decisive = cut(values[i])
		v.Mode, v.Action = mode.Auto, refuse
		found := "is "
		if len(values) > 1 {
			found = fmt.Sprintf("is set %d times, once to ", len(values))
		}
		v.complaint = complaint(s, found+strconv.QuoteToASCII(decisive))
	}
	v.Value = &decisive
	return v
}

// complaint says what is set, what to set, and where.
func complaint(s settings, found string) string {
	stopped := "this check fails"
	if len(s.command) > 0 {
		stopped = strconv.QuoteToASCII(cut(s.command[0])) + " is not started"
	}
	return fmt.Sprintf("%s: %s %s, so the service would run migrations, and controllers never do. Set %s to %s, once: %s.",
		stopped, s.rules.Variable, found, s.rules.Variable, strconv.Quote(s.rules.Plain()), s.hint)
}

// line gives the verdict as one line of JSON in ASCII.
func (v verdict) line() []byte {
	text, err := json.Marshal(v)
	if err != nil {
		// There is nothing in a verdict that JSON cannot hold.
		panic(err)
	}
	var line []byte
	for _, unit := range utf16.Encode([]rune(string(text))) {
		if unit < 0x7f {
			line = append(line, byte(unit))
		} else {
			line = fmt.Appendf(line, `\u%04x`, unit)
		}
	}
	return append(line, '\n')
}

// cut shortens what may be as long as the kernel allows.
func cut(text string) string {
	shown := mode.Cut(text, 256)
	if len(shown) < len(text) {
		shown += "..."
	}
	return shown
}
