package diff

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/argocd"
	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/find"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// side is one of the two trees that are compared: the working tree, or the
// base's in a folder of its own. Its methods take and return paths as seen from
// the working directory, with forward slashes: those of both sides are alike.
type side struct {
	// top is the real path of the tree.
	top string
	// workDir is the real path of the working directory in this tree, where it
	// need not exist, and realWorkDir the one that the process has.
	workDir, realWorkDir string
	// leftOut are the paths that the folder of the base side lacks.
	leftOut []string
	// targets are what is compared. The path of each is that of the file or folder
	// that is read.
	targets []find.Target
	indices map[string]int // of the targets, by their paths
	// notJudged and read are what else is there.
	notJudged []find.NotJudged
	read      []find.Read
	excluded  []find.Excluded
	// exclude says of a path, as seen from the working directory, whether it is left
	// out, and why; nil leaves out nothing.
	exclude func(path string) (reason string, ok bool)
}

// file is the file or folder at a path.
func (s *side) file(path string) string {
	if s.workDir == s.realWorkDir {
		return filepath.FromSlash(path) // as reports and messages are to name it
	}
	return filepath.Join(s.workDir, filepath.FromSlash(path))
}

// path is the path of a file or folder.
func (s *side) path(file string) string {
	relative, err := filepath.Rel(s.workDir, absolute(s.realWorkDir, filepath.FromSlash(file)))
	if err != nil { // both are absolute, so this cannot be
		return file
	}
	return filepath.ToSlash(relative)
}

// absentError says that there is nothing to judge at a path, and why.
type absentError string

// Error implements error.
func (e absentError) Error() string { return string(e) }

// find returns what is at a path. Where there is nothing the error is an
// absentError.
func (s *side) find(path string) (*find.Coverage, error) {
	file := s.file(path)
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return &find.Coverage{}, absentError("no such file or folder")
	}
	found, err := find.Cover([]string{file}, s.excludes())
	var none find.NoAppError
	if errors.As(err, &none) {
		return &find.Coverage{}, absentError(strings.TrimPrefix(err.Error(), none.Folder+": "))
	}
	return found, err
}

// excludes is exclude for the files of the side.
func (s *side) excludes() func(path string) (reason string, ok bool) {
	if s.exclude == nil {
		return nil
	}
	return func(path string) (string, bool) { return s.exclude(s.path(path)) }
}

// add adds what is at a path to the side, each once.
func (s *side) add(path string) error {
	found, err := s.find(path)
	if err != nil {
		return err
	}
	for _, t := range found.Targets {
		if i := s.index(t.Path); i >= 0 {
			s.targets[i].Required = s.targets[i].Required || t.Required
		} else {
			s.put(t)
		}
	}
	type notJudged struct {
		path   string
		kind   find.Kind
		reason string
	}
	s.notJudged = addNew(s.notJudged, found.NotJudged, func(n find.NotJudged) notJudged { return notJudged{n.Path, n.Kind, n.Reason} })
	s.read = addNew(s.read, found.Read, func(r find.Read) string { return r.Path })
	s.excluded = addNew(s.excluded, found.Excluded, func(e find.Excluded) find.Excluded { return e })
	return nil
}

// addNew adds those to a list of which it has none with the same key.
func addNew[T any, K comparable](list, more []T, key func(T) K) []T {
	has := make(map[K]bool, len(list)+len(more))
	for _, one := range list {
		has[key(one)] = true
	}
	for _, one := range more {
		if !has[key(one)] {
			has[key(one)] = true
			list = append(list, one)
		}
	}
	return list
}

// put adds a target.
func (s *side) put(t find.Target) {
	if s.indices == nil {
		s.indices = map[string]int{}
	}
	if _, ok := s.indices[t.Path]; !ok {
		s.indices[t.Path] = len(s.targets)
	}
	s.targets = append(s.targets, t)
}

