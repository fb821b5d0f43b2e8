package source

import "strings"

// Problem says why no objects can be made of an Application.
type Problem struct {
	Application string
	// Field is the place in the Application, such as spec.source.helm.parameters[0].
	Field string
	// Reason says what is wrong, and Remedy what to do.
	Reason, Remedy string
	// Broken says that Argo CD fails on it too. Otherwise it may know what cannot be
	// known from the repository.
	Broken bool
	// Err is the error of kustomize or Helm, if it is one.
	Err error
}

// Error implements error.
func (p *Problem) Error() string {
	var text strings.Builder
	text.WriteString("Application " + p.Application + ": ")
	if p.Field != "" {
		text.WriteString(p.Field + ": ")
	}
	text.WriteString(p.Reason)
	if p.Remedy != "" {
		text.WriteString("; " + p.Remedy)
	}
	return text.String()
}

// Unwrap returns the error of kustomize or Helm.
func (p *Problem) Unwrap() error { return p.Err }

// refused is said of what Argo CD may know.
func refused(field, reason, remedy string) error {
	return &Problem{Field: field, Reason: reason, Remedy: remedy}
}

// broken is said of what Argo CD fails on.
func broken(field, reason, remedy string) error {
	return &Problem{Field: field, Reason: reason, Remedy: remedy, Broken: true}
}

// failed is said of what a tool fails on.
func failed(field string, err error) error {
	return &Problem{Field: field, Reason: err.Error(), Broken: true, Err: err}
}
