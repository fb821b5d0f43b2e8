// Package policy holds the contract as Rego and embeds it, so that a program
// that links it judges by the same text as conftest and Gatekeeper, from any
// directory.
package policy

import "embed"

// Version is the version of the rules. It changes when a verdict can change.
const Version = "0.2.0"

// FS holds the rules and their libraries, laid out as in this folder. The tests
// are left out: they must not be evaluated with the rules. A pattern cannot
// leave them out, so the files are named one by one, and a test compares the
// list with the folder.
//
//go:embed main.rego
//go:embed lib/catalogue.rego
//go:embed lib/constraint.rego
//go:embed lib/contract.rego
//go:embed lib/document.rego
//go:embed lib/env.rego
//go:embed lib/kind.rego
//go:embed lib/loading.rego
//go:embed lib/mode.rego
//go:embed lib/mounted.rego
//go:embed lib/parameters.rego
//go:embed lib/plain.rego
//go:embed lib/process.rego
//go:embed lib/reading.rego
//go:embed lib/resemblance.rego
//go:embed lib/result.rego
//go:embed lib/review.rego
//go:embed lib/summary.rego
//go:embed lib/text.rego
//go:embed lib/unreadable.rego
//go:embed lib/value.rego
//go:embed lib/workload.rego
var FS embed.FS