// addAsIn adds the targets that are at the same paths as those of the other side,
// though on this one something else reads them or hides them. What was judged there
// and is here, but cannot be judged any more, is a target all the same when lost is
// set, one that says so.
func (s *side) addAsIn(other *side, lost bool) error {
	for _, t := range other.targets {
		path := other.path(t.Path)
		file := s.file(path)
		if _, err := os.Lstat(file); err != nil || s.has(path) {
			continue
		}
		found, err := s.find(path)
		var absent absentError
		if err != nil && !errors.As(err, &absent) {
			return err
		}
		shown := find.DisplayPath(file)
		i := slices.IndexFunc(found.Targets, func(o find.Target) bool { return o.Path == shown })
		switch {
		case i >= 0:
			s.put(found.Targets[i].Below(other.onSide(s, t.Argument)))
		case lost:
			if err := lostError(t, shown, found); err != nil {
				s.put(find.Target{Path: shown, Kind: find.Missing, Argument: file, Err: err})
			}
		}
	}
	return nil
}

// onSide is a path of this side as one of another.
func (s *side) onSide(other *side, path string) string { return other.file(s.path(path)) }

// lostError says that what was judged on the base side is not judged any more, for
// something else is in its place that is not; nil when it is just gone.
func lostError(t find.Target, path string, found *find.Coverage) error {
	for _, n := range found.NotJudged {
		if isInPlaceOf(n.Path, path) {
			return fmt.Errorf("no longer judged: it was a %s on the base side, and there is a %s now: %s", t.Kind, n.Kind, n.Reason)
		}
	}
	return nil
}

// isInPlaceOf reports whether something is at a path or in the folder there.
func isInPlaceOf(found, place string) bool { return found == place || path.Dir(found) == place }

// index is that of the target that reads a file or folder, or -1.
func (s *side) index(file string) int {
	if i, ok := s.indices[file]; ok {
		return i
	}
	return -1
}

func (s *side) has(path string) bool { return s.index(find.DisplayPath(s.file(path))) >= 0 }

// sort sorts the targets by their paths.
func (s *side) sort(order func(a, b string) int) {
	slices.SortFunc(s.targets, func(a, b find.Target) int { return order(s.path(a.Path), s.path(b.Path)) })
	for i, t := range s.targets {
		s.indices[t.Path] = i
	}
}

// appsNotIn lists the targets that are apps and not targets of the other side.
func (s *side) appsNotIn(other *side) []*app {
	var apps []*app
	for _, t := range s.targets {
		if path := s.path(t.Path); t.IsKustomization() && !other.has(path) {
			apps = append(apps, &app{path: path})
		}
	}
	return apps
}

