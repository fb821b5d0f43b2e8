package configured

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/proompteng/nevermigrate/harness/internal/argocd"
	"github.com/proompteng/nevermigrate/harness/internal/argocd/source"
	"github.com/proompteng/nevermigrate/harness/internal/config"
	"github.com/proompteng/nevermigrate/harness/internal/render"
	"github.com/proompteng/nevermigrate/harness/internal/repository"
)

// instanceOf says what a configuration says of Argo CD, and what git says of the work
// tree that the working directory is in; nil where neither says anything. Git is asked
// when it is called, once.
func instanceOf(c *config.Config) func() (*argocd.Instance, error) {
	if dir, err := os.Getwd(); c.ArgoCD == nil && (err != nil || render.WorkTree(render.RealPath(dir)) == "") {
		return nil
	}
	return sync.OnceValues(func() (*argocd.Instance, error) {
		i, err := instance(c)
		if err != nil {
			return nil, fmt.Errorf("argocd: %w", err)
		}
		return i, nil
	})
}

func instance(c *config.Config) (*argocd.Instance, error) {
	dir, err := os.Getwd()
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return nil, err
	}
	repo, err := repository.Open(dir)
	if err != nil {
		return nil, err
	}
	defer repo.Close()
	checkout, err := repo.Checkout()
	if err != nil {
		return nil, err
	}
	fromTop := func(path string) string {
		from, _ := c.FromTop(c.Local(path)) // it was checked when it was read
		return from
	}
	i := &argocd.Instance{
		URLs: checkout.URLs, Revisions: checkout.Branches, Tracked: checkout.Tracked, Submodules: checkout.Submodules,
		Checkouts: map[string]string{}, Plugins: map[string]string{}, Versions: map[string]source.Versions{},
	}
	if c.ArgoCD == nil {
		return i, nil
	}
	for _, r := range c.ArgoCD.Repositories {
		if path := fromTop(r.Path); path == "." {
			i.URLs = append(i.URLs, r.URL)
		} else {
			i.Checkouts[r.URL] = path
		}
	}
	for _, revision := range c.ArgoCD.Revisions {
		i.Revisions = append(i.Revisions, revision.Value)
	}
	for _, plugin := range c.ArgoCD.Plugins {
		i.Plugins[plugin.Name] = plugin.Does
	}
	if c.ArgoCD.Settings.Value != "" {
		i.Settings = fromTop(c.ArgoCD.Settings.Value)
	}
	for _, file := range c.ArgoCD.Clusters {
		i.Clusters = append(i.Clusters, fromTop(file.Value))
	}
	for _, d := range c.ArgoCD.Destinations {
		i.Versions[d.Cluster] = source.Versions{Kubernetes: d.KubeVersion, APIs: d.APIVersions}
	}
	return i, nil
}
