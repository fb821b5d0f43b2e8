package find

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/proompteng/nevermigrate/harness/internal/manifest"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

var (
	// objectPattern finds the keys that every object has.
	apiVersionPattern = regexp.MustCompile(`(?m)^[\s{,-]*["']?apiVersion["']?\s*:`)
	kindPattern       = regexp.MustCompile(`(?m)(?:^|[\s{,])["']?kind["']?\s*:`)
	// escapePattern finds what may hide a key in double quotes.
	escapePattern = regexp.MustCompile(`\\[xuU]`)
)

// leadsOut is render.LinkLeadsOut of a file. One that is no link leads where its folder
// does.
func (w *walk) leadsOut(path, real string) error {
	dir := filepath.Dir(path)
	err, known := w.leadOut[dir]
	if !known {
		if above, ok := w.leadOut[filepath.Dir(dir)]; !ok || above != nil || !isPlain(dir) {
			err = render.LinkLeadsOut(dir)
		}
		w.leadOut[dir] = err
	}
	if err == nil && real == filepath.Join(w.realPath(dir), filepath.Base(path)) {
		return nil
	}
	return render.LinkLeadsOut(path)
}

// isPlain reports whether a folder is in the work tree of the one above: neither a link
// nor a work tree by itself.
func isPlain(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil || info.Mode()&fs.ModeSymlink != 0 || filepath.Base(dir) == "." || filepath.Base(dir) == ".." {
		return false
	}
	_, err = os.Lstat(filepath.Join(dir, ".git"))
	return errors.Is(err, fs.ErrNotExist)
}

// manifest looks at a file that may be one.
func (w *walk) manifest(path, real string) {
	found := &place{kind: Manifest, file: path, shown: w.display(path), real: real, argument: w.root}
	err := w.leadsOut(path, real)
	var text []byte
	if err == nil {
		text, err = render.ReadRegular(path)
	}
	if err != nil {
		found.unreadable, found.unread = err, true
		w.places = append(w.places, found)
		return
	}
	if !bytes.Contains(text, []byte("kind")) && !escapePattern.Match(text) {
		return
	}
	objects, err := manifest.Read(text)
	if err != nil {
		if apiVersionPattern.Match(text) && kindPattern.Match(text) {
			found.unreadable = err
			w.places = append(w.places, found)
		}
		return
	}
	w.notJudged = append(w.notJudged, Delivered(found.shown, objects)...)
	if slices.ContainsFunc(objects, func(o manifest.Object) bool { return holdsPod(o.Content) }) {
		w.places = append(w.places, found)
	}
}

// holdsPod reports whether a value may hold a pod spec, or a reference to one, at
// any depth. What is found too much is judged.
func holdsPod(value any) bool {
	switch value := value.(type) {
	case map[string]any:
		for key, below := range value {
			switch key {
			case "containers", "initContainers", "ephemeralContainers":
				if list, ok := below.([]any); ok && len(list) > 0 {
					return true
				}
			case "container":
				if one, ok := below.(map[string]any); ok && one["image"] != nil {
					return true
				}
			case "workloadRef":
				if one, ok := below.(map[string]any); ok && one["name"] != nil {
					return true
				}
			}
			if holdsPod(below) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(value, holdsPod)
	}
	return false
}

// delivers are the objects by which a controller in the cluster makes others from
// something else: API group, kind, and whose they are.
var delivers = []struct{ group, kind, by string }{
	{"argoproj.io", "Application", "Argo CD"},
	{"argoproj.io", "ApplicationSet", "Argo CD"},
	{"helm.toolkit.fluxcd.io", "HelmRelease", "Flux"},
	{"kustomize.toolkit.fluxcd.io", "Kustomization", "Flux"},
	{"helm.cattle.io", "HelmChart", "the Helm controller"},
	{"helm.cattle.io", "HelmChartConfig", "the Helm controller"},
}

// Delivered are the objects among some by which Argo CD or Flux makes workloads
// from something else, which is not judged, from the place at a path.
func Delivered(path string, objects []manifest.Object) []NotJudged {
	var found []NotJudged
	for _, object := range objects {
		for _, content := range listed(object.Content) {
			document := object.Document
			if _, isList := object.Content["items"].([]any); isList {
				document = 0
			}
			version, _ := content["apiVersion"].(string)
			kind, _ := content["kind"].(string)
			for _, d := range delivers {
				if group, _, _ := bytes.Cut([]byte(version), []byte("/")); string(group) != d.group || kind != d.kind {
					continue
				}
				metadata, _ := content["metadata"].(map[string]any)
				name, _ := metadata["name"].(string)
				text, _ := json.Marshal(content)
				found = append(found, NotJudged{
					Path: path, Kind: Kind(kind), Text: text, Object: content, Document: document,
					Reason: fmt.Sprintf("what %s makes of %s is not rendered", d.by, nameOr(name)),
				})
			}
		}
	}
	return found
}

func nameOr(name string) string {
	if name == "" {
		return "it"
	}
	return name
}

// listed are the items of a List, or the object itself.
func listed(object map[string]any) []map[string]any {
	items, ok := object["items"].([]any)
	if !ok {
		return []map[string]any{object}
	}
	var all []map[string]any
	for _, item := range items {
		if item, ok := item.(map[string]any); ok {
			all = append(all, listed(item)...)
		}
	}
	return all
}
