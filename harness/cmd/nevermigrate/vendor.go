package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/proompteng/nevermigrate/harness/internal/chartcache"
	"github.com/proompteng/nevermigrate/harness/internal/chartlock"
	"github.com/proompteng/nevermigrate/harness/internal/check"
	"github.com/proompteng/nevermigrate/harness/internal/plaintext"
	"github.com/proompteng/nevermigrate/harness/internal/pull"
)

// vendorTimeout bounds the rendering of one app with the downloads on the way, each of
// which has a bound of its own.
const vendorTimeout = 10 * time.Minute

func newVendorCommand() *cobra.Command {
	var options check.Options
	var format, lock string
	var update, locked, plainHTTP bool
	var timeout time.Duration
	var configs *configFlags
	cmd := &cobra.Command{
		Use:   "vendor [flags] [PATH...]",
		Short: "Download the charts that are used and not committed: the one command that uses the network",
		Long: `Download the charts that are used by repository, name and version and are not
committed: those of helmCharts of each kustomization below a PATH, and those of the
sources of each Application, also of those that ApplicationSets make. Charts come
from Helm repositories (http, https) and registries (oci), with the credentials that
Helm finds. They go into a cache, and ` + chartlock.Name + ` at the top of the work
tree gets their SHA-256. Commit it. The other commands render from the cache what the
lock names, refuse a chart that is another one, and never use the network. A chart
that is committed wins.

Versions must be exact. What is in the lock and in the cache is not downloaded
again. A chart that is another one than the lock says is an error; --update takes it
as it is now. The lock is written when every chart is there, or not at all.
Without a PATH the paths of the configuration are taken, or else the working
directory, and what nothing uses any more is dropped from the lock.

--locked is for CI: it downloads what the lock names, looks at nothing else, and
does not write the lock.

` + configHelp + `

Exit status: 0, or 2 when a chart cannot be had.`,
		Example: `  nevermigrate vendor
  nevermigrate vendor argocd/applications/agents
  nevermigrate vendor --locked --cache /tmp/charts`,
		RunE: func(cmd *cobra.Command, args []string) error {
			write, ok := map[string]func(*pull.Result, io.Writer) error{"table": (*pull.Result).WriteText, "json": (*pull.Result).WriteJSON}[format]
			if !ok {
				return usageError(cmd, fmt.Errorf("unknown output %q: use table or json", format))
			}
			switch {
			case locked && (update || len(args) > 0):
				return usageError(cmd, errors.New("--locked goes with no PATH and not with --update: it takes what the lock names, as it is"))
			case !locked && cmd.Flags().Changed("lock"):
				return usageError(cmd, errors.New("--lock says nothing without --locked"))
			}
			run, read, err := configs.join(cmd, options, given(cmd, options, args))
			if err != nil {
				return err
			}
			defer run.Close()
			cache := chartcache.Cache{Dir: cmp.Or(given(cmd, options, args).Cache, chartcache.Default())}
			file := cmp.Or(lock, read.AtTop(chartlock.Name))
			client := pull.NewClient(timeout, plainHTTP)
			vendor, err := pull.NewVendor(file, cache, client, update)
			if err != nil {
				return err
			}
			defer vendor.Close()
			result := &pull.Result{Lock: file}
			if locked {
				result.Charts, err = vendor.Locked(cmd.Context())
			} else {
				whole := len(args) == 0 && (len(read.Paths) > 0 || read.WorkDir() == ".")
				paths := run.Paths
				if len(paths) == 0 {
					paths = []string{"."}
				}
				options = run.Check
				options.Stdin = cmd.InOrStdin()
				options.Render.Charts, options.Render.Timeout = vendor, vendorTimeout
				err = vendorAll(cmd, vendor, result, paths, options, whole)
			}
			if err != nil {
				return err
			}
			var b strings.Builder
			if err := write(result, &b); err != nil {
				return err
			}
			return printText(cmd, "the charts", []byte(b.String()))
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&format, "output", "o", "table", "`FORMAT`: table or json")
	flags.BoolVar(&update, "update", false, "download every chart again, and take one that is another one than the lock says")
	flags.BoolVar(&locked, "locked", false, "download what the lock names and nothing else")
	flags.StringVar(&lock, "lock", "", "`FILE` with the lock, for --locked (default "+chartlock.Name+" at the top of the git work tree)")
	flags.BoolVar(&plainHTTP, "plain-http", false, "ask registries without TLS")
	flags.DurationVar(&timeout, "timeout", pull.DefaultTimeout, "longest `TIME` for one download")
	must(cmd.MarkFlagFilename("lock"))
	configs = addConfigFlags(cmd)
	addVersionFlags(cmd, &options)
	addCacheFlag(cmd)
	must(cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp)))
	return cmd
}

// vendorAll downloads what is used below paths, and writes the lock. Whole says that
// nothing is used elsewhere.
func vendorAll(cmd *cobra.Command, vendor *pull.Vendor, result *pull.Result, paths []string, options check.Options, whole bool) error {
	unread, err := check.Charts(cmd.Context(), paths, options)
	if err != nil {
		return err
	}
	var failed []string
	for _, u := range unread {
		if u.Chart {
			failed = append(failed, fmt.Sprintf("%s: %s", u.Path, u.Reason))
			continue
		}
		result.Unread = append(result.Unread, u)
		fmt.Fprintf(cmd.ErrOrStderr(), "Warning: not looked at whole: %s: %s\n", plaintext.Line(u.Path), plaintext.Lines(u.Reason))
	}
	if len(failed) > 0 {
		return fmt.Errorf("the charts of %s cannot be had, so %s is as it was:\n%s", plaintext.Count(len(failed), "target"), result.Lock, strings.Join(failed, "\n"))
	}
	// A target that does not render may use what nothing else does.
	whole = whole && !slices.ContainsFunc(unread, func(u check.Unread) bool { return !u.Refused })
	result.Charts = vendor.Charts()
	result.Dropped, result.Written, err = vendor.Write(whole)
	return err
}
