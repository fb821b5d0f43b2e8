package source

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/pkg/util"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/argocd/api"
)

// edit lays the options of the source over its kustomization, in memory: what Argo CD
// does with `kustomize edit`, in its order. The commands are those of
// sigs.k8s.io/kustomize/kustomize/v5/commands/edit.
func (o *one) edit(field string, options *api.ApplicationSourceKustomize) error {
	components, err := o.components(field, options)
	if err != nil {
		return err
	}
	edits := o.edits(field, options)
	if len(edits) == 0 && len(options.Patches) == 0 && len(components) == 0 {
		return nil
	}
	file, text, err := o.kustomization(field)
	if err != nil {
		return err
	}
	if text, err = edited(field, text, edits); err != nil {
		return err
	}
	if text, err = withPatches(field+".patches", text, options.Patches); err != nil {
		return err
	}
	if text, err = edited(field+".components", text, addComponents(components)); err != nil {
		return err
	}
	real, err := o.options.Reads.EvalSymlinks(file)
	if err != nil {
		return broken(field, err.Error(), "correct it")
	}
	o.said.Kustomization, o.said.Edited = real, text
	overlay := maps.Clone(o.options.Overlay)
	if overlay == nil {
		overlay = map[string][]byte{}
	}
	overlay[real] = text
	o.said.Options.Overlay = overlay
	return nil
}

// kustomization is the file of the folder, with its content.
func (o *one) kustomization(field string) (file string, text []byte, err error) {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		path := filepath.Join(o.folder, name)
		if _, err := o.options.Reads.Stat(path); err != nil {
			continue
		}
		if file != "" {
			return "", nil, broken(field, fmt.Sprintf("there are two kustomizations, %s and %s", filepath.Base(file), name), "remove one of them")
		}
		file = path
	}
	if file == "" {
		return "", nil, broken(field, "there is no kustomization to change", "add one")
	}
	if err := o.inside(field, file); err != nil {
		return "", nil, err
	}
	if text, err = o.content(file); err != nil {
		return "", nil, broken(field, err.Error(), "correct it")
	}
	return file, text, nil
}

// An edit changes a kustomization.
type edit func(*types.Kustomization) error

// edited is a kustomization as `kustomize edit` writes it after some edits.
func edited(field string, text []byte, edits []edit) ([]byte, error) {
	if len(edits) == 0 {
		return text, nil
	}
	var k types.Kustomization
	if err := k.Unmarshal(text); err != nil {
		return nil, broken(field, err.Error(), "correct the kustomization")
	}
	k.FixKustomization()
	for _, edit := range edits {
		if err := edit(&k); err != nil {
			return nil, err
		}
	}
	text, err := yaml.Marshal(k)
	if err != nil {
		return nil, broken(field, err.Error(), "correct the kustomization")
	}
	return text, nil
}

// edits are those before patches.
func (o *one) edits(field string, options *api.ApplicationSourceKustomize) []edit {
	var edits []edit
	if options.NamePrefix != "" {
		edits = append(edits, func(k *types.Kustomization) error { k.NamePrefix = options.NamePrefix; return nil })
	}
	if options.NameSuffix != "" {
		edits = append(edits, func(k *types.Kustomization) error { k.NameSuffix = options.NameSuffix; return nil })
	}
	if len(options.Images) > 0 {
		edits = append(edits, o.setImages(field+".images", options.Images))
	}
	if len(options.Replicas) > 0 {
		edits = append(edits, setReplicas(field+".replicas", options.Replicas))
	}
	if len(options.CommonLabels) > 0 {
		edits = append(edits, o.addLabels(field, options))
	}
	if len(options.CommonAnnotations) > 0 {
		edits = append(edits, o.addAnnotations(field, options))
	}
	if options.Namespace != "" {
		edits = append(edits, func(k *types.Kustomization) error { k.Namespace = options.Namespace; return nil })
	}
	return edits
}

// setImages is edit set image.
func (o *one) setImages(field string, images api.KustomizeImages) edit {
	return func(k *types.Kustomization) error {
		byName := map[string]types.Image{}
		for i, image := range images {
			at := fmt.Sprintf("%s[%d]", field, i)
			text := o.expandCompared(at, string(image))
			parsed, ok := parseImage(text)
			if !ok || isFlag(text) {
				return broken(at, fmt.Sprintf("%q is no image", text), "write NAME=NEW:TAG")
			}
			byName[parsed.Name] = parsed
		}
		for _, image := range k.Images {
			if given, ok := byName[image.Name]; ok {
				kept(&given.NewName, image.NewName)
				kept(&given.NewTag, image.NewTag)
				kept(&given.Digest, image.Digest)
				byName[image.Name] = given
				continue
			}
			byName[image.Name] = image
		}
		k.Images = nil
		for _, name := range slices.Sorted(maps.Keys(byName)) {
			image := byName[name]
			kept(&image.NewName, "")
			kept(&image.NewTag, "")
			kept(&image.Digest, "")
			k.Images = append(k.Images, image)
		}
		return nil
	}
}

