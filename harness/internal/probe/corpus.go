package probe

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/mode"
)

// corpus is what is set at the places of a chart, made of corpus.yaml for one
// constraint.
type corpus struct {
	variable string
	// name is one of the controllers.
	name string

	Plain, Spellings, Sources, Entries, Commands, Containers, Lists, Maps, Texts, Names, Objects []any
	// Documents are the objects as YAML.
	Documents []any
}

//go:embed corpus.yaml
var corpusText []byte

func newCorpus(rules mode.Rules, controllers string) (corpus, error) {
	made := corpus{variable: rules.Variable, name: controllers}
	text, err := yaml.YAMLToJSON(corpusText)
	if err != nil {
		return made, fmt.Errorf("read corpus: %w", err)
	}
	filled := strings.NewReplacer("VARIABLE", inJSON(rules.Variable), "SKIP", inJSON(rules.Plain()), "CONTROLLERS", inJSON(controllers)).Replace(string(text))
	if err := json.Unmarshal([]byte(filled), &made); err != nil {
		return made, fmt.Errorf("read corpus: %w", err)
	}
	for _, value := range rules.SkipValues {
		made.Spellings = append(made.Spellings, value, strings.ToUpper(value), strings.ToUpper(value[:1])+value[1:], " "+value+"\t")
	}
	for _, object := range made.Objects {
		document, err := yaml.Marshal(object)
		if err != nil {
			return made, fmt.Errorf("read corpus: %w", err)
		}
		made.Documents = append(made.Documents, strings.TrimSpace(string(document)))
	}
	lists := made.Commands
	for _, element := range slices.Concat(made.Entries, made.Containers) {
		lists = append(lists, []any{element})
	}
	made.Lists = slices.Concat(lists, made.Lists)
	return made, nil
}

// inJSON is a text as it stands inside a text of JSON.
func inJSON(text string) string {
	quoted, _ := json.Marshal(text) // a string always has a form
	return string(quoted[1 : len(quoted)-1])
}
