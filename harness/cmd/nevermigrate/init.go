package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness/internal/adopt"
	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/config"
	"github.com/proompteng/nevermigrate/harness/internal/configured"
	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/internal/find"
	"github.com/proompteng/nevermigrate/harness/internal/gatekeeper"
	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/internal/version"
	"github.com/proompteng/nevermigrate/harness/report"
)

// noRevision is given for no workflow and no hook.
const noRevision = "none"

func newInitCommand() *cobra.Command {
	var options check.Options
	var revision string
	var dryRun, noColor bool
	cmd := &cobra.Command{
		Use:   "init [flags] [DIR]",
		Short: "Set a repository up, and show the first verdict",
		Long: `Set a repository up, and show the first verdict. What is below DIR is judged, which
is the working directory where none is named.

The apps that check would judge are rendered, to tell what the migrations variable
and the controllers are called there. Everything that is found is said with what it
rests on. Where there are two answers or none, nothing is written, and the error
names the flag that decides; these are the flags of template constraint.

Then, at the top of the git work tree:

  ` + config.Name + `
        the configuration
  ` + adopt.ConstraintFile + `
        the constraint, where the defaults do not fit
  ` + adopt.WorkflowFile + `
        the workflow for pull requests
  ` + adopt.HookFile + `
        the hook for pre-commit

A file that is there is left alone, and what it lacks is printed. All files are
written or none. The workflow and the hook take the revision of this program.

Exit status: 0 the contract holds; 1 it is broken, and the files are written all the
same; 2 the files are not written, or they are and it could not be decided. With
--dry-run, which judges nothing: 0, or 2.`,
		Example: `  nevermigrate init
  nevermigrate init --dry-run argocd
  nevermigrate init --env-var AGENTS_MIGRATIONS --controllers '*-workers'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError(cmd, fmt.Errorf("expected at most one DIR, got %d arguments", len(args)))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := newSetup(cmd, append(args, ".")[0], revision)
			if err != nil {
				return err
			}
			if err := s.plan(cmd, options); err != nil {
				return err
			}
			if dryRun {
				return printText(cmd, "what would be written", []byte(s.text(true)))
			}
			if err := adopt.Write(s.top, s.files); err != nil {
				return err
			}
			if err := printText(cmd, "what was written", []byte(s.text(false))); err != nil {
				return err
			}
			return s.judge(cmd, options, noColor)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&revision, "revision", "", "`REVISION` of nevermigrate for the workflow and the hook, a tag or the whole hash of a commit; "+noRevision+" leaves both out (default: that of this program)")
	flags.BoolVar(&dryRun, "dry-run", false, "print what would be written, write nothing and judge nothing")
	flags.BoolVar(&noColor, "no-color", false, "print no colours, as the variable NO_COLOR does")
	must(cmd.RegisterFlagCompletionFunc("revision", cobra.NoFileCompletions))
	addParameterFlags(cmd)
	addRenderFlags(cmd, &options)
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	return cmd
}

// setup is a repository that is set up.
type setup struct {
	// dir is what is judged, and top the folder of the files, as seen from the working
	// directory. isTree says that top is a git work tree.
	dir, top string
	isTree   bool
	// config is the configuration that is there; nil: none is. found is what is judged by
	// until the files are there.
	config, found *config.Config
	revision      string
	facts         []adopt.Fact
	notes         []string
	parameters    map[string][]string
	files         []adopt.File
}

// newSetup finds the repository and the configuration in it, and checks the revision.
func newSetup(cmd *cobra.Command, dir, revision string) (*setup, error) {
	if info, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("set up %s: %w", dir, err)
	} else if !info.IsDir() {
		return nil, usageError(cmd, fmt.Errorf("%s is no folder: name the one below which the apps are", dir))
	}
	s := &setup{dir: dir}
	workDir, top, err := trees(dir)
	if err != nil {
		return nil, fmt.Errorf("set up %s: %w", dir, err)
	}
	if workDir != "" && workDir != top {
		return nil, usageError(cmd, fmt.Errorf("%s is outside of the repository that the working directory is in: change to that folder, and run init there", dir))
	}
	s.isTree = top != ""
	s.top = dir
	file := filepath.Join(dir, config.Name)
	if s.isTree {
		if file, err = config.Default(dir); err != nil {
			return nil, err
		}
		s.top = filepath.Dir(file)
		// A file that is called almost so is an error.
		if _, err := config.Find(dir); err != nil {
			return nil, err
		}
	}
	if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
		if s.found, err = config.None(); err != nil {
			return nil, err
		}
	} else {
		if s.config, err = config.Load(file, time.Now()); err != nil {
			return nil, err
		}
		s.found = s.config
	}
	return s, s.take(cmd, revision)
}

// trees are the real paths of the git work trees that the working directory and a folder
// are in; empty where there is none.
func trees(dir string) (workDir, top string, err error) {
	found := [2]string{".", dir}
	for i := range found {
		if found[i], err = filepath.Abs(found[i]); err != nil {
			return "", "", err
		}
		if found[i] = render.WorkTree(found[i]); found[i] == "" {
			continue
		}
		if found[i], err = filepath.EvalSymlinks(found[i]); err != nil {
			return "", "", err
		}
	}
	return found[0], found[1], nil
}

// take sets the revision: the one that is given, or that of this program.
func (s *setup) take(cmd *cobra.Command, given string) error {
	switch {
	case given == noRevision:
		return nil
	case given != "" && !version.IsRevision(given):
		return usageError(cmd, fmt.Errorf("--revision %s: give the whole hash of a commit, or a tag such as v0.1.0: others can be moved", plaintext.Line(given)))
	case given != "":
		s.revision = given
	default:
		s.revision = version.Revision()
	}
	if s.revision == "" {
		return usageError(cmd, fmt.Errorf("this program (%s) does not know the commit that it was made from, which the workflow and the hook would take: give --revision HASH, or --revision %s to leave both out", version.Program().Version, noRevision))
	}
	return nil
}

// plan says what there is, and what is to be written.
func (s *setup) plan(cmd *cobra.Command, options check.Options) error {
	if err := s.look(cmd, options); err != nil {
		return err
	}
	below, err := s.below()
	if err != nil {
		return fmt.Errorf("set up %s: %w", s.dir, err)
	}
	r := adopt.Repository{Top: s.top, Paths: []string{below}, Config: s.config, Parameters: s.parameters, Revision: s.revision}
	said := given(cmd, options, nil)
	r.KubeVersion, r.APIVersions = said.KubeVersion, said.APIVersions
	r.Version = versionOf(s.revision, version.Revision(), version.Program().Version)
	if s.files, err = adopt.Files(cmd.Context(), r); err != nil {
		return err
	}
	if len(s.parameters) > 0 && s.revision != "" {
		s.notes = append(s.notes, "a pull request is judged by the contract of its base. The one that brings "+adopt.ConstraintFile+" has a base with the defaults, so its check fails by CNM008: merge it before the check is required")
	}
	if !s.isTree {
		s.notes = append(s.notes, fmt.Sprintf("%s is in no git work tree. Until it is, a command finds the configuration only by --config %s", s.dir, filepath.ToSlash(s.at(config.Name))))
	}
	return s.readable()
}

// versionOf is the version for which a revision stands: that of this program, where it is
// the revision of this program and is a tag; else empty, and where the revision says it.
func versionOf(revision, programs, own string) string {
	if revision == programs && revision != own && version.IsRevision(own) {
		return own
	}
	return ""
}

// below is what is judged, from the top, with forward slashes.
func (s *setup) below() (string, error) {
	found := [2]string{s.top, s.dir}
	for i, dir := range found {
		absolute, err := filepath.Abs(dir)
		if err == nil {
			found[i], err = filepath.EvalSymlinks(absolute)
		}
		if err != nil {
			return "", err
		}
	}
	relative, err := filepath.Rel(found[0], found[1])
	return filepath.ToSlash(relative), err
}

// at is a file of the repository, as seen from the working directory.
func (s *setup) at(name string) string { return filepath.Join(s.top, filepath.FromSlash(name)) }

// judged are the paths that are judged: those of the configuration that is there, or else
// the folder.
func (s *setup) judged() []string {
	if s.config != nil && len(s.config.Paths) > 0 {
		return nil
	}
	return []string{s.dir}
}

// constraints are the files with constraints that are there: those of the configuration
// or else the one by the name that init gives it.
func (s *setup) constraints() ([]string, error) {
	var files []string
	for _, text := range s.found.Constraints {
		files = append(files, s.found.Local(text.Value))
	}
	if len(files) > 0 {
		return files, nil
	}
	switch _, err := os.Lstat(s.at(adopt.ConstraintFile)); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return []string{s.at(adopt.ConstraintFile)}, nil
}

// look renders what is judged and tells what the service is called, unless a constraint
// says so already.
func (s *setup) look(cmd *cobra.Command, options check.Options) error {
	parameters, err := chosenParameters(cmd)
	if err != nil {
		return err
	}
	files, err := s.constraints()
	if err != nil {
		return fmt.Errorf("set up %s: %w", s.dir, err)
	}
	run, err := configured.Join(options, given(cmd, options, s.judged()), s.found, nil)
	if err != nil {
		return err
	}
	defer run.Close()
	held, err := check.Objects(cmd.Context(), run.Paths, run.Check)
	if err != nil {
		return err
	}
	s.facts = append(s.facts, adopt.Fact{What: "targets", Found: fmt.Sprint(len(held)), By: targetsBy(held)})
	if len(files) > 0 {
		if len(parameters) > 0 {
			return usageError(cmd, fmt.Errorf("%s says already what the service is called: change it there, or remove it", strings.Join(files, " and ")))
		}
		read, err := constraint.Load(files)
		if err != nil {
			return err
		}
		for _, c := range read {
			s.facts = append(s.facts, adopt.Fact{What: "constraint", Found: c.Name, By: find.DisplayPath(c.File) + ", which was there"})
		}
		return nil
	}
	service, err := adopt.Look(held, parameters)
	if err != nil {
		return err
	}
	s.parameters = service.Parameters
	s.facts = append(s.facts, service.Facts...)
	s.notes = append(s.notes, service.Notes...)
	return nil
}

// targetsBy names the first targets.
func targetsBy(held []check.Held) string {
	const few = 3
	var names []string
	for i, h := range held {
		if i == few {
			names = append(names, fmt.Sprintf("%d more", len(held)-few))
			break
		}
		names = append(names, h.Path)
	}
	return strings.Join(names, ", ") + "; nevermigrate list shows them"
}

// chosenParameters are the parameters whose flags are given, by name.
func chosenParameters(cmd *cobra.Command) (map[string][]string, error) {
	described, err := gatekeeper.Parameters()
	if err != nil {
		return nil, err
	}
	chosen := gatekeeper.Constraint{Described: described, Parameters: map[string][]string{}}
	chooseParameters(cmd, &chosen)
	for _, p := range described {
		if cmd.Flags().Changed(p.Flag) && cmd.Flags().Lookup(p.Flag).Value.String() == "" {
			return nil, usageError(cmd, fmt.Errorf("--%s is empty", p.Flag))
		}
	}
	return chosen.Parameters, nil
}

// readable requires that the configuration which is to be written can be read.
func (s *setup) readable() error {
	for _, file := range s.files {
		if file.Path != config.Name || file.Text == "" {
			continue
		}
		if _, err := config.Parse(s.at(config.Name), []byte(file.Text), time.Now()); err != nil {
			return err
		}
	}
	return nil
}

// text is what people read of it: what was found, and each file.
func (s *setup) text(dryRun bool) string {
	var b strings.Builder
	rows := [][]string{{"WHAT", "FOUND", "FROM"}}
	for _, f := range s.facts {
		rows = append(rows, []string{f.What, plaintext.Line(f.Found), plaintext.Line(f.By)})
	}
	plaintext.WriteColumns(&b, rows)
	b.WriteString("\n")
	rows = [][]string{{"FILE", "STATE"}}
	written := "written"
	if dryRun {
		written = "to be written"
	}
	for _, f := range s.files {
		state := written
		switch {
		case f.Lacks != "":
			state = "was there, and lacks the lines below"
		case f.Text == "":
			state = "was there, and has " + f.Has
		}
		rows = append(rows, []string{plaintext.Line(filepath.ToSlash(s.at(f.Path))), state})
	}
	plaintext.WriteColumns(&b, rows)
	for _, f := range s.files {
		name := plaintext.Line(filepath.ToSlash(s.at(f.Path)))
		switch {
		case f.Lacks != "":
			fmt.Fprintf(&b, "\nAdd to %s:\n\n%s", name, f.Lacks)
		case dryRun && f.Text != "":
			fmt.Fprintf(&b, "\n%s:\n\n%s", name, f.Text)
		}
	}
	if len(s.notes) > 0 {
		b.WriteString("\n")
	}
	for _, note := range s.notes {
		fmt.Fprintf(&b, "Note: %s.\n", strings.TrimSuffix(plaintext.Indented(note, 2), "."))
	}
	if !dryRun {
		b.WriteString("\n")
	}
	return b.String()
}

// lacking is the configuration when it lacks something, so that check would judge
// something else than init does.
func (s *setup) lacking() bool {
	for _, f := range s.files {
		if f.Path == config.Name && f.Lacks != "" {
			return true
		}
	}
	return false
}

// judge shows the verdict that check would come to, with what the configuration lacks.
func (s *setup) judge(cmd *cobra.Command, options check.Options, noColor bool) error {
	read, err := config.Load(s.at(config.Name), time.Now())
	if err != nil {
		return err
	}
	said := given(cmd, options, nil)
	if len(read.Paths) == 0 {
		said.Paths = []string{s.dir}
	}
	if len(read.Constraints) == 0 {
		if said.Constraints, err = s.constraints(); err != nil {
			return err
		}
	}
	said.NoBaseline = false
	run, err := configured.Join(options, said, read, nil)
	if err != nil {
		return err
	}
	defer run.Close()
	outputs := &outputs{noColor: noColor}
	if err := outputs.check(cmd); err != nil {
		return err
	}
	show, wipe := progress(cmd.ErrOrStderr(), time.Now)
	run.Check.Progress = show
	result, err := check.All(cmd.Context(), run.Paths, run.Check)
	wipe()
	if err != nil {
		return err
	}
	warn(cmd, result)
	err = outputs.write(cmd, result, run.Check)
	var status exitStatus
	if s.lacking() && (err == nil || errors.As(err, &status)) {
		fmt.Fprintf(cmd.ErrOrStderr(), "Error: %s lacks the lines above, with which this is the verdict: add them, so that check comes to the same\n", plaintext.Line(filepath.ToSlash(s.at(config.Name))))
		return exitStatus(report.ExitUndecided)
	}
	return err
}
