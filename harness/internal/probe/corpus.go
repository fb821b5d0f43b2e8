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

	Plain, Spellings, Sources, Entries, Commands, Containers, Lists, Maps, Texts, Names []any
}

//go:embed corpus.yaml
var corpusText []byte

func newCorpus(rules mode.Rules) (corpus, error) {
	made := corpus{variable: rules.Variable}
	text, err := yaml.YAMLToJSON(corpusText)
	if err != nil {
		return made, fmt.Errorf("read corpus: %w", err)
	}
	filled := strings.NewReplacer("VARIABLE", inJSON(rules.Variable), "SKIP", inJSON(rules.Plain())).Replace(string(text))
	if err := json.Unmarshal([]byte(filled), &made); err != nil {
		return made, fmt.Errorf("read corpus: %w", err)
	}
	for _, value := range rules.SkipValues {
		made.Spellings = append(made.Spellings, value, strings.ToUpper(value), strings.ToUpper(value[:1])+value[1:], " "+value+"\t")
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