// kept replaces an asterisk by what is there.
func kept(value *string, there string) {
	if *value == "*" {
		*value = there
	}
}

// parseImage is parse of edit/set/setimage.go.
func parseImage(text string) (types.Image, bool) {
	key, value, renamed := strings.Cut(text, "=")
	if !renamed {
		key, value = "", text
	}
	name, tag, digest := util.SplitImageName(value)
	if name == text {
		return types.Image{}, false
	}
	image := types.Image{Name: name, NewTag: tag, Digest: digest}
	if key != "" {
		image.Name, image.NewName = key, name
	}
	return image, true
}

// isFlag reports whether the command line of kustomize takes an argument for a flag.
func isFlag(argument string) bool { return strings.HasPrefix(argument, "-") }

// setReplicas is edit set replicas.
func setReplicas(field string, replicas api.KustomizeReplicas) edit {
	return func(k *types.Kustomization) error {
		byName := map[string]types.Replica{}
		for i, replica := range replicas {
			count := int64(replica.Count.IntVal)
			if replica.Count.Type == intstr.String {
				parsed, err := strconv.Atoi(replica.Count.StrVal)
				if err != nil {
					return broken(fmt.Sprintf("%s[%d].count", field, i), fmt.Sprintf("%q is no number", replica.Count.StrVal), "write a number")
				}
				count = int64(parsed)
			}
			if strings.Contains(replica.Name, "=") || isFlag(replica.Name) {
				return broken(fmt.Sprintf("%s[%d].name", field, i), fmt.Sprintf("%q is no name", replica.Name), "correct it")
			}
			byName[replica.Name] = types.Replica{Name: replica.Name, Count: count}
		}
		for _, replica := range k.Replicas {
			if _, ok := byName[replica.Name]; !ok {
				byName[replica.Name] = replica
			}
		}
		k.Replicas = nil
		for _, name := range slices.Sorted(maps.Keys(byName)) {
			k.Replicas = append(k.Replicas, byName[name])
		}
		return nil
	}
}

// addLabels is edit add label.
func (o *one) addLabels(field string, options *api.ApplicationSourceKustomize) edit {
	return func(k *types.Kustomization) error {
		if options.LabelIncludeTemplates && !options.LabelWithoutSelector {
			return broken(field+".labelIncludeTemplates", "it needs labelWithoutSelector", "set that too")
		}
		labels, err := metadata(field+".commonLabels", options.CommonLabels, o.expandCompared)
		if err != nil {
			return err
		}
		return addTo(labelsOfKustomization(k, options), labels, field+".commonLabels", options.ForceCommonLabels, "forceCommonLabels")
	}
}

// labelsOfKustomization are the labels that options add to.
func labelsOfKustomization(k *types.Kustomization, options *api.ApplicationSourceKustomize) map[string]string {
	if options.LabelWithoutSelector {
		return withoutSelector(k, options.LabelIncludeTemplates)
	}
	//lint:ignore SA1019 kustomize edit writes this field
	labels := &k.CommonLabels
	if *labels == nil {
		*labels = map[string]string{}
	}
	return *labels
}

// withoutSelector are the labels of the first entry of a kustomization that has these
// settings, made when there is none: writeToLabels of edit/add/addmetadata.go.
func withoutSelector(k *types.Kustomization, templates bool) map[string]string {
	for _, label := range k.Labels {
		if !label.IncludeSelectors && label.IncludeTemplates == templates {
			return label.Pairs
		}
	}
	pairs := map[string]string{}
	k.Labels = append(k.Labels, types.Label{Pairs: pairs, IncludeTemplates: templates})
	return pairs
}

// addAnnotations is edit add annotation.
func (o *one) addAnnotations(field string, options *api.ApplicationSourceKustomize) edit {
	return func(k *types.Kustomization) error {
		expand := func(at, value string) string {
			if options.CommonAnnotationsEnvsubst {
				value = o.expandCompared(at, value)
			}
			return value
		}
		annotations, err := metadata(field+".commonAnnotations", options.CommonAnnotations, expand)
		if err != nil {
			return err
		}
		if k.CommonAnnotations == nil {
			k.CommonAnnotations = map[string]string{}
		}
		return addTo(k.CommonAnnotations, annotations, field+".commonAnnotations", options.ForceCommonAnnotations, "forceCommonAnnotations")
	}
}

// metadata are labels or annotations as kustomize's command line takes them: KEY:VALUE,
// with quotes around a value removed.
func metadata(field string, given map[string]string, expand func(at, value string) string) (map[string]string, error) {
	all := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		at := fmt.Sprintf("%s[%s]", field, key)
		value := expand(at, given[key])
		if key == "" || isFlag(key) || strings.Contains(key, ":") {
			return nil, broken(at, fmt.Sprintf("%q is no key", key), "correct it")
		}
		if len(value) >= 2 && strings.HasPrefix(value, `"`) && strings.HasSuffix(value, `"`) {
			value = value[1 : len(value)-1]
		}
		all[key] = value
	}
	return all, nil
}

