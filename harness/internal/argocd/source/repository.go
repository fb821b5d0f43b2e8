package source

import (
	"fmt"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/remote"
)

// Repository is a checkout.
type Repository struct {
	// URLs are those under which it is known. Scheme, user, case and a trailing
	// .git make no difference.
	URLs []string
	// Root is its folder. Nothing outside of it is read.
	Root string
	// Revisions are the names of the revision that is checked out, such as its
	// branch. Empty and HEAD count always.
	Revisions []string
}

// Has reports whether a URL is one of the repository's.
func (r Repository) Has(url string) bool { return remote.Has(r.URLs, url) }

// repository is the checkout that a source names by URL and revision.
func (r *rendering) repository(field, url, revision string) (*Repository, error) {
	for i := range r.view.Repositories {
		repository := &r.view.Repositories[i]
		if !repository.Has(url) {
			continue
		}
		if remote.IsOf(repository.Revisions, revision) {
			return repository, nil
		}
		return nil, refused(field+".targetRevision",
			fmt.Sprintf("revision %q is not the one that is judged", revision),
			"use HEAD, name it in argocd.revisions of the configuration if it is, or judge that revision")
	}
	return nil, refused(field+".repoURL",
		fmt.Sprintf("the files of %q are in another repository", url),
		"map the URL to a local checkout in argocd.repositories of the configuration, or exclude the Application")
}
