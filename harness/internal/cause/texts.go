package cause

import (
	"context"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/report"
)

// maxTextAttempts bounds the attempts with one text.
const maxTextAttempts = 30

// settingLine is a line of a text that sets a variable, as an env file does.
var settingLine = regexp.MustCompile(`^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)=[ \t]*$`)

// copiedFromTexts are, for each text that a generator or a template reads, attempts
// with the places in it that hold the container's value.
func (s *search) copiedFromTexts(now declaration) [][]attempt {
	if !now.literal || strings.TrimSpace(now.value) == "" {
		return nil
	}
	value := strings.TrimSpace(now.value)
	// What a Secret holds is copied as it is encoded there. It is not told.
	secret, _ := base64.StdEncoding.DecodeString(value)
	var all [][]attempt
	for _, t := range s.sources.texts {
		if attempts := s.replacingWord(t, value); attempts != nil {
			all = append(all, attempts)
		}
		if attempts := s.replacingWord(t, strings.TrimSpace(string(secret))); attempts != nil {
			for _, a := range attempts {
				a.cause.Value = ""
			}
			all = append(all, attempts)
		}
	}
	return all
}

// replacingWord are attempts with each place of a text that holds a word.
func (s *search) replacingWord(t *source, word string) []attempt {
	by := s.right
	if word == by {
		by = strings.ToUpper(by)
	}
	var attempts []attempt
	for _, start := range words(string(t.text), word) {
		if len(attempts) < maxTextAttempts {
			attempts = append(attempts, textAttempt(t, start, word, by))
		}
	}
	return attempts
}

// words are where a text holds a word.
func words(text, word string) []int {
	var found []int
	for start := 0; word != ""; {
		at := strings.Index(text[start:], word)
		if at < 0 {
			return found
		}
		start += at + len(word)
		isPart := func(c byte) bool {
			return c == '_' || c == '-' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
		}
		begin := start - len(word)
		if (begin == 0 || !isPart(text[begin-1])) && (start == len(text) || !isPart(text[start])) {
			found = append(found, begin)
		}
	}
	return found
}

// textAttempt replaces a word in a text.
func textAttempt(t *source, start int, value, by string) attempt {
	a := templateAttempt(t, start, start+len(value), by)
	a.cause.Path, a.cause.Layer, a.cause.Value = "", t.layer, value
	before, after := string(t.text[:start]), string(t.text[start+len(value):])
	line := before[strings.LastIndexByte(before, '\n')+1:]
	rest, _, _ := strings.Cut(after, "\n")
	change := fmt.Sprintf("replace %q by %q", value, by)
	if key := settingLine.FindStringSubmatch(line); key != nil && strings.TrimSpace(rest) == "" {
		a.cause.Path, a.cause.Column = key[1], 1
		change = fmt.Sprintf("set the line to %s%s", strings.TrimSpace(line), by)
	}
	a.fix = report.Fix{File: t.shown, Line: a.cause.Line, Path: a.cause.Path, Change: change}
	return a
}

// firstInTexts is the first attempt that shows something, of those with texts. What
// all places of a text together do not show, none of them does.
func (s *search) firstInTexts(ctx context.Context, edits []edit, texts [][]attempt, shows func(*rendering) bool) *attempt {
	for _, attempts := range texts {
		together := slices.Clone(edits)
		for _, a := range attempts {
			together = append(together, a.edits...)
		}
		if after := s.try(ctx, together...); after.err == nil && !shows(after) {
			continue
		}
		if found := s.first(ctx, edits, attempts, shows); found != nil {
			return found
		}
	}
	return nil
}

// scripts are attempts with the lines of texts that change the variable.
func (s *search) scripts() []attempt {
	var attempts []attempt
	for _, t := range s.sources.texts {
		text := string(t.text)
		at := 0
		for line := range strings.Lines(text) {
			if left, cut := s.without(line); cut != "" && len(attempts) < maxTextAttempts {
				start := at + strings.Index(line, cut)
				a := templateAttempt(t, at, at+len(line), left)
				a.cause.Column += strings.Index(line, cut)
				a.cause.Path, a.cause.Layer, a.cause.Value = "", t.layer, short(cut)
				a.fix = report.Fix{File: t.shown, Line: 1 + strings.Count(text[:start], "\n"), Change: fmt.Sprintf("take %q out of the line", cut)}
				attempts = append(attempts, a)
			}
			at += len(line)
		}
	}
	return attempts
}
