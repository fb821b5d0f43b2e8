package adopt

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/config"
	"github.com/proompteng/nevermigrate/harness/internal/gatekeeper"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// The files, by their paths from the top of the repository.
const (
	ConstraintFile = "controllers-never-migrate.yaml"
	WorkflowFile   = ".github/workflows/controllers-never-migrate.yml"
	HookFile       = ".pre-commit-config.yaml"
)

//go:embed files.tmpl
var filesText string

// Repository is what is known of one, for the files of it.
type Repository struct {
	// Top is the folder that the files go into.
	Top string
	// Paths are what is judged, from there.
	Paths []string
	// Config is the configuration that is there; nil: none is.
	Config *config.Config
	// Parameters are those of a constraint; none: the defaults hold, or there is one.
	Parameters map[string][]string
	// KubeVersion and APIVersions are what charts see, where somebody says so.
	KubeVersion string
	APIVersions []string
	// Revision is that of nevermigrate that the workflow and the hook take, a tag or the
	// hash of a commit; empty: there are none. Version is the version for which it stands.
	Revision, Version string
}

// File is one that is written or, when it is there, left alone.
type File struct {
	// Path is from the top of the repository.
	Path string
	// Text is what to write; empty: it is left alone.
	Text string
	// Has says what makes it do; Lacks are the lines that a file lacks which is left alone.
	Has, Lacks string
}

// Files are what a repository needs, in the order in which people read them. It is an
// error when the policy cannot use the parameters.
func Files(ctx context.Context, r Repository) ([]File, error) {
	files := []File{}
	for _, make := range []func(context.Context, Repository) (*File, error){configurationFile, constraintFile, workflowFile, hookFile} {
		file, err := make(ctx, r)
		if err != nil {
			return nil, err
		}
		if file != nil {
			files = append(files, *file)
		}
	}
	return files, nil
}

// filled is a template of files.tmpl.
func filled(name string, data any) (string, error) {
	var b bytes.Buffer
	t, err := template.New("").Funcs(template.FuncMap{"flow": inFlow}).Parse(filesText)
	if err == nil {
		err = t.ExecuteTemplate(&b, name, data)
	}
	return b.String(), err
}

// inFlow is a list, or a text, as YAML on one line.
func inFlow(value any) (string, error) {
	var node yaml.Node
	if err := node.Encode(value); err != nil {
		return "", err
	}
	if node.Kind == yaml.SequenceNode {
		node.Style = yaml.FlowStyle
	}
	text, err := yaml.Marshal(&node)
	return strings.TrimRight(string(text), "\n"), err
}

// configurationFile is the configuration. One that is there lacks what is not in it.
func configurationFile(_ context.Context, r Repository) (*File, error) {
	said := struct {
		Constraints, Paths []string
		KubeVersion        string
		APIVersions        []string
	}{Paths: r.Paths, KubeVersion: r.KubeVersion, APIVersions: r.APIVersions}
	isThere, err := exists(r.Top, ConstraintFile)
	if err != nil {
		return nil, err
	}
	if len(r.Parameters) > 0 || isThere {
		said.Constraints = []string{ConstraintFile}
	}
	if c := r.Config; c != nil {
		if len(c.Constraints) > 0 {
			said.Constraints = nil
		}
		if len(c.Paths) > 0 {
			said.Paths = nil
		}
		if c.KubeVersion.Value != "" {
			said.KubeVersion = ""
		}
		if len(c.APIVersions) > 0 {
			said.APIVersions = nil
		}
		lacks, err := filled("keys", said)
		return &File{Path: config.Name, Has: "all it needs", Lacks: lacks}, err
	}
	text, err := filled("configuration", said)
	return &File{Path: config.Name, Text: text}, err
}

// constraintFile is the constraint, where one is needed.
func constraintFile(ctx context.Context, r Repository) (*File, error) {
	isThere, err := exists(r.Top, ConstraintFile)
	if err != nil || isThere || len(r.Parameters) == 0 {
		return nil, err
	}
	chosen, err := gatekeeper.Defaults(ctx)
	if err != nil {
		return nil, err
	}
	maps.Copy(chosen.Parameters, r.Parameters)
	text, err := chosen.YAML(ctx)
	return &File{Path: ConstraintFile, Text: string(text)}, err
}

// callPattern is how a workflow calls that of nevermigrate, or its action.
var callPattern = regexp.MustCompile(`(?m)^\s*(?:-\s+)?uses:\s*["']?[\w.-]+/nevermigrate/`)

