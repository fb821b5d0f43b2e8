// Package same tells which findings of two reports are one.
package same

import (
	"regexp"

	"github.com/proompteng/nevermigrate/harness/report"
)

// key is what two findings have in common that are one.
type key struct{ code, constraint, workload, namespace, container, path, message string }

func keyOf(f *report.Finding, path, message string) key {
	return key{f.Code, f.Constraint, f.Workload, f.Namespace, f.Container, path, message}
}

// Findings are the findings of both sides that are the same. Neither path nor
// message belong to that: they change with every entry that comes before. Of
// several that are alike as many are the same as the base side had, those at the
// same place first.
func Findings(base, head []report.Finding) map[*report.Finding]bool {
	found := map[*report.Finding]bool{}
	match(found, base, head, func(f *report.Finding) key { return keyOf(f, f.Path, f.Message) })
	match(found, base, head, func(f *report.Finding) key { return keyOf(f, "", "") })
	return found
}

// numbers are those of items of a list in a path.
var numbers = regexp.MustCompile(`\[[0-9]+\]`)

// Exactly is Findings for those that say the same: what was known of one value is
// not known of another. Only the numbers in a path may differ.
func Exactly(base, head []report.Finding) map[*report.Finding]bool {
	found := map[*report.Finding]bool{}
	match(found, base, head, func(f *report.Finding) key {
		return keyOf(f, numbers.ReplaceAllString(f.Path, "[]"), numbers.ReplaceAllString(f.Message, "[]"))
	})
	return found
}

// match adds the findings of both sides that have the same key, each once.
func match(found map[*report.Finding]bool, base, head []report.Finding, keyOf func(*report.Finding) key) {
	unmatched := map[key][]*report.Finding{}
	for i := range base {
		if f := &base[i]; !found[f] {
			unmatched[keyOf(f)] = append(unmatched[keyOf(f)], f)
		}
	}
	for i := range head {
		f := &head[i]
		if alike := unmatched[keyOf(f)]; !found[f] && len(alike) > 0 {
			found[f], found[alike[0]] = true, true
			unmatched[keyOf(f)] = alike[1:]
		}
	}
}
