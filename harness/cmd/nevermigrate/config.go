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
	"github.com/proompteng/nevermigrate/harness/internal/diff"
	"github.com/proompteng/nevermigrate/harness/internal/exempt"
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

// settings are what a command takes from its flags or else from the
// configuration; nil is what it does not take.
type settings struct {
	constraints, paths, apiVersions *[]string
	kubeVersion                     *string
	outputs                         *outputs
	// baseline is the file of --baseline, and exempt what lets findings pass, for
	// the paths.
	baseline *string
	exempt   **exempt.Set
	// provenance is what is known of what judges.
	provenance *report.Provenance
	// excluded says which of what is found is left out.
	excluded *func(path string) (reason string, ok bool)
	// writes says that a baseline is written, so that none is read.
	writes bool
}

// inForce is a value and where it comes from.
type inForce struct {
	Key string `json:"key"`
	// Value is a text, or an entry of the configuration.
	Value any    `json:"value"`
	From  string `json:"from"`
}

// configuration is what is in force for a run of a command.
type configuration struct {
	read   *config.Config
	values []inForce
}

// apply reads the configuration, gives the settings the values that no flag and
// no argument has given, and says where each comes from. It is the one function
// that does so, for all commands.
func (f *configFlags) apply(cmd *cobra.Command, s settings) (*configuration, error) {
	read, err := f.load(cmd)
	if err != nil {
		return nil, err
	}
	c := &configuration{read: read}
	c.list(cmd, "constraints", "constraint", s.constraints, read.Constraints, read.Local)
	c.paths(s.paths, read)
	if s.kubeVersion != nil {
		given := []string{*s.kubeVersion}
		c.list(cmd, "kubeVersion", "kube-version", &given, oneText(read.KubeVersion), asItIs)
		*s.kubeVersion = given[0]
	}
	c.list(cmd, "apiVersions", "api-versions", s.apiVersions, read.APIVersions, asItIs)
	if s.outputs != nil {
		c.list(cmd, "outputs", "output", &s.outputs.given, read.Outputs, localOutput(read))
		if len(read.Outputs) > 0 && !cmd.Flags().Changed("output") {
			s.outputs.from = read.Place(read.Outputs[0].Line)
		}
	}
	if s.baseline != nil {
		if err := needs(cmd, "baseline"); err != nil {
			return nil, err
		}
		given := notEmpty(*s.baseline)
		c.list(cmd, "baseline", "baseline", &given, oneText(read.Baseline), read.Local)
		*s.baseline = strings.Join(given, "")
	}
	if s.exempt != nil {
		*s.exempt = exempt.New(read, *s.paths)
		if *s.baseline != "" && !s.writes {
			if *s.exempt, err = (*s.exempt).WithBaseline(*s.baseline); err != nil {
				return nil, err
			}
		}
	}
	if s.provenance != nil {
		*s.provenance = provenance(read)
	}
	if s.excluded != nil {
		*s.excluded = read.Excludes()
	}
	for _, e := range read.Exclude {
		c.values = append(c.values, inForce{"exclude", exclusionEntry{e.Path, e.Reason, e.Until}, read.Place(e.Line)})
	}
	for _, e := range read.Exemptions {
		c.values = append(c.values, inForce{"exemptions", e.Exemption, read.Place(e.Line)})
	}
	return c, nil
}

// provenance is what is known of what judges before it does.
func provenance(read *config.Config) report.Provenance {
	return report.Provenance{Configuration: read.Source(), Commit: diff.HeadCommit(".")}
}

// exclusionEntry is an exclusion as the configuration has it.
type exclusionEntry struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
	Until  string `json:"until,omitempty"`
}

func oneText(text config.Text) []config.Text {
	if text.Value == "" {
		return nil
	}
	return []config.Text{text}
}

func notEmpty(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

func asItIs(text string) string { return text }

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

// list gives a setting its values, unless its flag is given.
func (c *configuration) list(cmd *cobra.Command, key, flag string, setting *[]string, texts []config.Text, local func(string) string) {
	if setting == nil {
		return
	}
	from := "default"
	switch given := cmd.Flags().Lookup(flag); {
	case given != nil && given.Changed:
		from = "flag --" + flag
	case len(texts) > 0:
		*setting = nil
		for _, text := range texts {
			*setting = append(*setting, local(text.Value))
			c.values = append(c.values, inForce{key, local(text.Value), c.read.Place(text.Line)})
		}
		return
	}
	for _, value := range *setting {
		c.values = append(c.values, inForce{key, value, from})
	}
}

// paths is list for the arguments.
func (c *configuration) paths(setting *[]string, read *config.Config) {
	if setting == nil {
		return
	}
	for _, argument := range *setting {
		c.values = append(c.values, inForce{"paths", argument, "argument"})
	}
	if len(*setting) > 0 {
		return
	}
	for _, text := range read.Paths {
		*setting = append(*setting, read.Local(text.Value))
		c.values = append(c.values, inForce{"paths", read.Local(text.Value), read.Place(text.Line)})
	}
}

// noPath is the error of a command without a PATH.
func (c *configuration) noPath(cmd *cobra.Command, message string) error {
	if c.read.File != "" {
		message += "; " + c.read.File + " has no paths"
	}
	return usageError(cmd, errors.New(message))
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
			// The flag --output is that of this command.
			c, err := flags.apply(cmd, settings{constraints: &judging.Constraints, paths: &args, kubeVersion: &judging.Render.KubeVersion, apiVersions: &judging.Render.APIVersions, baseline: &baseline})
			if err != nil {
				return err
			}
			reports := []string{string(output.Table)}
			c.list(&cobra.Command{}, "outputs", "output", &reports, c.read.Outputs, localOutput(c.read))
			return write(c, cmd.OutOrStdout())
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
	{"baseline", "(none)"}, {"kubeVersion", "(none)"}, {"apiVersions", "(none)"}, {"outputs", "(none)"},
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