// workflowFile is the workflow, unless there is one by another name.
func workflowFile(_ context.Context, r Repository) (*File, error) {
	if r.Revision == "" {
		return nil, nil
	}
	text, err := filled("workflow", r)
	if err != nil {
		return nil, err
	}
	folder := path.Dir(WorkflowFile)
	entries, err := fs.ReadDir(os.DirFS(r.Top), folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look into %s: %w", folder, short(err))
	}
	for _, entry := range entries {
		name := path.Join(folder, entry.Name())
		if ext := path.Ext(name); ext != ".yml" && ext != ".yaml" {
			continue
		}
		found, err := readText(r.Top, name)
		if err != nil {
			return nil, err
		}
		if callPattern.MatchString(found) {
			return &File{Path: name, Has: "the check"}, nil
		}
	}
	return newOrLacking(r, WorkflowFile, text, text)
}

// hookPattern is how a configuration of pre-commit has the hook; a comment has none.
var hookPattern = regexp.MustCompile(`(?m)^\s*(?:-\s+)?id:\s*["']?controllers-never-migrate|^[^#\n]*nevermigrate (?:check|diff)\b`)

// hookFile is the configuration of pre-commit.
func hookFile(_ context.Context, r Repository) (*File, error) {
	if r.Revision == "" {
		return nil, nil
	}
	entry, err := filled("hook", r)
	if err != nil {
		return nil, err
	}
	if isThere, err := exists(r.Top, HookFile); err != nil {
		return nil, err
	} else if isThere {
		text, err := readText(r.Top, HookFile)
		if err != nil {
			return nil, err
		}
		if hookPattern.MatchString(text) {
			return &File{Path: HookFile, Has: "the hook"}, nil
		}
	}
	return newOrLacking(r, HookFile, "repos:\n"+entry, entry)
}

// newOrLacking is a file with a text or, when it is there, one that lacks lines.
func newOrLacking(r Repository, name, text, lines string) (*File, error) {
	isThere, err := exists(r.Top, name)
	if err != nil || isThere {
		return &File{Path: name, Lacks: lines}, err
	}
	return &File{Path: name, Text: text}, nil
}

// exists reports whether something is at a path, be it a link to nowhere.
func exists(top, name string) (bool, error) {
	root, err := os.OpenRoot(top)
	if err != nil {
		return false, err
	}
	defer root.Close()
	_, err = root.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("look for %s: %w", name, short(err))
	}
	return true, nil
}

// short is an error of the system without the name of the file, which the message has.
func short(err error) error {
	var of *fs.PathError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// readText reads a file of the repository, which is a regular one.
func readText(top, name string) (string, error) {
	text, err := render.ReadRegular(path.Join(top, name))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", name, short(err))
	}
	return string(text), nil
}

// Write writes the files that have a text, all of them or none, and never over one that
// is there nor outside of the top. The configuration, which makes the others count, is
// the last.
func Write(top string, files []File) error {
	root, err := os.OpenRoot(top)
	if err != nil {
		return fmt.Errorf("write to %s: %w", top, err)
	}
	defer root.Close()
	order := slices.Clone(files)
	slices.SortStableFunc(order, func(a, b File) int {
		switch config.Name {
		case a.Path:
			return 1
		case b.Path:
			return -1
		}
		return 0
	})
	var made []string
	for _, file := range order {
		if file.Text == "" {
			continue
		}
		more, err := writeNew(root, file)
		made = append(made, more...)
		if err == nil {
			continue
		}
		err = fmt.Errorf("write %s: %w; nothing was written", file.Path, short(err))
		for _, name := range slices.Backward(made) {
			if removal := root.Remove(name); removal != nil {
				err = fmt.Errorf("%w, but %s is left: %w", err, name, short(removal))
			}
		}
		return err
	}
	return nil
}

// writeNew writes a file that is not there, and the folders that it needs. It returns
// what it made, on an error too.
func writeNew(root *os.Root, file File) (made []string, err error) {
	for i, c := range file.Path {
		if c != '/' {
			continue
		}
		switch err := root.Mkdir(file.Path[:i], 0o755); {
		case err == nil:
			made = append(made, file.Path[:i])
		case !errors.Is(err, fs.ErrExist):
			return made, err
		}
	}
	opened, err := root.OpenFile(file.Path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return made, err
	}
	made = append(made, file.Path)
	_, err = opened.WriteString(file.Text)
	return made, errors.Join(err, opened.Close())
}