// addTo adds entries, over those that are there only when forced.
func addTo(pairs, added map[string]string, field string, force bool, flag string) error {
	for _, key := range slices.Sorted(maps.Keys(added)) {
		if _, there := pairs[key]; there && !force {
			return broken(fmt.Sprintf("%s[%s]", field, key), "the kustomization has it already", "leave it out, or set "+flag)
		}
		pairs[key] = added[key]
	}
	return nil
}

// withPatches appends patches to a kustomization, as Build of
// util/kustomize/kustomize.go does: by keys, without kustomize's own types.
func withPatches(field string, text []byte, patches api.KustomizePatches) ([]byte, error) {
	if len(patches) == 0 {
		return text, nil
	}
	var content any
	if err := yaml.Unmarshal(text, &content); err != nil {
		return nil, broken(field, err.Error(), "correct the kustomization")
	}
	keys, ok := content.(map[string]any)
	if !ok {
		return nil, broken(field, "the kustomization is no map", "correct it")
	}
	if there, ok := keys["patches"]; ok {
		list, ok := there.([]any)
		if !ok {
			return nil, broken(field, "the patches of the kustomization are no list", "correct them")
		}
		for _, patch := range patches {
			list = append(list, patch)
		}
		keys["patches"] = list
	} else {
		keys["patches"] = patches
	}
	text, err := yaml.Marshal(keys)
	if err != nil {
		return nil, broken(field, err.Error(), "correct the kustomization")
	}
	return text, nil
}

// components are those that are added to the kustomization. Where missing ones are
// ignored, Argo CD 3.6.1 stops at the first that is there.
func (o *one) components(field string, options *api.ApplicationSourceKustomize) ([]string, error) {
	components := options.Components
	if options.IgnoreMissingComponents {
		components = slices.DeleteFunc(slices.Clone(components), func(component string) bool { return !o.isComponent(component) })
		if len(components) > 1 {
			return nil, refused(field+".ignoreMissingComponents",
				fmt.Sprintf("of several components that are there (%s), Argo CD 3.6.1 takes the first only, and other versions all", strings.Join(components, ", ")),
				"leave ignoreMissingComponents out")
		}
	}
	for i, component := range components {
		at := fmt.Sprintf("%s.components[%d]", field, i)
		switch {
		case isRemote(component):
			return nil, refused(at, fmt.Sprintf("%s is in another repository", component), "commit a copy and name that")
		case isFlag(component) || component == "" || filepath.IsAbs(component):
			return nil, broken(at, fmt.Sprintf("%q is no component", component), "correct it")
		case strings.ContainsAny(component, `*?[\`):
			return nil, refused(at, fmt.Sprintf("%s is a pattern", component), "name the component")
		}
		if !within(o.root, filepath.Join(o.folder, component)) {
			return nil, broken(at, fmt.Sprintf("%s leads out of the repository", component), "commit a copy and name that")
		}
		if err := o.inside(at, filepath.Join(o.folder, component)); err != nil {
			return nil, err
		}
		if _, err := o.options.Reads.Stat(filepath.Join(o.folder, component)); err != nil {
			return nil, broken(at, fmt.Sprintf("%s is not there", component), "correct it, or set ignoreMissingComponents")
		}
	}
	return components, nil
}

// isComponent reports whether there is a kustomization in a folder of the repository.
func (o *one) isComponent(component string) bool {
	folder := filepath.Join(o.folder, component)
	if !within(o.root, folder) {
		return false
	}
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		file := filepath.Join(folder, name)
		if o.inside("", file) == nil && o.isFile(file) {
			return true
		}
	}
	return false
}

// addComponents is edit add component.
func addComponents(components []string) []edit {
	if len(components) == 0 {
		return nil
	}
	return []edit{func(k *types.Kustomization) error {
		for _, component := range components {
			if !slices.Contains(k.Components, component) {
				k.Components = append(k.Components, component)
			}
		}
		return nil
	}}
}

var remotePattern = regexp.MustCompile(`(?i)^(git::)?([a-z][a-z0-9+.-]*://|[a-z][a-z0-9-]*@|github\.com[/:])`)

// isRemote reports whether kustomize may take a path for a git repository.
func isRemote(path string) bool { return remotePattern.MatchString(strings.TrimSpace(path)) }

func (o *one) isFile(path string) bool {
	info, err := o.options.Reads.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// escaped is a path as a pattern that matches only it.
func escaped(path string) string {
	return regexp.MustCompile(`[*?\[\\]`).ReplaceAllString(path, `\$0`)
}

var errTooMany = errors.New("it has more files than are looked at")
