package argocd

import (
	"bytes"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/appset"
	"github.com/proompteng/nevermigrate/harness/internal/argocd/source"
	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// readSettings reads the ConfigMap argocd-cm of a file.
func readSettings(file string) (source.Settings, error) {
	objects, err := readObjects(file)
	if err != nil {
		return source.Settings{}, err
	}
	for _, object := range objects {
		if object.Content["kind"] == "ConfigMap" && NameOf(object.Content) == "argocd-cm" {
			settings, err := source.ReadSettings(object.Content)
			if err != nil {
				return source.Settings{}, fmt.Errorf("read settings of Argo CD %s: %w", file, err)
			}
			return settings, nil
		}
	}
	return source.Settings{}, fmt.Errorf("read settings of Argo CD %s: there is no ConfigMap argocd-cm in it", file)
}

// foundSettings are those of the one file of a repository that holds the ConfigMap
// argocd-cm, whole or as a patch. Nobody has named it, so what it says to leave alone
// does not count. Of several files none does.
func foundSettings(top string, tracked []string) (found source.Settings) {
	files := 0
	for _, path := range tracked {
		if !slices.Contains([]string{".yaml", ".yml", ".json"}, strings.ToLower(filepath.Ext(path))) {
			continue
		}
		file := filepath.Join(top, filepath.FromSlash(path))
		text, err := render.ReadRegular(file)
		if err != nil || !bytes.Contains(text, []byte("argocd-cm")) {
			continue
		}
		if settings, err := readSettings(file); err == nil {
			files++
			found = settings
		}
	}
	if files != 1 {
		return source.Settings{}
	}
	found.Exclusions, found.Inclusions = nil, nil
	return found
}

// readClusters reads the Secrets of clusters of a file.
func readClusters(file string) ([]appset.Cluster, error) {
	objects, err := readObjects(file)
	if err != nil {
		return nil, err
	}
	clusters := []appset.Cluster{}
	for _, object := range objects {
		if object.Content["kind"] != "Secret" {
			continue
		}
		cluster, err := appset.ClusterOf(object.Content)
		if err != nil {
			return nil, fmt.Errorf("read clusters of Argo CD %s: %w", file, err)
		}
		clusters = append(clusters, cluster)
	}
	if len(clusters) == 0 {
		return nil, fmt.Errorf("read clusters of Argo CD %s: there is no Secret in it", file)
	}
	return clusters, nil
}

func readObjects(file string) ([]manifest.Object, error) {
	text, err := render.ReadRegular(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	objects, err := manifest.Read(text)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return objects, nil
}

// NameOf is the name of an object; empty when it has none.
func NameOf(content map[string]any) string {
	metadata, _ := content["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	return name
}

// filesBelow are the files below a folder, with /, without those of .git.
func filesBelow(folder string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == ".git":
			return filepath.SkipDir
		case entry.IsDir():
			return nil
		}
		relative, err := filepath.Rel(folder, path)
		files = append(files, filepath.ToSlash(relative))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list the files of a repository: %w", err)
	}
	return files, nil
}
