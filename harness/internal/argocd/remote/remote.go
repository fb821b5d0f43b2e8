// Package remote tells when two URLs are of one git repository, whoever wrote them.
package remote

import "strings"

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
