package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	yaml "sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/committed"
)

// reader reads the text of a configuration. It accepts what the schema accepts; a
// test compares them. What the schema cannot know is whether a date is past and
// where a file is.
type reader struct {
	config *Config
	now    time.Time
}

// The patterns are those of the schema.
var (
	textPattern       = regexp.MustCompile(`\A[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?\z`)
	codePattern       = regexp.MustCompile(`\A[A-Z]+[0-9]+\z`)
	versionPattern    = regexp.MustCompile(`\Av?[0-9]+\.[0-9]+(\.[0-9]+)?([-+][0-9A-Za-z.+-]+)?\z`)
	apiVersionPattern = regexp.MustCompile(`\A[0-9A-Za-z._/-]+\z`)
	outputPattern     = regexp.MustCompile(`\A[a-z0-9]+(=[^\x00-\x1f\x7f]+)?\z`)
	// notRelative is an absolute path, or standard input.
	notRelative  = regexp.MustCompile(`\A(/|-\z)`)
	badSegments  = regexp.MustCompile(`\A/|//|/\z|(\A|/)\.{1,2}(/|\z)`)
	badAsterisks = regexp.MustCompile(`[^/]\*\*|\*\*[^/]`)
	badNameStars = regexp.MustCompile(`\*\*`)
)

var (
	isKubeVersion = matching(versionPattern, "no version of Kubernetes: write one such as 1.35.0")
	isAPIVersion  = matching(apiVersionPattern, "no version of an API: write one such as monitoring.coreos.com/v1")
)

// field is a key with its value.
type field struct {
	name       string
	key, value *yaml.Node
}

// fail is an error at a node.
func (r *reader) fail(at *yaml.Node, key, format string, args ...any) error {
	return committed.Text(r.config.File).Fail(at, key, format, args...)
}

func (r *reader) read(data []byte) error {
	const empty = "it is empty: give it a key, or remove it"
	root, err := committed.Text(r.config.File).Document(data, "a configuration", empty)
	if err != nil {
		return err
	}
	if root.ShortTag() == yaml.NodeTagNull {
		return fmt.Errorf("%s: %s", r.config.File, empty)
	}
	known := []string{"constraints", "paths", "exclude", "exemptions", "baseline", "kubeVersion", "apiVersions", "argocd", "outputs"}
	fields, err := r.fields(root, "", known, nil)
	if err != nil {
		return err
	}
	for _, f := range fields {
		if err := r.field(f); err != nil {
			return err
		}
	}
	return nil
}

// field reads a key of the configuration.
func (r *reader) field(f field) (err error) {
	c := r.config
	switch f.name {
	case "constraints":
		c.Constraints, err = r.texts(f, r.file)
	case "paths":
		c.Paths, err = r.texts(f, r.file)
	case "exclude":
		err = r.exclude(f)
	case "exemptions":
		err = r.exemptions(f)
	case "baseline":
		c.Baseline, err = r.text(f.value, f.name, r.file)
	case "kubeVersion":
		c.KubeVersion, err = r.text(f.value, f.name, isKubeVersion)
	case "apiVersions":
		c.APIVersions, err = r.texts(f, isAPIVersion)
	case "argocd":
		err = r.argocd(f)
	case "outputs":
		c.Outputs, err = r.texts(f, r.output)
	}
	return err
}

// fields are the keys of an object, which are all known, each there once, and
// those that are required among them.
func (r *reader) fields(node *yaml.Node, key string, known, required []string) ([]field, error) {
	if err := r.plain(node, key); err != nil {
		return nil, err
	}
	if node.Kind != yaml.MappingNode || node.ShortTag() != yaml.NodeTagMap {
		return nil, r.fail(node, key, "it must be an object with keys, which are %s", strings.Join(known, ", "))
	}
	if len(node.Content) == 0 {
		return nil, r.fail(node, key, "it is empty: give it a key, or remove it")
	}
	var fields []field
	for i := 0; i < len(node.Content); i += 2 {
		f := field{node.Content[i].Value, node.Content[i], node.Content[i+1]}
		if err := r.plain(f.key, key); err != nil {
			return nil, err
		}
		path := committed.Join(key, f.name)
		if f.key.Kind != yaml.ScalarNode || !slices.Contains(known, f.name) {
			return nil, r.fail(f.key, path, "unknown key: there are %s", strings.Join(known, ", "))
		}
		if j := slices.IndexFunc(fields, func(other field) bool { return other.name == f.name }); j >= 0 {
			return nil, r.fail(f.key, path, "the key is there twice, first in line %d: keep one of them", fields[j].key.Line)
		}
		fields = append(fields, f)
	}
	for _, name := range required {
		if !slices.ContainsFunc(fields, func(f field) bool { return f.name == name }) {
			return nil, r.fail(node, committed.Join(key, name), "it is missing: every entry has one")
		}
	}
	return fields, nil
}

// plain refuses what makes a text say more than it shows.
func (r *reader) plain(node *yaml.Node, key string) error {
	if node.Kind == yaml.AliasNode || node.Anchor != "" {
		return r.fail(node, key, "anchors and aliases are not read: write the value out")
	}
	return nil
}

// items are the items of a list, which is not empty.
func (r *reader) items(f field) ([]*yaml.Node, error) {
	if err := r.plain(f.value, f.name); err != nil {
		return nil, err
	}
	switch {
	case f.value.ShortTag() == yaml.NodeTagNull || f.value.Kind == yaml.SequenceNode && len(f.value.Content) == 0:
		return nil, r.fail(f.value, f.name, "it is empty: give it an item, or remove the key")
	case f.value.Kind != yaml.SequenceNode || f.value.ShortTag() != yaml.NodeTagSeq:
		return nil, r.fail(f.value, f.name, "it must be a list")
	}
	return f.value.Content, nil
}

