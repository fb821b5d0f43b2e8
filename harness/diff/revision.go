package diff

import (
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// revisionPattern is a name and steps to ancestors, such as main~2 or v1^2.
var revisionPattern = regexp.MustCompile(`^([^~^:@{}\\\s*?\[]+|@)((?:~\d*|\^\d*|\^\{commit\}|\^\{\})*)$`)

var stepPattern = regexp.MustCompile(`[~^](?:\d+|\{commit\}|\{\})?`)

// errNotThere says that a name or an object is not in the repository.
var errNotThere = errors.New("is not in this repository")

// resolve finds the commit that a revision names: a branch, a tag, a hash that
// may be abbreviated, HEAD, a branch of a remote, with steps to ancestors. What
// is meant by anything else (a reflog, a search) is not guessed.
func (r *repository) resolve(revision string) (*object.Commit, error) {
	commit, err := r.lookUp(revision)
	switch {
	case errors.Is(err, errNotThere):
		return nil, fmt.Errorf("revision %q %w: %s", revision, err, r.fetchHint(revision))
	case err != nil:
		return nil, fmt.Errorf("revision %q: %w", revision, err)
	}
	return commit, nil
}

func (r *repository) lookUp(revision string) (*object.Commit, error) {
	match := revisionPattern.FindStringSubmatch(revision)
	if match == nil {
		return nil, errors.New("use a branch, a tag, a hash, HEAD or origin/BRANCH, with ~N or ^N after it if need be")
	}
	hash, err := r.lookUpName(match[1])
	if err != nil {
		return nil, err
	}
	commit, err := r.commit(hash)
	if err != nil {
		return nil, err
	}
	for _, step := range stepPattern.FindAllString(match[2], -1) {
		if strings.HasPrefix(step, "^{") {
			continue // a commit is what we have
		}
		if commit, err = r.step(commit, step); err != nil {
			return nil, err
		}
	}
	return commit, nil
}

// step follows ~N, the Nth ancestor by first parents, or ^N, the Nth parent.
func (r *repository) step(commit *object.Commit, step string) (*object.Commit, error) {
	n := 1
	if digits := step[1:]; digits != "" {
		var err error
		if n, err = strconv.Atoi(digits); err != nil {
			return nil, fmt.Errorf("%s: %w", step, err)
		}
	}
	if step[0] == '^' {
		if n == 0 {
			return commit, nil
		}
		return r.parent(commit, n)
	}
	var err error
	for ; n > 0 && err == nil; n-- {
		commit, err = r.parent(commit, 1)
	}
	return commit, err
}

func (r *repository) parent(commit *object.Commit, n int) (*object.Commit, error) {
	parents := r.parents(commit)
	if n > len(parents) {
		if r.shallow[commit.Hash] {
			return nil, fmt.Errorf("%w: the history ends at commit %.12s", errNotThere, commit.Hash)
		}
		return nil, fmt.Errorf("commit %.12s has %d parents", commit.Hash, len(parents))
	}
	return r.commit(parents[n-1])
}

// parents are a commit's, or none where a shallow clone ends.
func (r *repository) parents(commit *object.Commit) []plumbing.Hash {
	if r.shallow[commit.Hash] {
		return nil
	}
	return commit.ParentHashes
}

// refFormats are the places in which git looks for a short name of a ref.
var refFormats = []string{"%s", "refs/%s", "refs/tags/%s", "refs/heads/%s", "refs/remotes/%s", "refs/remotes/%s/HEAD"}

// lookUpName follows git's order: a whole hash, then refs, then an abbreviated
// hash, which must be that of one commit or tag only.
func (r *repository) lookUpName(name string) (plumbing.Hash, error) {
	if name == "@" {
		name = "HEAD"
	}
	if plumbing.IsHash(name) {
		return plumbing.NewHash(name), nil
	}
	for _, format := range refFormats {
		full := fmt.Sprintf(format, name)
		if format == "%s" && !strings.HasPrefix(name, "refs/") && !strings.HasSuffix(name, "HEAD") {
			continue // another file of the git folder, and not a ref
		}
		if ref, err := r.reference(full); err == nil {
			return ref, nil
		} else if !errors.Is(err, plumbing.ErrReferenceNotFound) {
			return plumbing.ZeroHash, fmt.Errorf("read ref %s: %w", full, err)
		}
	}
	return r.lookUpPrefix(name)
}

// reference is what a ref points to, through symbolic refs.
func (r *repository) reference(name string) (plumbing.Hash, error) {
	for range 10 {
		ref, err := r.storage.Reference(plumbing.ReferenceName(name))
		if err != nil {
			return plumbing.ZeroHash, err
		}
		if ref.Type() == plumbing.HashReference {
			return ref.Hash(), nil
		}
		name = ref.Target().String()
	}
	return plumbing.ZeroHash, errors.New("too many symbolic refs")
}

func (r *repository) lookUpPrefix(name string) (plumbing.Hash, error) {
	name = strings.ToLower(name)
	prefix, err := hex.DecodeString(name[:len(name)&^1])
	if err != nil || len(name) < 4 || strings.Trim(name, "0123456789abcdef") != "" {
		return plumbing.ZeroHash, errNotThere
	}
	candidates, err := r.objects.HashesWithPrefix(prefix)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	for _, alternate := range r.objects.alternates {
		more, err := alternate.HashesWithPrefix(prefix)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		candidates = append(candidates, more...)
	}
	found := plumbing.ZeroHash
	for _, hash := range candidates {
		if !strings.HasPrefix(hash.String(), name) || hash == found {
			continue
		}
		if _, err := r.commit(hash); err != nil {
			continue
		}
		if !found.IsZero() {
			return plumbing.ZeroHash, errors.New("several commits begin so: give more of the hash")
		}
		found = hash
	}
	if found.IsZero() {
		return found, errNotThere
	}
	return found, nil
}

// commit reads the commit with a hash, which may be that of a tag.
func (r *repository) commit(hash plumbing.Hash) (*object.Commit, error) {
	for range 10 {
		tag, err := object.GetTag(r.objects, hash)
		if err != nil {
			break
		}
		hash = tag.Target
	}
	commit, err := object.GetCommit(r.objects, hash)
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		return nil, fmt.Errorf("%w: there is no commit %.12s", errNotThere, hash)
	}
	if err != nil {
		return nil, fmt.Errorf("read commit %.12s: %w", hash, err)
	}
	return commit, nil
}

// fetchHint says how to get a revision that is not there.
func (r *repository) fetchHint(revision string) string {
	name, _, _ := strings.Cut(revision, "~")
	name, _, _ = strings.Cut(name, "^")
	remote, branch, found := strings.Cut(name, "/")
	if !found || remote != "origin" {
		remote, branch = "origin", name
	}
	if len(r.shallow) > 0 {
		return fmt.Sprintf("this clone is shallow; fetch it with its history: git fetch --unshallow %s %s (in GitHub Actions: fetch-depth: 0 for actions/checkout)", remote, branch)
	}
	return fmt.Sprintf("fetch it: git fetch %s %s", remote, branch)
}
