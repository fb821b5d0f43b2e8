package render

import (
	"path/filepath"

	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	valueloader "helm.sh/helm/v4/pkg/chart/v2/loader"

	"github.com/proompteng/nevermigrate/harness/internal/reads"
)

// overlay holds what a rendering reads in place of the content of some files,
// by their real paths: what would be rendered if the app were changed, without
// changing it.
type overlay map[string][]byte

// content returns the content that takes the place of a file's.
func (o overlay) content(log *reads.Log, path string) ([]byte, bool) {
	if len(o) == 0 {
		return nil, false
	}
	real, err := log.EvalSymlinks(path)
	if err != nil {
		return nil, false
	}
	content, ok := o[real]
	return content, ok
}

func (o overlay) readFile(log *reads.Log, path string) ([]byte, error) {
	if content, ok := o.content(log, path); ok {
		return content, nil
	}
	return log.ReadFile(path)
}

// chart returns a loaded chart as it would have been loaded. A packed subchart is
// replaced as a whole.
func (o overlay) chart(log *reads.Log, loaded *chartv2.Chart, folder string) (*chartv2.Chart, error) {
	var files []*archive.BufferedFile
	changed := false
	for _, file := range loaded.Raw {
		data := file.Data
		if content, ok := o.content(log, filepath.Join(folder, filepath.FromSlash(file.Name))); ok {
			data, changed = content, true
		}
		files = append(files, &archive.BufferedFile{Name: file.Name, ModTime: file.ModTime, Data: data})
	}
	if !changed {
		return loaded, nil
	}
	return valueloader.LoadFiles(files)
}
