package report

import (
	"crypto/sha256"
	"encoding/hex"
)

// Provenance says what made a report, so that the report can serve as evidence: by
// which program, rules and settings which commit was judged.
type Provenance struct {
	// Program is the version of nevermigrate: a tag, a pseudo-version, or "(devel)".
	Program string `json:"program"`
	// ProgramCommit is the commit that nevermigrate was built of, and ProgramDate its
	// time by RFC 3339; empty when it was not built in a clone.
	ProgramCommit string       `json:"programCommit,omitempty"`
	ProgramDate   string       `json:"programDate,omitempty"`
	Policy        PolicySource `json:"policy"`
	// Constraints are those that were evaluated; none for the defaults.
	Constraints []ConstraintSource `json:"constraints"`
	// Configuration is there when one was read.
	Configuration *FileSource `json:"configuration,omitempty"`
	// Lock is there when it said which charts were rendered that are not in the work
	// tree.
	Lock *FileSource `json:"lock,omitempty"`
	// Commit is the one that was checked out in the work tree of the working
	// directory; empty for none. Whether files have changed since is not looked at.
	Commit string `json:"commit,omitempty"`
}

// PolicySource is where the rules come from.
type PolicySource struct {
	// Version is that of the rules in the program; empty for a policy of one's own.
	Version string `json:"version,omitempty"`
	// File is the folder or the bundle of a policy of one's own.
	File string `json:"file,omitempty"`
	// SHA256 is the digest of the bundle or, for a folder and for the rules in the
	// program, of what sha256sum prints for their Rego files in the order of their
	// names.
	SHA256 string `json:"sha256"`
}

// ConstraintSource is where a constraint comes from.
type ConstraintSource struct {
	// Name is its metadata.name.
	Name string `json:"name"`
	FileSource
}

// FileSource is a file as it was read.
type FileSource struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
}

// Digest is the SHA-256 of data in hexadecimal digits.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
