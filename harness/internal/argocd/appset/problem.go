package appset

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Problem is why an ApplicationSet makes no Applications.
type Problem struct {
	// Set is the name of the ApplicationSet.
	Set string
	Place
	Message string
	// Remedy is what the user can do.
	Remedy string
	// Refused says that Argo CD may well make Applications of it, which cannot be
	// known here.
	Refused bool
}

func (p *Problem) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "ApplicationSet %s: ", p.Set)
	if p.Path != "" {
		text.WriteString(p.Path)
		if p.Line != 0 {
			fmt.Fprintf(&text, " (line %d)", p.Line)
		}
		text.WriteString(": ")
	}
	text.WriteString(p.Message)
	if p.Remedy != "" {
		text.WriteString(": " + p.Remedy)
	}
	return text.String()
}

// named is an error with the name of its ApplicationSet.
func named(err error, set string) error {
	var problem *Problem
	if errors.As(err, &problem) {
		problem.Set = set
		return problem
	}
	return fmt.Errorf("ApplicationSet %s: %w", set, err)
}

func nameOf(content map[string]any) string {
	metadata, _ := content["metadata"].(map[string]any)
	if name, ok := metadata["name"].(string); ok && name != "" {
		return name
	}
	return "without a name"
}

// refusal is why something cannot be known here. It goes through functions that
// know no place.
type refusal struct{ message, remedy string }

func (r *refusal) Error() string { return r.message + ": " + r.remedy }

// failed is an error in a place, with where the parameters came from.
func failed(at spot, err error, origins []Origin) error {
	var problem *Problem
	if errors.As(err, &problem) {
		return problem
	}
	var field *fieldError
	if errors.As(err, &field) {
		at, err = at.follow(field.path), field.err
	}
	problem = &Problem{Place: at.place()}
	var refused *refusal
	if errors.As(err, &refused) {
		problem.Message, problem.Remedy, problem.Refused = refused.message, refused.remedy, true
	} else {
		problem.Message, problem.Remedy = plain(err), "correct it; Argo CD makes no Application of this ApplicationSet either"
	}
	if len(origins) > 0 {
		problem.Message += ", with the parameters of " + from(origins)
	}
	return problem
}

// inTemplate is how text/template begins its errors; every template has this name.
var inTemplate = regexp.MustCompile(`template: base:(\d+)[0-9:]*:? (executing "base" at )?`)

// plain is the text of an error in one line.
func plain(err error) string {
	const most = 400
	text := strings.Join(strings.Fields(err.Error()), " ")
	text = inTemplate.ReplaceAllStringFunc(text, func(begin string) string {
		if line := inTemplate.FindStringSubmatch(begin)[1]; line != "1" {
			return "in its line " + line + ": "
		}
		return ""
	})
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + " …"
	}
	return text
}

// from names where parameters come from.
func from(origins []Origin) string {
	var names []string
	for _, origin := range origins {
		names = append(names, origin.String())
	}
	return strings.Join(names, " and ")
}

// String is the path of an origin, with what was found there.
func (o Origin) String() string {
	text := o.Path
	switch {
	case o.Directory != "":
		text += " (directory " + o.Directory + ")"
	case o.File != "":
		text += " (file " + o.File + ")"
	case o.Cluster != "":
		text += " (cluster " + o.Cluster + ")"
	}
	if o.Line != 0 {
		text += fmt.Sprintf(" in line %d", o.Line)
	}
	return text
}

func duplicate(first, second Application) error {
	where := first.Generator
	if len(second.Origins) > 0 {
		where = second.Origins[len(second.Origins)-1].Place
	}
	return &Problem{
		Place:   where,
		Message: fmt.Sprintf("two Applications have the name %s, of %s and of %s", second.Name, from(first.Origins), from(second.Origins)),
		Remedy:  "give each another metadata.name in spec.template",
	}
}

func noName(application Application, top spot) error {
	message := "an Application has no name"
	if len(application.Origins) > 0 {
		message += ", of " + from(application.Origins)
	}
	return &Problem{
		Place: top.path("spec", "template", "metadata").place(), Message: message,
		Remedy: "give it a metadata.name",
	}
}

func tooMany(at spot) error {
	return &Problem{
		Place: at.place(), Refused: true,
		Message: fmt.Sprintf("it makes more than %d Applications or sets of parameters", maxApplications),
		Remedy:  "split it into several",
	}
}
