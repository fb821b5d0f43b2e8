package appset

import (
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/remote"
)

// Repository is a checkout that git generators can read.
type Repository struct {
	// URLs are those under which it is known. Scheme, user, case and a trailing
	// .git make no difference.
	URLs []string
	// Revisions are the names of the revision that is checked out, such as its
	// branch. Empty and HEAD count always.
	Revisions []string
	// FS holds its files. It must not lead out of the checkout: os.Root.FS does not.
	FS fs.FS
	// Tracked are the paths of the files that git knows, with /. Others are not
	// looked at: Argo CD would not have them.
	Tracked []string
	// Submodules are the paths of submodules. What is in them is not known.
	Submodules []string
}

// repository is the checkout of a URL and a revision.
func (o Options) repository(url, revision string) (*Repository, error) {
	for i := range o.Repositories {
		repository := &o.Repositories[i]
		if !remote.Has(repository.URLs, url) {
			continue
		}
		if remote.IsOf(repository.Revisions, revision) {
			return repository, nil
		}
		return nil, &refusal{
			fmt.Sprintf("revision %q of %s is not the one that is judged", revision, url),
			"use HEAD, name it in argocd.revisions of the configuration if it is, or judge that revision",
		}
	}
	return nil, &refusal{
		fmt.Sprintf("the files of %q are not here", url),
		"map the URL to a local checkout in argocd.repositories of the configuration, or exclude the ApplicationSet",
	}
}

// directories are those that hold tracked files, in the order of a walk; hidden
// ones and what is in them are left out, unless they are wanted: walkDirectoryTree
// of reposerver/repository/utils.go.
func (r *Repository) directories(hidden bool) []string {
	seen := map[string]bool{}
	for _, file := range r.Tracked {
		for dir := path.Dir(file); dir != "." && !seen[dir]; dir = path.Dir(dir) {
			seen[dir] = true
		}
	}
	var all [][]string
	for dir := range seen {
		parts := strings.Split(dir, "/")
		if hidden || !slices.ContainsFunc(parts, func(part string) bool { return strings.HasPrefix(part, ".") }) {
			all = append(all, parts)
		}
	}
	slices.SortFunc(all, slices.Compare)
	directories := make([]string, len(all))
	for i, parts := range all {
		directories[i] = strings.Join(parts, "/")
	}
	return directories
}

// mayReach reports whether a pattern of directories can match a submodule or what
// is in it.
func mayReach(pattern, submodule string) bool {
	patterns, parts := strings.Split(pattern, "/"), strings.Split(submodule, "/")
	if len(patterns) < len(parts) {
		return false
	}
	for i, part := range parts {
		if matches, err := path.Match(patterns[i], part); err != nil || !matches {
			return false
		}
	}
	return true
}

// maxFile bounds a file of parameters.
const maxFile = 10 << 20

func (r *Repository) read(name string) ([]byte, error) {
	file, err := r.FS.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("the file is larger than %d MiB", maxFile>>20)
	}
	return text, err
}
