package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/config"
	"github.com/proompteng/nevermigrate/harness/internal/configured"
	"github.com/proompteng/nevermigrate/harness/internal/output"
	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/report"
)

// configFlags are the flags that say which configuration is read.
type configFlags struct {
	file   string
	ignore bool
}

func addConfigFlags(cmd *cobra.Command) *configFlags {
	f := &configFlags{}
	cmd.Flags().StringVar(&f.file, "config", "", "`FILE` with the configuration (default "+config.Name+" at the top of the git work tree)")
	cmd.Flags().BoolVar(&f.ignore, "no-config", false, "read no configuration")
	must(cmd.MarkFlagFilename("config", "yaml", "yml"))
	return f
}

// addBaselineFlag adds the flag for the baseline.
func addBaselineFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "baseline", "", "`FILE` with a report whose findings are known, and pass; check --write-baseline writes it")
	must(cmd.MarkFlagFilename("baseline", "json"))
}

// warn says on standard error which exemptions match nothing, and what of the
// baseline is gone.
func warn(cmd *cobra.Command, r *report.Report) {
	for _, line := range output.Warnings(r) {
		fmt.Fprintf(cmd.ErrOrStderr(), "Warning: %s\n", plaintext.Line(line))
	}
}

// configHelp says what the configuration does, for the long help of a command.
const configHelp = `What no flag says comes from the configuration, ` + config.Name + ` at the top of the
git work tree. nevermigrate config prints what is in force.`

// load reads the configuration, or else nothing, which has no file.
func (f *configFlags) load(cmd *cobra.Command) (*config.Config, error) {
	if err := needs(cmd, "config"); err != nil {
		return nil, err
	}
	file := f.file
	switch {
	case f.ignore && file != "":
		return nil, usageError(cmd, errors.New("--config and --no-config are both given: use one of them"))
	case f.ignore:
		return config.None()
	case file == "":
		var err error
		if file, err = config.Find("."); err != nil {
			return nil, err
		}
	}
	if file == "" {
		return config.None()
	}
	return config.Load(file, time.Now())
}

// loadFrom is load of the configuration of another side, which has the file of a path,
// as seen from the working directory, somewhere else.
func (f *configFlags) loadFrom(file func(path string) string) (*config.Config, error) {
	if f.ignore {
		return config.None()
	}
	name := f.file
	if name == "" {
		var err error
		if name, err = config.Default("."); err != nil {
			return nil, err
		}
	}
	return config.LoadAs(name, file(filepath.ToSlash(name)), time.Now())
}

// inForce is a value and where it comes from.
type inForce struct {
	Key string `json:"key"`
	// Value is a text, or an entry of the configuration.
	Value any    `json:"value"`
	From  string `json:"from"`
}

// given is what the flags and the arguments of a command say. The options hold the
// values of its flags.
func given(cmd *cobra.Command, options check.Options, paths []string) configured.Given {
	g := configured.Given{Paths: paths, Constraints: options.Constraints, NoBaseline: true}
	if cmd.Flags().Changed("kube-version") {
		g.KubeVersion = options.Render.KubeVersion
	}
	if cmd.Flags().Changed("api-versions") {
		g.APIVersions = options.Render.APIVersions
	}
	if flag := cmd.Flags().Lookup("baseline"); flag != nil {
		g.Baseline, g.NoBaseline = flag.Value.String(), false
	}
	if flag := cmd.Flags().Lookup("cache"); flag != nil {
		g.Cache = flag.Value.String()
	}
	return g
}

// join reads the configuration, and joins it with what is given.
func (f *configFlags) join(cmd *cobra.Command, options check.Options, given configured.Given) (configured.Run, *config.Config, error) {
	read, err := f.load(cmd)
	if err != nil {
		return configured.Run{}, nil, err
	}
	if cmd.Flags().Lookup("baseline") != nil {
		if err := needs(cmd, "baseline"); err != nil {
			return configured.Run{}, nil, err
		}
	}
	if cmd.Flags().Lookup("cache") != nil {
		if err := needs(cmd, "cache"); err != nil {
			return configured.Run{}, nil, err
		}
	}
	run, err := configured.Join(options, given, read, nil)
	return run, read, err
}

// configure gives outputs the values of a configuration, unless the flag is given.
func (o *outputs) configure(cmd *cobra.Command, read *config.Config) {
	if len(read.Outputs) == 0 || cmd.Flags().Changed("output") {
		return
	}
	o.given, o.from = nil, read.Place(read.Outputs[0].Line)
	for _, text := range read.Outputs {
		o.given = append(o.given, localOutput(read)(text.Value))
	}
}

// noPath is the error of a command without a PATH.
func noPath(cmd *cobra.Command, read *config.Config, message string) error {
	if read.File != "" {
		message += "; " + read.File + " has no paths"
	}
	return usageError(cmd, errors.New(message))
}

// exclusionEntry is an exclusion as the configuration has it.
type exclusionEntry struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
	Until  string `json:"until,omitempty"`
}

// localOutput makes the file of an output relative to the working directory.
func localOutput(read *config.Config) func(string) string {
	return func(output string) string {
		format, file, toFile := strings.Cut(output, "=")
		if !toFile {
			return output
		}
		return format + "=" + read.Local(file)
	}
}

// configuration is what is in force for a run of check, and where it comes from.
type configuration struct {
	read   *config.Config
	values []inForce
}

