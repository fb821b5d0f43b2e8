package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/repository"
)

// shells write the script of each shell, by its name.
var shells = map[string]func(root *cobra.Command, w io.Writer) error{
	"bash":       func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) },
	"zsh":        func(root *cobra.Command, w io.Writer) error { return root.GenZshCompletion(w) },
	"fish":       func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) },
	"powershell": func(root *cobra.Command, w io.Writer) error { return root.GenPowerShellCompletionWithDesc(w) },
}

func newCompletionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print the script by which a shell completes the command line",
		Long: `Print the script by which a shell completes the command line: commands, flags,
revisions after --base, formats and files after -o, codes of rules. bash needs the
package bash-completion. A new shell has what was put into one of these files:

  bash        /etc/bash_completion.d/nevermigrate
  zsh         _nevermigrate, in a folder of $fpath
  fish        ~/.config/fish/completions/nevermigrate.fish
  powershell  a line of $PROFILE as in the last example`,
		Example: `  source <(nevermigrate completion bash)
  nevermigrate completion fish > ~/.config/fish/completions/nevermigrate.fish
  nevermigrate completion powershell | Out-String | Invoke-Expression`,
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		Args:      exactArgs(1, "the name of a shell: bash, zsh, fish or powershell"),
		RunE: func(cmd *cobra.Command, args []string) error {
			write, ok := shells[args[0]]
			if !ok {
				return usageError(cmd, fmt.Errorf("no shell %q: there is bash, zsh, fish or powershell", args[0]))
			}
			var b strings.Builder
			if err := write(cmd.Root(), &b); err != nil {
				return err
			}
			return printText(cmd, "the script", []byte(b.String()))
		},
	}
}

// completing reports whether a shell asks what may come next.
func completing(args []string) bool {
	return len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}

// plainDescriptions takes the quotes off the names of values in what flags say of
// themselves: they are for the help, and a shell shows them as they are.
func plainDescriptions(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(flag *pflag.Flag) { flag.Usage = strings.ReplaceAll(flag.Usage, "`", "") })
	for _, sub := range cmd.Commands() {
		plainDescriptions(sub)
	}
}

// completeTheRest says what every command has in common: no file is offered for a flag
// that takes none, and nothing after an argument that must be the last one.
func completeTheRest(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		_, isFile := flag.Annotations[cobra.BashCompFilenameExt]
		_, isFolder := flag.Annotations[cobra.BashCompSubdirsInDir]
		_, known := cmd.GetFlagCompletionFunc(flag.Name)
		if !isFile && !isFolder && !known {
			must(cmd.RegisterFlagCompletionFunc(flag.Name, cobra.NoFileCompletions))
		}
	})
	if names := cmd.ValidArgs; len(names) > 0 {
		cmd.ValidArgs = nil
		cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		}
	}
	for _, sub := range cmd.Commands() {
		completeTheRest(sub)
	}
}

// completeJSON offers JSON files, and the folders that lead to them.
func completeJSON(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"json"}, cobra.ShellCompDirectiveFilterFileExt
}

// completeOne offers files for the only argument of a command.
func completeOne(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveDefault
}

// completeOutput offers formats for -o, and after FORMAT= the files of this system.
func completeOutput(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	format, file, toFile := strings.Cut(typed, "=")
	if !toFile {
		var found []string
		for _, name := range formatNames() {
			if strings.HasPrefix(name, typed) {
				found = append(found, name)
			}
		}
		if len(found) == 1 {
			// There is only the file left to choose.
			return append(found, found[0]+"="), cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
		}
		return found, cobra.ShellCompDirectiveNoFileComp
	}
	found := files(file)
	directive := cobra.ShellCompDirectiveNoFileComp
	if len(found) == 1 && strings.HasSuffix(found[0], "/") {
		directive |= cobra.ShellCompDirectiveNoSpace
	}
	for i := range found {
		found[i] = format + "=" + found[i]
	}
	return found, directive
}

// plainName is a name that no shell reads as more than a name. Who may push a branch or
// open a pull request chooses names, and a shell evaluates what stands on the command
// line once more at the next completion.
var plainName = regexp.MustCompile(`^[\pL\pN._@+/][\pL\pN._@+/#-]*$`)

// files are the paths that begin with what is typed; a folder ends with a slash. Hidden
// ones are there when a dot is typed.
func files(typed string) []string {
	folder, begin := filepath.Split(typed)
	entries, err := os.ReadDir(cmp.Or(folder, "."))
	if err != nil {
		return nil
	}
	var found []string
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasPrefix(name, begin) || begin == "" && strings.HasPrefix(name, ".") || !plainName.MatchString(name) {
			continue
		}
		if info, err := os.Stat(filepath.Join(folder, name)); err == nil && info.IsDir() {
			name += "/"
		}
		found = append(found, folder+name)
	}
	return found
}

// completeRevision offers HEAD, branches and tags of the repository of the working
// directory.
func completeRevision(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	dir, err := os.Getwd()
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return nil, directive
	}
	r, err := repository.Open(dir)
	if err != nil {
		return nil, directive
	}
	defer r.Close()
	names, err := r.Names()
	if err != nil {
		return nil, directive
	}
	found := []string{cobra.CompletionWithDesc("HEAD", "what is checked out")}
	for _, name := range names {
		if plainName.MatchString(name.Name) {
			found = append(found, cobra.CompletionWithDesc(name.Name, name.Kind))
		}
	}
	return found, directive
}

// completeCodes offers the codes of rules where none of the arguments is a path, and
// files to who types something else.
func completeCodes(options *check.Options) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		given := codesOf(args)
		if len(given) < len(args) {
			return nil, cobra.ShellCompDirectiveDefault
		}
		rules, err := check.Rules(cmd.Context(), *options)
		if err != nil {
			return nil, cobra.ShellCompDirectiveDefault
		}
		var found []string
		for _, rule := range rules {
			if strings.HasPrefix(rule.Code, strings.ToUpper(typed)) && !slices.Contains(given, rule.Code) {
				found = append(found, cobra.CompletionWithDesc(rule.Code, rule.Title))
			}
		}
		if len(given) > 0 {
			return found, cobra.ShellCompDirectiveNoFileComp
		}
		return found, cobra.ShellCompDirectiveDefault
	}
}
