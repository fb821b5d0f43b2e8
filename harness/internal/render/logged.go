package render

import (
	"path/filepath"

	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/proompteng/nevermigrate/harness/internal/reads"
)

// loggedFiles is a file system whose reads a log notes. What kustomize does not do when
// it builds cannot be noted, and says so.
type loggedFiles struct {
	filesys.FileSystem
	log *reads.Log
}

// CleanedAbs implements filesys.FileSystem.
func (f loggedFiles) CleanedAbs(path string) (filesys.ConfirmedDir, string, error) {
	f.log.Note(reads.Stat, path)
	return f.FileSystem.CleanedAbs(path)
}

// Exists implements filesys.FileSystem.
func (f loggedFiles) Exists(path string) bool {
	f.log.Note(reads.Stat, path)
	return f.FileSystem.Exists(path)
}

// IsDir implements filesys.FileSystem.
func (f loggedFiles) IsDir(path string) bool {
	f.log.Note(reads.Stat, path)
	return f.FileSystem.IsDir(path)
}

// ReadDir implements filesys.FileSystem.
func (f loggedFiles) ReadDir(path string) ([]string, error) {
	f.log.Note(reads.List, path)
	return f.FileSystem.ReadDir(path)
}

// ReadFile implements filesys.FileSystem.
func (f loggedFiles) ReadFile(path string) ([]byte, error) {
	f.log.Note(reads.File, path)
	return f.FileSystem.ReadFile(path)
}

// Open implements filesys.FileSystem.
func (f loggedFiles) Open(path string) (filesys.File, error) {
	f.log.Unsure()
	return f.FileSystem.Open(path)
}

// Glob implements filesys.FileSystem.
func (f loggedFiles) Glob(pattern string) ([]string, error) {
	f.log.Unsure()
	return f.FileSystem.Glob(pattern)
}

// Walk implements filesys.FileSystem.
func (f loggedFiles) Walk(path string, visit filepath.WalkFunc) error {
	f.log.Unsure()
	return f.FileSystem.Walk(path, visit)
}
