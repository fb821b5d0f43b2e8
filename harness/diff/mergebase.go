package diff

import (
	"container/heap"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// The sides from which a commit was reached. A commit is stale when it is an
// ancestor of a common ancestor, and therefore no candidate.
const (
	fromBase = 1 << iota
	fromHead
	stale
)

// mergeBase is the best common ancestor of two commits: what a pull request
// changed is what it changed since then. It is git's own algorithm, newest
// commit first; of several, such as after crosswise merges, the newest is taken.
func (r *repository) mergeBase(base, head *object.Commit) (*object.Commit, error) {
	flags := map[plumbing.Hash]int{base.Hash: fromBase}
	flags[head.Hash] |= fromHead
	queue := &byDate{base}
	if head.Hash != base.Hash {
		heap.Push(queue, head)
	}
	var candidates []*object.Commit
	for queue.Len() > 0 && !allStale(*queue, flags) {
		commit := heap.Pop(queue).(*object.Commit)
		flag := flags[commit.Hash]
		if flag == fromBase|fromHead {
			candidates = append(candidates, commit)
			flag |= stale // its ancestors are
		}
		for _, hash := range r.parents(commit) {
			if flags[hash]&flag == flag {
				continue
			}
			flags[hash] |= flag
			parent, err := r.commit(hash)
			if err != nil {
				return nil, fmt.Errorf("find the merge base: %w", err)
			}
			heap.Push(queue, parent)
		}
	}
	for _, candidate := range candidates {
		// With wrong clocks a candidate may turn out to be the ancestor of
		// another one.
		if flags[candidate.Hash]&stale == 0 {
			return candidate, nil
		}
	}
	if len(r.shallow) > 0 {
		return nil, fmt.Errorf("no common ancestor of %.12s and HEAD is in this shallow clone: fetch more history (git fetch --unshallow, or in GitHub Actions fetch-depth: 0 for actions/checkout), or pass --no-merge-base to compare with the revision itself", base.Hash)
	}
	return nil, fmt.Errorf("%.12s and HEAD have no common ancestor: pass --no-merge-base to compare with the revision itself", base.Hash)
}

func allStale(queue byDate, flags map[plumbing.Hash]int) bool {
	for _, commit := range queue {
		if flags[commit.Hash]&stale == 0 {
			return false
		}
	}
	return true
}

// byDate is a heap of commits, the newest first.
type byDate []*object.Commit

// Len implements sort.Interface.
func (q byDate) Len() int { return len(q) }

// Less implements sort.Interface. Equal dates go by hash: the order in which
// parents were found must not matter.
func (q byDate) Less(i, j int) bool {
	if !q[i].Committer.When.Equal(q[j].Committer.When) {
		return q[i].Committer.When.After(q[j].Committer.When)
	}
	return q[i].Hash.String() < q[j].Hash.String()
}

// Swap implements sort.Interface.
func (q byDate) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface.
func (q *byDate) Push(x any) { *q = append(*q, x.(*object.Commit)) }

// Pop implements heap.Interface.
func (q *byDate) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	*q = (*q)[:last]
	return x
}
