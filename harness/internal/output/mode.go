package output

import "github.com/proompteng/nevermigrate/harness/report"

// containerMode is a container, and what it is in.
type containerMode struct {
	Target    *report.Target
	Workload  *report.Workload
	Container report.Container
}

// modesOf lists the containers of a target. A container without a type stands for
// a workload that has none: it is not left out because it cannot be read.
func modesOf(target *report.Target) []containerMode {
	var modes []containerMode
	for i := range target.Workloads {
		w := &target.Workloads[i]
		for _, c := range w.Containers {
			modes = append(modes, containerMode{target, w, c})
		}
		if len(w.Containers) == 0 {
			modes = append(modes, containerMode{target, w, report.Container{Mode: report.Unknown}})
		}
	}
	return modes
}

// isConcernedBy reports whether a finding is about the container, or about its
// whole workload.
func (m containerMode) isConcernedBy(f *report.Finding) bool {
	return f.Workload == m.workload() && f.Namespace == m.Workload.Namespace && f.Constraint == m.Workload.Constraint &&
		(f.Container == "" || f.Container == m.Container.Name)
}

// workload is the name of the workload as findings have it.
func (m containerMode) workload() string { return m.Workload.Kind + "/" + m.Workload.Name }

// containerName is a container's name, with its type when it is not the usual
// one. Name and type are written by the functions.
func containerName(c report.Container, writeName, writeType func(string) string) string {
	switch c.Type {
	case "":
		return "(none)"
	case "container":
		return writeName(c.Name)
	default:
		return writeName(c.Name) + " (" + writeType(c.Type) + ")"
	}
}

// ModeText is a mode, and whether the image of the container is exempt.
func ModeText(mode report.Mode, exempt bool) string {
	if exempt {
		return string(mode) + " (exempt)"
	}
	return string(mode)
}

// JudgeMode is the word for a mode: a container of a controllers workload is right
// only with skip, and wrong with anything else. Of others the contract says
// nothing.
func JudgeMode(role report.Role, mode report.Mode, exempt bool) string {
	switch {
	case exempt || role != report.Controllers:
		return "neutral"
	case mode == report.Skip:
		return "right"
	default:
		return "wrong"
	}
}

// Judgement is the word for the container's mode. What is denied is wrong, also when
// the variable says skip: something else lets it migrate.
func (m containerMode) Judgement() string {
	isDenied := func(f *report.Finding) bool { return f.Severity == report.Deny && m.isConcernedBy(f) }
	for i := range m.Target.Findings {
		if isDenied(&m.Target.Findings[i]) {
			return "wrong"
		}
	}
	for i := range m.Target.Exempted {
		if isDenied(&m.Target.Exempted[i].Finding) {
			return "wrong"
		}
	}
	return JudgeMode(m.Workload.Role, m.Container.Mode, m.Container.Exempt)
}
