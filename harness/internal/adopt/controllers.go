package adopt

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/independent"
	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
)

// member is a workload that was rendered.
type member struct {
	*independent.Workload
	target string
	// bound: a pattern matches. ours: it is the service's, for a container of it declares
	// the variable or has the image of one that does.
	bound, ours bool
	containers  []container
}

// String is how a message names the workload.
func (m member) String() string {
	return plaintext.Line(fmt.Sprintf("%s/%s in %s", m.Kind, m.Name, m.target))
}

// named is the first of some workloads, and how many more there are.
func named(members []member) string {
	if len(members) == 1 {
		return members[0].String()
	}
	return fmt.Sprintf("%s and %d more", members[0], len(members)-1)
}

// images are the repositories whose containers declare the variable.
func (l *looker) images(variable string) []string {
	var found []string
	for _, c := range l.containers {
		if c.declares(variable) && c.image != "" {
			found = append(found, repository(c.image))
		}
	}
	return unique(found)
}

func (c container) declares(variable string) bool {
	return !c.exempt && slices.ContainsFunc(c.declared, func(d declared) bool { return d.variable == variable })
}

// members are the workloads, by the rules of the parameters that are known by now.
func (l *looker) members() ([]member, error) {
	rules, err := l.rules()
	if err != nil {
		return nil, err
	}
	variable := strings.Join(l.chosen(variableParameter), "")
	images := l.images(variable)
	var all []member
	for _, c := range l.containers {
		if len(all) == 0 || all[len(all)-1].Workload != c.of {
			all = append(all, member{Workload: c.of, target: c.target, bound: rules.Binds(*c.of)})
		}
		m := &all[len(all)-1]
		m.containers = append(m.containers, c)
		m.ours = m.ours || c.declares(variable) || slices.Contains(images, repository(c.image))
	}
	return all, nil
}

// those are the members for which something holds.
func those(members []member, holds func(member) bool) []member {
	var found []member
	for _, m := range members {
		if holds(m) {
			found = append(found, m)
		}
	}
	return found
}

// controllers tells by which patterns the controllers are found.
func (l *looker) controllers() error {
	members, err := l.members()
	if err != nil {
		return err
	}
	ours := those(members, func(m member) bool { return m.ours })
	bound := those(members, func(m member) bool { return m.bound && (m.ours || len(ours) == 0) })
	flag := l.flag(controllersParameter)
	by := "the default"
	if _, ok := l.given[controllersParameter]; ok {
		by = flag
	} else if alike := l.alike(members); len(alike) > 0 {
		by = fmt.Sprintf("the default, and more for %s", named(alike))
		if members, err = l.members(); err != nil {
			return err
		}
	} else if len(bound) == 0 {
		return l.nobody(members, ours)
	}
	switch {
	case len(bound) > 0:
		by += "; " + named(bound) + plural(len(bound), " matches", " match")
	case by == flag:
		by += "; nothing that was rendered matches"
	}
	l.fact("controllers", strings.Join(l.chosen(controllersParameter), ", "), by)
	l.strangers(members)
	return nil
}

// strangers notes what is bound, and may be none of the service's: nothing where no image
// tells which are.
func (l *looker) strangers(members []member) {
	variable := strings.Join(l.chosen(variableParameter), "")
	images := l.images(variable)
	if len(images) == 0 {
		return
	}
	remedy := fmt.Sprintf("if it holds no service, the constraint must say so: %s names such images, and %s those of the service", l.flag(exemptParameter), l.flag(imagesParameter))
	for _, m := range members {
		switch {
		case m.bound && !m.ours:
			l.note("%s is bound, and has no image of the service (%s): %s", m, strings.Join(images, ", "), remedy)
		case m.bound:
			for _, c := range m.containers {
				if !c.exempt && !c.declares(variable) && !slices.Contains(images, repository(c.image)) {
					l.note("%s is bound, and its image %s declares the variable nowhere: %s", c, c.image, remedy)
				}
			}
		}
	}
}

// alike adds patterns for workloads of the service that are called controllers in
// another way. More is bound by that, never less.
func (l *looker) alike(members []member) []member {
	alike := those(members, func(m member) bool {
		return m.ours && !m.bound && strings.Contains(strings.ToLower(m.Name), "controller")
	})
	patterns := l.chosen(controllersParameter)
	for _, m := range alike {
		patterns = append(patterns, patternOf(m, members))
	}
	if len(alike) > 0 {
		l.take(controllersParameter, uniqueInOrder(patterns)...)
	}
	return alike
}

// patternOf is a pattern for a workload: for all that ends as its name does, unless that
// matches what is not the service's.
func patternOf(m member, members []member) string {
	i := strings.Index(strings.ToLower(m.Name), "-controller")
	if i < 0 {
		return m.Name
	}
	end := m.Name[i:]
	if slices.ContainsFunc(members, func(o member) bool { return !o.ours && strings.HasSuffix(o.Name, end) }) {
		return m.Name
	}
	return "*" + end
}

func uniqueInOrder(values []string) []string {
	var found []string
	for _, value := range values {
		if !slices.Contains(found, value) {
			found = append(found, value)
		}
	}
	return found
}

// nobody is the error that no workload is called controllers.
func (l *looker) nobody(members, ours []member) error {
	flag := l.flag(controllersParameter)
	of := "The service runs in:"
	if len(ours) == 0 {
		of, ours = "There are:", members
	}
	if len(ours) == 0 {
		return errors.New("which workloads are the controllers? None was rendered at all: run init where the apps are")
	}
	const few = 20 // lines of an error
	var lines []string
	for i, m := range ours {
		if i == few {
			lines = append(lines, fmt.Sprintf("  and %d more", len(ours)-few))
			break
		}
		lines = append(lines, "  "+m.String()+l.said(m))
	}
	return fmt.Errorf("which workloads are the controllers? None has a name with controller in it, as in %s. Name them by %s NAME, where * stands for any text. %s\n%s",
		strings.Join(l.defaultOf(controllersParameter), " and "), flag, of, strings.Join(lines, "\n"))
}

// said is what the variable is in a workload, for a message.
func (l *looker) said(m member) string {
	variable := strings.Join(l.chosen(variableParameter), "")
	var values []string
	for _, c := range m.containers {
		for _, d := range c.declared {
			if d.variable == variable && d.literal {
				values = append(values, fmt.Sprintf("%s is %s", variable, plaintext.Quoted(plaintext.Cut(d.value, longestValue))))
			}
		}
	}
	if len(values) == 0 {
		return ""
	}
	return ": " + strings.Join(unique(values), ", ")
}
