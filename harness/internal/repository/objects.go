package repository

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// Commits, tags and trees are read here and not by go-git's package object, which links
// signatures and differences, 59 packages, and whose walks take an object that cannot
// be read for the end.

// Commit is a commit of a repository.
type Commit struct {
	Hash plumbing.Hash

	tree plumbing.Hash
	// parents are none where a shallow clone ends.
	parents   []plumbing.Hash
	committed int64 // in seconds since 1970
}

// maxHeader bounds what is read of a commit or a tag to find its header, in bytes.
const maxHeader = 1 << 20

// headerOf are the lines at the beginning of a commit or a tag, up to its message.
func (r *Repository) headerOf(kind plumbing.ObjectType, hash plumbing.Hash) (lines []string, err error) {
	encoded, err := r.EncodedObject(kind, hash)
	if err != nil {
		return nil, err
	}
	reader, err := encoded.Reader()
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(reader, maxHeader))
	if err := cmp.Or(err, reader.Close()); err != nil {
		return nil, err
	}
	header, _, _ := bytes.Cut(text, []byte("\n\n"))
	return strings.Split(string(header), "\n"), nil
}

// readCommit reads the commit with a hash.
func (r *Repository) readCommit(hash plumbing.Hash) (*Commit, error) {
	lines, err := r.headerOf(plumbing.CommitObject, hash)
	if err != nil {
		return nil, err
	}
	c := &Commit{Hash: hash}
	for _, line := range lines {
		field, value, _ := strings.Cut(line, " ")
		if field == "committer" {
			// NAME <ADDRESS> SECONDS ZONE. What cannot be read is old.
			date := strings.Fields(value[strings.LastIndex(value, ">")+1:])
			if len(date) > 0 {
				c.committed, _ = strconv.ParseInt(date[0], 10, 64)
			}
			break // what comes now may look like what came before
		}
		if field != "tree" && field != "parent" {
			continue
		}
		if !plumbing.IsHash(value) {
			return nil, fmt.Errorf("its %s is %q, which is no hash", field, value)
		}
		if field == "tree" {
			c.tree = plumbing.NewHash(value)
		} else {
			c.parents = append(c.parents, plumbing.NewHash(value))
		}
	}
	if c.tree.IsZero() {
		return nil, errors.New("it has no tree")
	}
	if r.shallow[hash] {
		c.parents = nil
	}
	return c, nil
}

// tagged is what the tag with a hash is a tag of.
func (r *Repository) tagged(hash plumbing.Hash) (plumbing.Hash, error) {
	lines, err := r.headerOf(plumbing.TagObject, hash)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	value, ok := strings.CutPrefix(lines[0], "object ")
	if !ok || !plumbing.IsHash(value) {
		return plumbing.ZeroHash, fmt.Errorf("tag %.12s has no object", hash)
	}
	return plumbing.NewHash(value), nil
}

// entry is a file or a folder of a tree.
type entry struct {
	name string
	mode filemode.FileMode
	hash plumbing.Hash
}

// entries reads a tree, and gives each entry to use, until there is an error.
func (r *Repository) entries(hash plumbing.Hash, use func(entry) error) (err error) {
	encoded, err := r.EncodedObject(plumbing.TreeObject, hash)
	if err != nil {
		return err
	}
	content, err := encoded.Reader()
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, content.Close()) }()
	reader := bufio.NewReader(content)
	for {
		mode, err := reader.ReadString(' ')
		if err == io.EOF && mode == "" {
			return nil
		}
		if err != nil {
			return malformed(err)
		}
		bits, err := strconv.ParseUint(strings.TrimSuffix(mode, " "), 8, 32)
		if err != nil {
			return fmt.Errorf("malformed tree: %w", err)
		}
		name, err := reader.ReadString(0)
		if err != nil {
			return malformed(err)
		}
		e := entry{name: strings.TrimSuffix(name, "\x00"), mode: kindOf(filemode.FileMode(bits))}
		if _, err := io.ReadFull(reader, e.hash[:]); err != nil {
			return malformed(err)
		}
		if err := use(e); err != nil {
			return err
		}
	}
}

// malformed explains an end in the middle of an entry.
func malformed(err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("malformed tree: %w", err)
}

// kindOf is what git takes a mode for.
func kindOf(mode filemode.FileMode) filemode.FileMode {
	switch mode & 0o170000 {
	case filemode.Dir:
		return filemode.Dir
	case 0o100000:
		if mode&0o111 != 0 {
			return filemode.Executable
		}
		return filemode.Regular
	case filemode.Symlink:
		return filemode.Symlink
	default:
		return filemode.Submodule
	}
}

// mergeBases are the best common ancestors of two commits, as `git merge-base --all`
// finds them: those that no other one has as an ancestor.
func (r *Repository) mergeBases(newer, older *Commit) ([]*Commit, error) {
	if newestFirst(newer, older) > 0 {
		newer, older = older, newer
	}
	ancestors := map[plumbing.Hash]bool{}
	err := r.walk([]plumbing.Hash{newer.Hash}, func(c *Commit) error {
		ancestors[c.Hash] = true
		if c.Hash == older.Hash {
			return fs.SkipAll // mostly long before the history ends
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var common []*Commit
	var above []plumbing.Hash
	err = r.walk([]plumbing.Hash{older.Hash}, func(c *Commit) error {
		if !ancestors[c.Hash] {
			return nil
		}
		common, above = append(common, c), append(above, c.parents...)
		return fs.SkipDir
	})
	if err != nil || len(common) < 2 {
		return common, err
	}
	reached := map[plumbing.Hash]bool{}
	err = r.walk(above, func(c *Commit) error {
		reached[c.Hash] = true
		return nil
	})
	return slices.DeleteFunc(common, func(c *Commit) bool { return reached[c.Hash] }), err
}

// walk reads commits and their ancestors, each once. As for fs.WalkDir, fs.SkipDir
// leaves out the ancestors of a commit and fs.SkipAll ends the walk.
func (r *Repository) walk(from []plumbing.Hash, visit func(*Commit) error) error {
	seen := map[plumbing.Hash]bool{}
	for queue := slices.Clone(from); len(queue) > 0; queue = queue[1:] {
		if seen[queue[0]] {
			continue
		}
		seen[queue[0]] = true
		c, err := r.readCommit(queue[0])
		if err != nil {
			return fmt.Errorf("read commit %.12s: %w", queue[0], err)
		}
		switch err := visit(c); err {
		case nil:
			queue = append(queue, c.parents...)
		case fs.SkipDir:
		case fs.SkipAll:
			return nil
		default:
			return err
		}
	}
	return nil
}
