package mode

import (
	"slices"
	"strings"
)

// LookAlike gives the first of some names that a person could have written for
// the migrations variable, and empty when there is none. The nearest wins: the
// same but for case, punctuation or a slip of the keyboard; then another name
// with the same last word, as after a renaming. On Unix, names that differ by
// case are different variables.
func (r Rules) LookAlike(names []string) string {
	for _, name := range names {
		if similar(name, r.Variable) {
			return name
		}
	}
	last := strings.LastIndexByte(r.Variable, '_')
	if last < 0 {
		return ""
	}
	for _, name := range names {
		if name != r.Variable && strings.HasSuffix(name, r.Variable[last:]) {
			return name
		}
	}
	return ""
}

// similar holds for two names that become equal when up to two characters are
// left out of each, and that are long enough for that to mean something.
func similar(one, other string) bool {
	const slips, shortest = 2, 4
	near, far := bare(one), bare(other)
	if one == other || len(near) < shortest {
		return false
	}
	if difference := len(near) - len(far); difference < -slips || difference > slips {
		return false
	}
	return common(near, far) >= max(len(near), len(far))-slips
}

// bare is a name without what people do not look at.
func bare(name string) []rune {
	return []rune(strings.ToLower(strings.NewReplacer("-", "", "_", "", ".", "").Replace(name)))
}

// common is the length of the longest common subsequence.
func common(one, other []rune) int {
	row := make([]int, len(other)+1)
	for _, character := range one {
		above := slices.Clone(row)
		for i := range other {
			if other[i] == character {
				row[i+1] = above[i] + 1
			} else {
				row[i+1] = max(row[i], above[i+1])
			}
		}
	}
	return row[len(other)]
}
