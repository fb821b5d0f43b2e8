package appset

import (
	"regexp"
	"strings"
)

var (
	notInName = regexp.MustCompile("[^-a-z0-9.]")
	notInSlug = regexp.MustCompile("[^a-zA-Z0-9-_]")
	dashes    = regexp.MustCompile("-+")
)

// normalize is SanitizeName of applicationset/utils/template_functions.go: a name
// as DNS has it.
func normalize(name string) string {
	const longest = 253
	name = notInName.ReplaceAllString(strings.ToLower(name), "-")
	if len(name) > longest {
		name = name[:longest]
	}
	return strings.Trim(name, "-.")
}

// slugify is SlugifyName of applicationset/utils/utils.go: a length, whether whole
// words are cut, and last the name; of the first two each may be left out.
// Arguments of another type panic, which is an error of the template.
func slugify(arguments ...any) string {
	length, smart, name := 50, true, ""
	for i, argument := range arguments {
		switch i {
		case len(arguments) - 1:
			name = argument.(string)
		case 0:
			length = argument.(int)
		case 1:
			smart = argument.(bool)
		}
	}
	return slug(normalize(name), length, smart)
}

// slug is Make of github.com/gosimple/slug v1.15.0 for a text that is ASCII
// already.
func slug(text string, length int, smart bool) string {
	if !smart && len(text) >= length {
		text = text[:length]
	}
	text = notInSlug.ReplaceAllString(text, "-")
	text = dashes.ReplaceAllString(text, "-")
	text = strings.Trim(text, "-_")
	if length <= 0 || !smart || len(text) <= length {
		return text
	}
	for i := length; i >= 0; i-- {
		if text[i] == '-' {
			return text[:i]
		}
	}
	return text[:length]
}
