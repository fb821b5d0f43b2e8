package repository

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// revisionPattern is a name and steps to ancestors, such as main~2 or v1^2.
var revisionPattern = regexp.MustCompile(`^([^~^:@{}\\\s*?\[]+|@)((?:~\d*|\^\d*|\^\{commit\}|\^\{\})*)$`)

var stepPattern = regexp.MustCompile(`[~^](?:\d+|\{commit\}|\{\})?`)

// errNotThere says that a name or an object is not in the repository.
var errNotThere = errors.New("is not in this repository")

// Resolve finds the commit that a revision names: a branch, a tag, a hash that
// may be abbreviated, HEAD, a branch of a remote, with steps to ancestors. What
// is meant by anything else (a reflog, a search) is not guessed.
//
// Go-git's ResolveRevision, which links SSH and HTTP, differs from git on what
// TestRevisions asks: a branch named like the beginning of a hash is that hash to
// it, three letters are a hash, main@{0} and main@{upstream} are main, HEAD:file
// and HEAD^{tree} are HEAD; a tag of a tag, an abbreviated hash in capitals of odd
// length and ^3 are errors.
func (r *Repository) Resolve(revision string) (*Commit, error) {
	match := revisionPattern.FindStringSubmatch(revision)
	if match == nil {
		return nil, fmt.Errorf("revision %q: use a branch, a tag, a hash, HEAD or origin/BRANCH, with ~N or ^N after it if need be", revision)
	}
	commit, err := r.lookUp(match[1], stepPattern.FindAllString(match[2], -1))
	switch {
	case errors.Is(err, errNotThere):
		return nil, fmt.Errorf("revision %q %w: %s", revision, err, r.fetchHint(match[1]))
	case err != nil:
		return nil, fmt.Errorf("revision %q: %w", revision, err)
	}
	return commit, nil
}

func (r *Repository) lookUp(name string, steps []string) (*Commit, error) {
	hash, err := r.lookUpName(name)
	if err != nil {
		return nil, err
	}
	commit, err := r.commit(hash)
	for _, step := range steps {
		if err != nil {
			return nil, err
		}
		commit, err = r.step(commit, step)
	}
	return commit, err
}

// step follows ~N, the Nth ancestor by first parents, or ^N, the Nth parent.
func (r *Repository) step(commit *Commit, step string) (*Commit, error) {
	if strings.HasPrefix(step, "^{") {
		return commit, nil // the step from a tag to its commit has been made
	}
	n, err := strconv.Atoi(cmp.Or(step[1:], "1"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", step, err)
	}
	if step[0] == '^' && n > 0 {
		return r.parent(commit, n)
	}
	for ; step[0] == '~' && n > 0 && err == nil; n-- {
		commit, err = r.parent(commit, 1)
	}
	return commit, err
}

func (r *Repository) parent(commit *Commit, n int) (*Commit, error) {
	if n <= len(commit.parents) {
		return r.commit(commit.parents[n-1])
	}
	if r.shallow[commit.Hash] {
		return nil, fmt.Errorf("%w: the history ends at commit %.12s", errNotThere, commit.Hash)
	}
	return nil, fmt.Errorf("commit %.12s has %d parents", commit.Hash, len(commit.parents))
}

// lookUpName follows git's order: a whole hash, then refs, then an abbreviated
// hash, which must be that of one commit or tag only.
func (r *Repository) lookUpName(name string) (plumbing.Hash, error) {
	if name == "@" {
		name = "HEAD"
	}
	if plumbing.IsHash(name) {
		return plumbing.NewHash(name), nil
	}
	for _, rule := range plumbing.RefRevParseRules {
		if rule == "%s" && !strings.HasPrefix(name, "refs/") && !strings.HasSuffix(name, "HEAD") {
			continue // another file of the git folder, and not a ref
		}
		full := plumbing.ReferenceName(fmt.Sprintf(rule, name))
		if ref, err := storer.ResolveReference(r, full); err == nil {
			return ref.Hash(), nil
		} else if !errors.Is(err, plumbing.ErrReferenceNotFound) {
			return plumbing.ZeroHash, fmt.Errorf("read ref %s: %w", full, err)
		}
	}
	return r.lookUpPrefix(strings.ToLower(name))
}

func (r *Repository) lookUpPrefix(name string) (plumbing.Hash, error) {
	prefix, err := hex.DecodeString(name[:len(name)&^1]) // whole bytes; the last digit is compared below
	if err != nil || len(name) < 4 {
		return plumbing.ZeroHash, errNotThere
	}
	candidates, err := r.HashesWithPrefix(prefix)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	var found []plumbing.Hash
	for _, hash := range candidates {
		if !strings.HasPrefix(hash.String(), name) || slices.Contains(found, hash) {
			continue
		}
		if _, err := r.commit(hash); err == nil {
			found = append(found, hash)
		}
	}
	switch len(found) {
	case 0:
		return plumbing.ZeroHash, errNotThere
	case 1:
		return found[0], nil
	default:
		return plumbing.ZeroHash, errors.New("several commits begin so: give more of the hash")
	}
}

// commit reads the commit with a hash, which may be that of a tag.
func (r *Repository) commit(hash plumbing.Hash) (*Commit, error) {
	for range 10 {
		target, err := r.tagged(hash)
		if err != nil {
			break
		}
		hash = target
	}
	commit, err := r.readCommit(hash)
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		return nil, fmt.Errorf("%w: there is no commit %.12s", errNotThere, hash)
	}
	if err != nil {
		return nil, fmt.Errorf("read commit %.12s: %w", hash, err)
	}
	return commit, nil
}

// fetchHint says how to get a branch or a commit that is not there.
func (r *Repository) fetchHint(name string) string {
	remote, branch, found := strings.Cut(name, "/")
	if !found || remote != "origin" {
		remote, branch = "origin", name
	}
	if len(r.shallow) > 0 {
		return fmt.Sprintf("this clone is shallow; fetch it with its history: git fetch --unshallow %s %s (in GitHub Actions: fetch-depth: 0 for actions/checkout)", remote, branch)
	}
	return fmt.Sprintf("fetch it: git fetch %s %s", remote, branch)
}

// MergeBase is the best common ancestor of two commits: what a pull request
// changed is what it changed since then. Of several, such as after crosswise
// merges, the newest is taken.
func (r *Repository) MergeBase(base, head *Commit) (*Commit, error) {
	found, err := r.mergeBases(base, head)
	if err != nil {
		return nil, fmt.Errorf("find the merge base: %w", err)
	}
	if len(found) > 0 {
		return slices.MinFunc(found, newestFirst), nil
	}
	if len(r.shallow) > 0 {
		return nil, fmt.Errorf("no common ancestor of %.12s and HEAD is in this shallow clone: fetch more history (git fetch --unshallow, or in GitHub Actions fetch-depth: 0 for actions/checkout), or pass --no-merge-base to compare with the revision itself", base.Hash)
	}
	return nil, fmt.Errorf("%.12s and HEAD have no common ancestor: pass --no-merge-base to compare with the revision itself", base.Hash)
}

// newestFirst orders commits by their dates. Equal dates go by hash: which of
// the two commits was base must not matter.
func newestFirst(a, b *Commit) int {
	return cmp.Or(cmp.Compare(b.committed, a.committed), cmp.Compare(a.Hash.String(), b.Hash.String()))
}
