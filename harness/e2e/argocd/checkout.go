package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/argoproj/argo-cd/v3/applicationset/services"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/git"
)

// checkouts are git repositories in a temporary folder, one for each set of files.
type checkouts struct {
	dir    string
	byText map[string]*checkout
}

func newCheckouts() (*checkouts, error) {
	dir, err := os.MkdirTemp("", "argocd")
	return &checkouts{dir: dir, byText: map[string]*checkout{}}, err
}

func (c *checkouts) remove() { os.RemoveAll(c.dir) }

// of is the repository with some files, which it makes if need be.
func (c *checkouts) of(files map[string]string) (*checkout, error) {
	text, err := json.Marshal(files)
	if err != nil {
		return nil, err
	}
	if made := c.byText[string(text)]; made != nil {
		return made, nil
	}
	root := filepath.Join(c.dir, fmt.Sprint(len(c.byText)))
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, err
	}
	for name, content := range files {
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			return nil, err
		}
	}
	for _, arguments := range [][]string{{"init", "-q"}, {"add", "-A", "-f"}} {
		command := exec.Command("git", arguments...)
		command.Dir = root
		if said, err := command.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("git %v: %w: %s", arguments, err, said)
		}
	}
	client, err := git.NewClientExt("https://git.example.com/org/repo.git", root, git.NopCreds{}, false, false, "", "")
	if err != nil {
		return nil, err
	}
	made := &checkout{root: root, client: client}
	c.byText[string(text)] = made
	return made, nil
}

// checkout stands in for the repository server. Files are listed by Argo CD's own
// git client; directories are walked as reposerver/repository/utils.go does it.
type checkout struct {
	services.Repos
	root   string
	client git.Client
	// newFileGlobbing chooses how files are listed.
	newFileGlobbing bool
}

func (c *checkout) GetFiles(ctx context.Context, _, _, _, pattern string, _ bool, _ *v1alpha1.SourceIntegrity) (map[string][]byte, error) {
	if pattern == "" {
		pattern = "."
	}
	names, err := c.client.LsFiles(ctx, pattern, c.newFileGlobbing)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, name := range names {
		if files[name], err = os.ReadFile(filepath.Join(c.root, name)); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func (c *checkout) GetDirectories(context.Context, string, string, string, bool, *v1alpha1.SourceIntegrity) ([]string, error) {
	var directories []string
	err := filepath.WalkDir(c.root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !entry.IsDir():
			return nil
		case strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir
		}
		relative, err := filepath.Rel(c.root, path)
		if err == nil && relative != "." {
			directories = append(directories, relative)
		}
		return err
	})
	return directories, err
}