// describe says where each value of a run comes from.
func describe(read *config.Config, run configured.Run, given configured.Given) *configuration {
	c := &configuration{read: read}
	one := func(value config.Text) []config.Text { return []config.Text{value} }
	c.add("constraints", "flag --constraint", len(given.Constraints) > 0, run.Check.Constraints, read.Constraints)
	c.add("paths", "argument", len(given.Paths) > 0, run.Paths, read.Paths)
	c.add("kubeVersion", "flag --kube-version", given.KubeVersion != "", []string{run.Check.Render.KubeVersion}, one(read.KubeVersion))
	c.add("apiVersions", "flag --api-versions", len(given.APIVersions) > 0, run.Check.Render.APIVersions, read.APIVersions)
	if run.Baseline != "" {
		c.add("baseline", "flag --baseline", given.Baseline != "", []string{run.Baseline}, one(read.Baseline))
	}
	reports := &outputs{given: []string{string(output.Table)}}
	reports.configure(&cobra.Command{}, read) // the flag --output is that of this command
	c.add("outputs", "", false, reports.given, read.Outputs)
	for _, said := range read.ArgoCD.Said() {
		c.values = append(c.values, inForce{"argocd", said.Value, read.Place(said.Line)})
	}
	for _, e := range read.Exclude {
		c.values = append(c.values, inForce{"exclude", exclusionEntry{e.Path, e.Reason, e.Until}, read.Place(e.Line)})
	}
	for _, e := range read.Exemptions {
		c.values = append(c.values, inForce{"exemptions", e.Exemption, read.Place(e.Line)})
	}
	return c
}

// add adds the values of a key: from what was given, from the texts of the
// configuration, or else the default.
func (c *configuration) add(key, flag string, isGiven bool, values []string, texts []config.Text) {
	for i, value := range values {
		from := "default"
		switch {
		case isGiven:
			from = flag
		case i < len(texts) && texts[i].Value != "":
			from = c.read.Place(texts[i].Line)
		}
		c.values = append(c.values, inForce{key, value, from})
	}
}

func newConfigCommand() *cobra.Command {
	var judging check.Options
	var format, baseline string
	var flags *configFlags
	cmd := &cobra.Command{
		Use:   "config [flags] [PATH...]",
		Short: "Print what is in force, and where each value comes from",
		Long: `Print what is in force, and where each value comes from: a flag or an argument,
the configuration, or the default. Flags and arguments win, and are those of
check.

The configuration is ` + config.Name + ` at the top of the git work tree that the
working directory is in. check, diff, explain, probe and render read it.
nevermigrate schema config prints its JSON Schema.

Exit status: 0, or 2 when the configuration cannot be read.`,
		Example: `  nevermigrate config
  nevermigrate config --kube-version 1.34.0 -o json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			write, ok := map[string]func(*configuration, io.Writer) error{"text": (*configuration).writeText, "json": (*configuration).writeJSON}[format]
			if !ok {
				return usageError(cmd, fmt.Errorf("unknown output %q: use text or json", format))
			}
			said := given(cmd, judging, args)
			run, read, err := flags.join(cmd, judging, said)
			if err != nil {
				return err
			}
			return write(describe(read, run, said), cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", "text", "`FORMAT`: text or json")
	flags = addConfigFlags(cmd)
	addConstraintFlag(cmd, &judging.Constraints, "a constraint that sets parameters and enforcement")
	addBaselineFlag(cmd, &baseline)
	addVersionFlags(cmd, &judging)
	must(cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

// configKeys are the keys in the order in which they are printed, with what is
// said of one that has no value.
var configKeys = []struct{ key, none string }{
	{"constraints", "(the policy's defaults)"}, {"paths", "(none)"}, {"exclude", "(none)"}, {"exemptions", "(none)"},
	{"baseline", "(none)"}, {"kubeVersion", "(none)"}, {"apiVersions", "(none)"}, {"argocd", "(none but what git says)"}, {"outputs", "(none)"},
}

// sorted are the values in the order of the keys.
func (c *configuration) sorted() []inForce {
	sorted := []inForce{}
	for _, k := range configKeys {
		for _, v := range c.values {
			if v.Key == k.key {
				sorted = append(sorted, v)
			}
		}
	}
	return sorted
}

func (c *configuration) writeJSON(w io.Writer) error {
	return plaintext.WriteJSON(w, struct {
		Version int       `json:"version"`
		File    string    `json:"file"`
		Values  []inForce `json:"values"`
	}{1, c.read.File, c.sorted()})
}

func (c *configuration) writeText(w io.Writer) error {
	rows := [][]string{{"KEY", "VALUE", "FROM"}}
	for _, k := range configKeys {
		before := len(rows)
		for _, v := range c.values {
			if v.Key == k.key {
				rows = append(rows, []string{v.Key, plaintext.Line(v.text()), plaintext.Line(v.From)})
			}
		}
		if len(rows) == before {
			rows = append(rows, []string{k.key, k.none, "default"})
		}
	}
	var b strings.Builder
	plaintext.WriteColumns(&b, rows)
	return plaintext.Write(w, b.String())
}

// text is the value on one line: of an entry, its keys as the configuration has
// them.
func (v inForce) text() string {
	if text, ok := v.Value.(string); ok {
		return text
	}
	var fields map[string]string
	data, err := json.Marshal(v.Value)
	if err == nil {
		err = json.Unmarshal(data, &fields)
	}
	if err != nil { // entries hold texts only, so this cannot be
		return fmt.Sprint(v.Value)
	}
	var parts []string
	for _, key := range []string{"code", "workload", "container", "path", "until", "reason"} {
		if fields[key] != "" {
			parts = append(parts, key+": "+fields[key])
		}
	}
	return strings.Join(parts, ", ")
}
