// Package remote tells when two URLs are of one git repository, whoever wrote them.
package remote

import (
	"slices"
	"strings"
)

// Has reports whether a URL is of the repository that is known by some URLs.
func Has(urls []string, url string) bool {
	return slices.ContainsFunc(urls, func(known string) bool { return Same(known, url) })
}

// IsOf reports whether a revision is the one that is checked out, which has some names.
// None, and HEAD, are.
func IsOf(names []string, revision string) bool {
	return revision == "" || revision == "HEAD" || slices.Contains(names, strings.TrimPrefix(revision, "refs/heads/"))
}

// Same compares by host and path: https://host/org/repo.git is
// git@host:org/repo.
func Same(a, b string) bool { return hostAndPath(a) == hostAndPath(b) }

func hostAndPath(url string) string {
	url = strings.ToLower(strings.TrimSpace(url))
	scheme, rest, hasScheme := strings.Cut(url, "://")
	if !hasScheme {
		rest = scheme
	}
	host, below, _ := strings.Cut(rest, "/")
	if at := strings.LastIndex(host, "@"); at >= 0 {
		host = host[at+1:]
	}
	rest = host
	if below != "" {
		rest += "/" + below
	}
	if !hasScheme {
		// git@host:path
		rest = strings.Replace(rest, ":", "/", 1)
	}
	return strings.TrimSuffix(strings.TrimSuffix(rest, "/"), ".git")
}