// appsElsewhere lists the apps of the tree that are no targets, and no apps on
// the other side.
func (s *side) appsElsewhere(other *side) ([]*app, error) {
	var apps []*app
	err := filepath.WalkDir(s.top, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		// The folder of the base side may be in the working tree.
		if entry.Name() == ".git" || file == other.top {
			return filepath.SkipDir
		}
		if path := s.path(file); render.IsApp(file) && !s.has(path) && !render.IsApp(other.file(path)) {
			apps = append(apps, &app{path: path, elsewhere: true})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for apps: %w", err)
	}
	return apps, nil
}

func (s *side) readContents(apps []*app) {
	for _, a := range apps {
		a.content = contentOf(s.file(a.path))
	}
}

func (s *side) findWorkloads(ctx context.Context, apps []*app, options check.Options) error {
	options.AllowAbsent, options.Progress = true, nil
	var targets []find.Target
	for _, a := range apps {
		found, err := s.find(a.path)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(found.Targets, func(t find.Target) bool { return s.path(t.Path) == a.path })
		if i < 0 {
			return fmt.Errorf("%s: there is no app", a.path)
		}
		targets = append(targets, found.Targets[i])
	}
	result, err := s.judge(ctx, &find.Coverage{Targets: targets}, options)
	if err != nil {
		return err
	}
	for i, a := range apps {
		a.content = workloadsOf(result.Targets[i])
	}
	return nil
}

// follow makes a target of an app elsewhere. It must have a controllers workload
// if its like on the other side was asked about by name.
func (s *side) follow(a, like *app, asked []string) error {
	if !a.elsewhere {
		return nil
	}
	found, err := s.find(a.path)
	if err != nil {
		return fmt.Errorf("%s: %w", a.path, err)
	}
	i := slices.IndexFunc(found.Targets, func(t find.Target) bool { return s.path(t.Path) == a.path })
	if i < 0 {
		return fmt.Errorf("%s: there is no app", a.path)
	}
	t := found.Targets[i]
	if !slices.Contains(asked, like.path) {
		t = t.Below(s.file(asked[0]))
	}
	s.put(t)
	return nil
}

// all is what the side has.
func (s *side) all() *find.Coverage {
	return &find.Coverage{Targets: s.targets, NotJudged: s.notJudged, Read: s.read, Excluded: s.excluded}
}

// judge judges what was found on the side. The report has paths as seen from the
// working directory, also on the base side.
func (s *side) judge(ctx context.Context, found *find.Coverage, options check.Options) (*report.Report, error) {
	// The base side has no .git to be found by.
	options.Render.Root = s.top
	options.PathOf = s.path
	if s.workDir != s.realWorkDir {
		options.WorkDir = s.workDir
	}
	if options.ArgoCD != nil && s.workDir != s.realWorkDir {
		known := options.ArgoCD
		options.ArgoCD = func() (*argocd.Instance, error) {
			instance, err := known()
			if err != nil {
				return nil, err
			}
			there := *instance
			there.Tracked, there.Submodules = nil, nil // all files of the commit are
			return &there, nil
		}
	}
	result, err := check.Covered(ctx, found, options)
	if err != nil || s.workDir == s.realWorkDir {
		return result, err
	}
	for i := range result.Coverage.Judged {
		s.rename(&result.Coverage.Judged[i].Path, &result.Coverage.Judged[i].Below)
	}
	for i := range result.Coverage.NotJudged {
		s.rename(&result.Coverage.NotJudged[i].Path)
		result.Coverage.NotJudged[i].Reason = s.message(result.Coverage.NotJudged[i].Reason)
	}
	for i := range result.Coverage.Read {
		s.rename(&result.Coverage.Read[i].Path)
		for j := range result.Coverage.Read[i].By {
			s.rename(&result.Coverage.Read[i].By[j])
		}
	}
	for i := range result.Targets {
		t := &result.Targets[i]
		// A constraint, too, may be what a finding is about, and is in no tree.
		if isBelow(s.top, absolute(s.realWorkDir, t.Path)) {
			t.Path = s.path(t.Path)
		}
		if t.Error != "" {
			t.Error = s.message(t.Error)
		}
		for f := range t.Findings {
			for c := range t.Findings[f].Causes {
				if cause := &t.Findings[f].Causes[c]; isBelow(s.top, absolute(s.realWorkDir, cause.File)) {
					cause.File = s.path(cause.File)
				}
			}
		}
	}
	return result, nil
}

// rename gives paths of the side as seen from the working directory.
func (s *side) rename(paths ...*string) {
	for _, path := range paths {
		if *path != "" && isBelow(s.top, absolute(s.realWorkDir, *path)) {
			*path = s.path(*path)
		}
	}
}

// message is an error's message with paths as seen from the working directory:
// the folder of the base side is gone when somebody reads it.
func (s *side) message(text string) string {
	inside := regexp.MustCompile(regexp.QuoteMeta(s.top) + "(/[^\\s:;,'\"`()]*)?")
	text = inside.ReplaceAllStringFunc(text, func(file string) string { return filepath.FromSlash(s.path(file)) })
	if len(s.leftOut) > 0 {
		names := s.leftOut[:min(len(s.leftOut), 5)]
		text += fmt.Sprintf("; the base side is without %d symbolic links that lead out of the repository or files that are too large: %s", len(s.leftOut), strings.Join(names, ", "))
	}
	return text
}

// pathsOf turns paths as a user gives them, all below top, into paths as seen
// from the working directory.
func pathsOf(given []string, top, workDir string) ([]string, error) {
	var paths []string
	for _, one := range given {
		switch one {
		case "-":
			return nil, errors.New("-: standard input has no base side: name an app, a manifest or a folder of the repository")
		case "":
			return nil, errors.New("a PATH is empty")
		}
		file := absolute(workDir, one)
		if !isBelow(top, file) {
			// It may lead to the tree by a symbolic link outside of it.
			if real, err := filepath.EvalSymlinks(file); err == nil {
				file = real
			}
		}
		path, err := filepath.Rel(workDir, file)
		if err != nil || !isBelow(top, file) {
			return nil, fmt.Errorf("%s: outside of the repository", one)
		}
		if path = filepath.ToSlash(path); !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths, nil
}

// isBelow reports whether a file is a folder or below it.
func isBelow(folder, file string) bool {
	relative, err := filepath.Rel(folder, file)
	return err == nil && filepath.IsLocal(relative)
}

// absolute is a path as seen from a folder.
func absolute(folder, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(folder, path)
}