// texts reads a list of texts.
func (r *reader) texts(f field, check func(string) string) ([]Text, error) {
	items, err := r.items(f)
	if err != nil {
		return nil, err
	}
	var texts []Text
	for i, item := range items {
		text, err := r.text(item, fmt.Sprintf("%s[%d]", f.name, i), check)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// text reads a text of one line. The function says what is wrong with it, or
// nothing.
func (r *reader) text(node *yaml.Node, key string, check func(string) string) (Text, error) {
	if err := r.plain(node, key); err != nil {
		return Text{}, err
	}
	tag := node.ShortTag()
	switch {
	case tag == yaml.NodeTagNull || tag == yaml.NodeTagString && node.Kind == yaml.ScalarNode && node.Value == "":
		return Text{}, r.fail(node, key, "it is empty: give it a value, or remove the key")
	case node.Kind != yaml.ScalarNode:
		return Text{}, r.fail(node, key, "it must be a text")
	case tag != yaml.NodeTagString && tag != "!!timestamp":
		return Text{}, r.fail(node, key, "%s is not a text: put it into quotes", node.Value)
	case !textPattern.MatchString(node.Value):
		return Text{}, r.fail(node, key, "it must be a text of one line, without blanks around it")
	}
	if wrong := check(node.Value); wrong != "" {
		return Text{}, r.fail(node, key, "%s", wrong)
	}
	return Text{node.Value, node.Line}, nil
}

func anything(string) string { return "" }

// matching checks a text by a pattern.
func matching(pattern *regexp.Regexp, wrong string) func(string) string {
	return func(text string) string {
		if !pattern.MatchString(text) {
			return text + " is " + wrong
		}
		return ""
	}
}

// file checks a path.
func (r *reader) file(file string) string {
	if notRelative.MatchString(file) {
		return file + " is no path in the repository: write one that is relative to the folder of this file"
	}
	if out := r.config.leadsOut(file); out != "" {
		return file + ": " + out
	}
	return ""
}

func (r *reader) output(output string) string {
	if !outputPattern.MatchString(output) {
		return output + " is neither FORMAT nor FORMAT=FILE"
	}
	if _, file, toFile := strings.Cut(output, "="); toFile {
		return r.file(file)
	}
	return ""
}

// glob checks a glob for paths.
func glob(text string) string {
	switch {
	case badSegments.MatchString(text):
		return text + " is no glob for paths: write folders with one / between them, relative to the folder of this file"
	case badAsterisks.MatchString(text):
		return text + " is no glob for paths: ** stands for folders and has no other text between two /"
	}
	return ""
}

// name checks a glob for names.
func name(text string) string {
	if badNameStars.MatchString(text) {
		return text + ": write one * for any text"
	}
	return ""
}

// date checks a last day. It is good until its end, UTC.
func (r *reader) date(text string) string {
	day, err := time.Parse(time.DateOnly, text)
	switch {
	case err != nil:
		return text + " is no date: write it as YYYY-MM-DD"
	case !r.now.UTC().Before(day.AddDate(0, 0, 1)):
		return text + " is past: remove the entry or give it a later date"
	}
	return ""
}

func code(text string) string {
	if text == "CNM000" {
		return "CNM000 says that a constraint cannot be used, which nothing exempts: repair the constraint"
	}
	return matching(codePattern, "no code of a rule: write one such as CNM002")(text)
}

// entry reads an entry of a list: for each key the text goes where it belongs.
func (r *reader) entry(node *yaml.Node, key string, known, required []string, to map[string]*string, check map[string]func(string) string) error {
	fields, err := r.fields(node, key, known, required)
	if err != nil {
		return err
	}
	for _, f := range fields {
		text, err := r.text(f.value, committed.Join(key, f.name), check[f.name])
		if err != nil {
			return err
		}
		*to[f.name] = text.Value
	}
	return nil
}

func (r *reader) exclude(f field) error {
	items, err := r.items(f)
	for i, item := range items {
		e := Exclusion{Line: item.Line}
		if err := r.entry(item, fmt.Sprintf("%s[%d]", f.name, i), []string{"path", "reason", "until"}, []string{"path", "reason"},
			map[string]*string{"path": &e.Path, "reason": &e.Reason, "until": &e.Until},
			map[string]func(string) string{"path": glob, "reason": anything, "until": r.date}); err != nil {
			return err
		}
		r.config.Exclude = append(r.config.Exclude, e)
	}
	return err
}

func (r *reader) exemptions(f field) error {
	items, err := r.items(f)
	for i, item := range items {
		key, e := fmt.Sprintf("%s[%d]", f.name, i), Exemption{Line: item.Line}
		if err := r.entry(item, key, []string{"code", "workload", "container", "path", "reason", "until"}, []string{"code", "reason"},
			map[string]*string{"code": &e.Code, "workload": &e.Workload, "container": &e.Container, "path": &e.Path, "reason": &e.Reason, "until": &e.Until},
			map[string]func(string) string{"code": code, "workload": name, "container": name, "path": glob, "reason": anything, "until": r.date}); err != nil {
			return err
		}
		if e.Workload+e.Container+e.Path == "" {
			return r.fail(item, key, "it exempts all that %s finds: say what by workload, container or path", e.Code)
		}
		r.config.Exemptions = append(r.config.Exemptions, e)
	}
	return err
}
