package appset

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
	"github.com/proompteng/nevermigrate/harness/internal/argocd/remote"
)

// git gives directories of a repository, or what its files hold:
// applicationset/generators/git.go and repo_path_utils.go. Where both are asked
// for, Argo CD gives the directories.
func (g *generation) git(ctx context.Context, generator *api.ApplicationSetGenerator, at spot) ([]paramSet, error) {
	git, at := generator.Git, at.member("git")
	if len(git.Directories)+len(git.Files) == 0 {
		return nil, failed(at, errors.New("it has neither directories nor files"), nil)
	}
	repository, err := g.options.repository(git.RepoURL, git.Revision)
	if err != nil {
		field := "repoURL"
		if len(g.options.Repositories) > 0 && slices.ContainsFunc(g.options.Repositories, func(r Repository) bool {
			return remote.Has(r.URLs, git.RepoURL)
		}) {
			field = "revision"
		}
		return nil, failed(at.member(field), err, nil)
	}
	if len(git.Directories) > 0 {
		return g.gitDirectories(git, repository, at)
	}
	return g.gitFiles(ctx, git, repository, at)
}

func (g *generation) gitDirectories(git *api.GitGenerator, repository *Repository, at spot) ([]paramSet, error) {
	for i, item := range git.Directories {
		for _, submodule := range repository.Submodules {
			if !item.Exclude && mayReach(item.Path, submodule) {
				return nil, failed(at.member("directories").item(i), &refusal{
					fmt.Sprintf("it can match in the submodule %s, whose directories are not known", submodule), "exclude it by another pattern",
				}, nil)
			}
		}
	}
	var sets []paramSet
	for _, directory := range repository.directories(g.options.HiddenDirectories) {
		i := requested(git.Directories, directory)
		if i < 0 {
			continue
		}
		params := g.pathParams(directory, git.PathParamPrefix)
		origins := []Origin{{Place: at.member("directories").item(i).place(), Directory: directory}}
		if err := g.addValues(git.Values, params); err != nil {
			return nil, failed(at.member("values"), err, origins)
		}
		sets = append(sets, paramSet{params, origins})
	}
	return sets, nil
}

// requested is the first pattern that includes a directory, or -1. One that
// excludes it wins. A pattern that is none matches nothing.
func requested(items []api.GitDirectoryGeneratorItem, directory string) int {
	found := -1
	for i, item := range items {
		switch matches, err := path.Match(item.Path, directory); {
		case err != nil || !matches:
		case item.Exclude:
			return -1
		case found < 0:
			found = i
		}
	}
	return found
}

func (g *generation) gitFiles(ctx context.Context, git *api.GitGenerator, repository *Repository, at spot) ([]paramSet, error) {
	at = at.member("files")
	patterns := make([]filePattern, len(git.Files))
	for i, item := range git.Files {
		var err error
		if patterns[i], err = g.filePattern(item.Path, repository); err != nil {
			return nil, failed(at.item(i).member("path"), err, nil)
		}
	}
	var sets []paramSet
	for _, file := range slices.Compact(slices.Sorted(slices.Values(repository.Tracked))) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		i := requestedFile(git.Files, patterns, file)
		if i < 0 {
			continue
		}
		place := at.item(i).place()
		text, err := repository.read(file)
		if err != nil {
			return nil, failed(at.item(i), err, nil)
		}
		objects, err := objectsOf(text)
		if err != nil {
			return nil, failed(at.item(i), fmt.Errorf("file %s is neither a map nor a list of maps: %w", file, err), nil)
		}
		for item, object := range objects {
			origins := []Origin{{Place: place, File: file, Item: item}}
			params, err := g.fileParams(file, object, git)
			if err != nil {
				return nil, failed(at.item(i), err, origins)
			}
			sets = append(sets, paramSet{params, origins})
		}
		if len(sets) > maxApplications {
			return nil, tooMany(at)
		}
	}
	return sets, nil
}

// filePattern is a pattern of files.
type filePattern interface{ matches(file string) bool }

func (g *generation) filePattern(pattern string, repository *Repository) (filePattern, error) {
	if g.options.NewFileGlobbing {
		return newGlob(pattern, repository)
	}
	return newPathspec(pattern)
}

// requestedFile is requested for files.
func requestedFile(items []api.GitFileGeneratorItem, patterns []filePattern, file string) int {
	found := -1
	for i, item := range items {
		switch {
		case !patterns[i].matches(file):
		case item.Exclude:
			return -1
		case found < 0:
			found = i
		}
	}
	return found
}
