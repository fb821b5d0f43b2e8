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

	"github.com/proompteng/nevermigrate/harness"
	"github.com/proompteng/nevermigrate/harness/render"
	"github.com/proompteng/nevermigrate/harness/report"
)

// side is one of the two trees that are compared: the working tree, or the
// base's in a folder of its own.
type side struct {
	// top is the real path of the tree.
	top string
	// prefix is the working directory as seen from the top, on the head side
	// and, if it were there, on the base side.
	prefix string
	// outside says that the working directory is not in this tree.
	outside bool
	// leftOut are the paths that the folder of the base side lacks.
	leftOut []string
}

// target is a target of a side. Its key, the path from the top of the tree with
// forward slashes, is what it shares with its like on the other side.
type target struct {
	harness.Target
	key string
	app bool
	// elsewhere says that it is not below the paths that were asked for.
	elsewhere bool
}

// argument is the path of a key for package harness.
func (s side) argument(key string) string {
	if s.outside {
		return filepath.Join(s.top, filepath.FromSlash(key))
	}
	return filepath.FromSlash(display(s.prefix, key))
}

// display is the path of a key as seen from the working directory.
func display(prefix, key string) string {
	relative, err := filepath.Rel(filepath.FromSlash(prefix), filepath.FromSlash(key))
	if err != nil { // both are relative, so this cannot be
		return key
	}
	return filepath.ToSlash(relative)
}

// key is the key of a path that package harness returned.
func (s side) key(displayed string) (string, error) {
	if !s.outside {
		return path.Join(s.prefix, displayed), nil
	}
	absolute, err := filepath.Abs(filepath.FromSlash(displayed))
	if err != nil {
		return "", err
	}
	relative, err := filepath.Rel(s.top, absolute)
	return filepath.ToSlash(relative), err
}

// errAbsent says that there is nothing to judge at a path.
var errAbsent = errors.New("nothing to judge")

// find returns the targets of keys. Without any target the error wraps
// errAbsent.
func (s side) find(keys ...string) ([]target, error) {
	var arguments []string
	for _, key := range keys {
		argument := s.argument(key)
		if _, err := os.Stat(argument); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: no such file or folder", errAbsent)
		}
		arguments = append(arguments, argument)
	}
	if len(keys) == 0 {
		return nil, nil
	}
	found, err := harness.FindTargets(arguments)
	var noApp harness.NoAppError
	if errors.As(err, &noApp) {
		return nil, fmt.Errorf("%w: no app in it or below it: an app is a folder with a kustomization.yaml (not of kind Component)", errAbsent)
	}
	if err != nil {
		return nil, err
	}
	var targets []target
	for _, t := range found {
		key, err := s.key(t.Path)
		if err != nil {
			return nil, err
		}
		targets = append(targets, target{Target: t, key: key, app: s.isApp(key)})
	}
	return targets, nil
}

// at returns the app or the manifest at a key, or nil.
func (s side) at(key string) (*target, error) {
	argument := s.argument(key)
	info, err := os.Stat(argument)
	if err != nil || info.IsDir() && !render.IsApp(argument) {
		return nil, nil
	}
	found, err := s.find(key)
	if err != nil || len(found) != 1 {
		return nil, err
	}
	return &found[0], nil
}

// isApp reports whether there is an app at a key.
func (s side) isApp(key string) bool { return render.IsApp(s.argument(key)) }

// apps lists the keys of all apps in the tree, but not those in a folder.
func (s side) apps(not string) ([]string, error) {
	var keys []string
	err := filepath.WalkDir(s.top, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !entry.IsDir() {
			return nil
		}
		if entry.Name() == ".git" || file == not {
			return filepath.SkipDir
		}
		if render.IsApp(file) {
			relative, err := filepath.Rel(s.top, file)
			if err != nil {
				return err
			}
			keys = append(keys, filepath.ToSlash(relative))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for apps: %w", err)
	}
	return keys, nil
}

// judge judges targets of the side. The report's paths are as seen from the
// working directory, also on the base side.
func (s side) judge(ctx context.Context, targets []target, options harness.Options) (*report.Report, error) {
	var found []harness.Target
	for _, t := range targets {
		found = append(found, t.Target)
	}
	// The base side has no .git to be found by.
	options.Render.Root = s.top
	result, err := harness.CheckTargets(ctx, found, options)
	if err != nil {
		return nil, err
	}
	if !s.outside {
		return result, nil
	}
	for i := range result.Targets {
		t := &result.Targets[i]
		if i < len(targets) {
			t.Path = display(s.prefix, targets[i].key)
		} else if key, err := s.key(t.Path); err == nil && filepath.IsLocal(filepath.FromSlash(key)) {
			t.Path = display(s.prefix, key)
		}
		if t.Error != "" {
			t.Error = s.message(t.Error)
		}
	}
	return result, nil
}

// message is an error's message with paths as seen from the working directory:
// the folder of the base side is gone when somebody reads it.
func (s side) message(text string) string {
	inside := regexp.MustCompile(regexp.QuoteMeta(s.top) + "(/[^\\s:;,'\"`()]*)?")
	text = inside.ReplaceAllStringFunc(text, func(found string) string {
		return filepath.FromSlash(display(s.prefix, "."+strings.TrimPrefix(found, s.top)))
	})
	if len(s.leftOut) > 0 {
		const shown = 5
		names := s.leftOut[:min(len(s.leftOut), shown)]
		text += fmt.Sprintf("; the base side is without %d symbolic links that lead out of the repository or files that are too large: %s", len(s.leftOut), strings.Join(names, ", "))
	}
	return text
}

// keysOf turns paths as a user gives them into keys. workDir is the real path
// of the working directory.
func keysOf(paths []string, top, workDir string) ([]string, error) {
	var keys []string
	for _, given := range paths {
		if given == "-" {
			return nil, errors.New("-: standard input has no base side: name an app, a manifest or a folder of the repository")
		}
		if given == "" {
			return nil, errors.New("a PATH is empty")
		}
		full := absolute(workDir, given)
		relative, err := filepath.Rel(top, full)
		if err != nil || !filepath.IsLocal(relative) {
			// It may lead to the tree by a symbolic link outside of it.
			if real, evalErr := filepath.EvalSymlinks(full); evalErr == nil {
				relative, err = filepath.Rel(top, real)
			}
		}
		if err != nil || !filepath.IsLocal(relative) {
			return nil, fmt.Errorf("%s: outside of the repository", given)
		}
		if key := filepath.ToSlash(relative); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// unwrapAbsent is what find says after errAbsent.
func unwrapAbsent(err error) error {
	return errors.New(strings.TrimPrefix(err.Error(), errAbsent.Error()+": "))
}
