package mode

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Rules say which variable decides, and which of its values skip migrations.
type Rules struct {
	// Variable is the migrations variable.
	Variable string
	// SkipValues are the values that keep the service from migrating, as the
	// service compares them: lower case, ASCII, nothing around them.
	SkipValues []string
}

// Defaults gives the rules of a service that nobody has renamed a thing of.
func Defaults() Rules {
	return Rules{
		Variable:   "JANGAR_MIGRATIONS",
		SkipValues: []string{"skip", "disabled", "false", "0", "off"},
	}
}

// FromParameters gives the rules that the parameters of a constraint set, and
// the defaults for what they leave out. Keys that say nothing about the mode
// are left alone. What the policy refuses in envVar and skipValues, a wrong
// type among it, is an error here; all that is wrong is in it.
func FromParameters(parameters map[string]any) (Rules, error) {
	rules := Defaults()
	var wrong []error
	if found, ok := parameters["envVar"]; ok {
		name, isString := found.(string)
		err := CheckVariable(name)
		if !isString {
			err = fmt.Errorf("%s where a string is expected", describedType(found))
		}
		wrong = append(wrong, at("envVar", err))
		rules.Variable = name
	}
	if found, ok := parameters["skipValues"]; ok {
		entries, isList := found.([]any)
		switch {
		case !isList:
			wrong = append(wrong, fmt.Errorf("skipValues: %s where a list of strings is expected", describedType(found)))
		case len(entries) == 0:
			wrong = append(wrong, errors.New("skipValues: empty: name at least one, or leave it out to use the default"))
		}
		rules.SkipValues = make([]string, len(entries))
		for i, entry := range entries {
			value, isString := entry.(string)
			err := CheckSkipValue(value)
			if !isString {
				err = fmt.Errorf("%s where a string is expected: write it in quotes", describedType(entry))
			}
			wrong = append(wrong, at(fmt.Sprintf("skipValues[%d]", i), err))
			rules.SkipValues[i] = value
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return Rules{}, fmt.Errorf("read parameters: %w", err)
	}
	return rules, nil
}

// at says where an error stands; none stays none.
func at(place string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", place, err)
}

// Plain is the spelling that remedies recommend.
func (r Rules) Plain() string {
	if len(r.SkipValues) == 0 || slices.Contains(r.SkipValues, string(Skip)) {
		return string(Skip)
	}
	return r.SkipValues[0]
}

var variablePattern = regexp.MustCompile(`\A[-._a-zA-Z][-._a-zA-Z0-9]*\z`)

// CheckVariable gives an error for what Kubernetes does not take as the name of
// an environment variable.
func CheckVariable(name string) error {
	if !variablePattern.MatchString(name) {
		return fmt.Errorf("%s cannot be the name of an environment variable: use letters, digits, _, - and . only, and do not start with a digit", quoted(name))
	}
	return nil
}

var skipValuePattern = regexp.MustCompile(`\A[!-~]([ -~]*[!-~])?\z`)

// CheckSkipValue gives an error for a skip value that the service never
// compares anything with, and for the one that makes it migrate.
func CheckSkipValue(value string) error {
	switch {
	case value == "":
		return errors.New("an empty string: remove the entry or write what it stands for")
	case value == string(Auto):
		return fmt.Errorf("%s makes the service migrate: remove the entry", quoted(value))
	case !skipValuePattern.MatchString(value) || strings.ToLower(value) != value || strings.Contains(value, "$"):
		return fmt.Errorf("no value of the service is compared with %s: write skip values in lower case, in ASCII, without $ and without white space around them", quoted(value))
	}
	return nil
}

// longest is how many characters of a value a message shows.
const longest = 60

// quoted gives a text in quotes, with all but printable ASCII escaped, cut at a
// length that fits on a line.
func quoted(text string) string {
	cut := Cut(text, longest)
	if len(cut) < len(text) {
		return strconv.QuoteToASCII(cut) + "..."
	}
	return strconv.QuoteToASCII(text)
}

// Cut gives the first characters of a text, as many as a number says.
func Cut(text string, most int) string {
	count := 0
	for i := range text {
		if count == most {
			return text[:i]
		}
		count++
	}
	return text
}

// describedType gives the type of a value in the words of YAML.
func describedType(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case []any:
		return "a list"
	case map[string]any:
		return "a map"
	default:
		return "a number"
	}
}
