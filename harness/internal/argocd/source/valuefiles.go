package source

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
	"github.com/proompteng/nevermigrate/harness/internal/argocd/remote"
)

// valueFile is a file that a field names.
type valueFile struct {
	field, path string
	// root is the repository that it is in.
	root string
}

// valueFiles are the files of values, in their order, each once:
// getResolvedValueFiles of reposerver/repository/repository.go. A file that is named
// by itself does not come in by a pattern.
func (o *one) valueFiles(field string, helm *api.ApplicationSourceHelm) ([]valueFile, error) {
	named := make([]valueFile, len(helm.ValueFiles))
	explicit := map[string]bool{}
	for i, text := range helm.ValueFiles {
		var err error
		if named[i], err = o.resolve(fmt.Sprintf("%s.valueFiles[%d]", field, i), text); err != nil {
			return nil, err
		}
		if !named[i].isPattern() {
			explicit[named[i].path] = true
		}
	}
	var files []valueFile
	add := func(file valueFile) {
		if !slices.ContainsFunc(files, func(other valueFile) bool { return other.path == file.path }) {
			files = append(files, file)
		}
	}
	for i, file := range named {
		if file.isPattern() {
			matches, err := o.matches(file)
			if err != nil {
				return nil, broken(file.field, fmt.Sprintf("%s: %v", helm.ValueFiles[i], err), "correct the pattern")
			}
			if len(matches) == 0 && !helm.IgnoreMissingValueFiles {
				return nil, broken(file.field, fmt.Sprintf("%s matches no file", helm.ValueFiles[i]), "correct it, or set ignoreMissingValueFiles")
			}
			for _, match := range matches {
				if !explicit[match] {
					add(valueFile{file.field, match, file.root})
				}
			}
			continue
		}
		if _, err := o.options.Reads.Stat(file.path); errors.Is(err, fs.ErrNotExist) {
			if helm.IgnoreMissingValueFiles {
				continue
			}
			return nil, broken(file.field, fmt.Sprintf("%s is not there", helm.ValueFiles[i]), "correct it, or set ignoreMissingValueFiles")
		}
		add(file)
	}
	return files, nil
}

// isPattern is isGlobPath of reposerver/repository/repository.go.
func (f valueFile) isPattern() bool {
	relative, err := filepath.Rel(f.root, f.path)
	return err == nil && strings.ContainsAny(relative, "*?[")
}

// matches are the files of a pattern, in the order of Argo CD's own library.
func (o *one) matches(f valueFile) ([]string, error) {
	relative, err := filepath.Rel(f.root, f.path)
	if err != nil {
		return nil, err
	}
	matches, err := o.options.Reads.Glob(f.root, relative)
	if err != nil {
		return nil, err
	}
	for _, match := range matches {
		if err := o.insideOf(f.root, f.field, match); err != nil {
			return nil, err
		}
	}
	return matches, nil
}

// resolve finds a file that a field names: from the folder of the source, with a
// slash in front from the top of the repository, and with $REF in front from the top
// of that repository. It is ResolveValueFilePathOrUrl of util/io/path/resolved.go.
func (o *one) resolve(field, text string) (valueFile, error) {
	root, base := o.root, o.folder
	name, rest, _ := strings.Cut(text, "/")
	if reference, ok := o.refs[name]; ok && strings.HasPrefix(text, "$") {
		var err error
		if root, err = o.referenced(field, reference); err != nil {
			return valueFile{}, err
		}
		// What stands behind the name is substituted, the name is not.
		base, text = root, "/"+rest
	} else if strings.HasPrefix(text, "$") && len(o.app.Spec.Sources) > 0 && o.app.Spec.SourceHydrator == nil {
		return valueFile{}, broken(field, fmt.Sprintf("%s is the ref of no source", name), "add the ref to a source")
	}
	text, err := o.expand(field, text)
	if err != nil {
		return valueFile{}, err
	}
	if parsed, err := url.Parse(text); err == nil && parsed.Scheme != "" {
		if !o.allows(parsed.Scheme) {
			return valueFile{}, broken(field, fmt.Sprintf("the scheme %s is not allowed", parsed.Scheme), "commit a copy and name that")
		}
		return valueFile{}, refused(field, fmt.Sprintf("%s is a URL, and rendering does not use the network", text), "commit a copy and name that")
	}
	path := filepath.Join(base, text)
	if filepath.IsAbs(text) {
		path = filepath.Join(root, text)
	}
	if path, err = o.delinked(path, 10); err != nil {
		return valueFile{}, broken(field, err.Error(), "correct it")
	}
	if path == root || !within(root, path) {
		return valueFile{}, broken(field, fmt.Sprintf("%s leads out of the repository, or to its top", text), "name a file of the repository")
	}
	return valueFile{field, path, root}, nil
}

// delinked is resolveSymbolicLinkRecursive there: of a path only the last element is
// followed.
func (o *one) delinked(path string, depth int) (string, error) {
	target, err := o.options.Reads.Readlink(path)
	if err != nil {
		return path, nil
	}
	if depth == 0 {
		return "", errors.New("too many symbolic links")
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(path), target)
	}
	return o.delinked(target, depth-1)
}

// referenced is the top of the repository of a source that a field refers to.
func (o *one) referenced(field string, reference reference) (string, error) {
	if reference.source.Chart != "" {
		return "", broken(field, fmt.Sprintf("it refers to %s, which is a chart", reference.field), "refer to a repository")
	}
	for _, other := range o.refsUsed {
		if remote.Same(other.source.RepoURL, reference.source.RepoURL) && other.source.TargetRevision != reference.source.TargetRevision {
			return "", broken(reference.field+".targetRevision",
				fmt.Sprintf("%q, and %s names %q of the same repository", reference.source.TargetRevision, other.field, other.source.TargetRevision), "name the same in both")
		}
	}
	o.refsUsed = append(o.refsUsed, reference)
	repository, err := o.repository(reference.field, reference.source.RepoURL, reference.source.TargetRevision)
	if err != nil {
		return "", err
	}
	return o.options.Reads.EvalSymlinks(repository.Root)
}

// allows reports whether files may have URLs of a scheme.
func (o *one) allows(scheme string) bool {
	schemes := o.view.Settings.ValuesFileSchemes
	if schemes == nil {
		schemes = []string{"https", "http"}
	}
	return slices.ContainsFunc(schemes, func(allowed string) bool { return strings.EqualFold(allowed, scheme) })
}
