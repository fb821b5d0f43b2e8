// Command images builds the container images of the programs with ko: one static
// binary on nothing else, run as user 65532, for each platform, with an SBOM that
// refers to what it describes.
//
//	images [--program NAME]... [--platform OS/ARCH]... [--tag TAG] [--created RFC3339]
//	       [--version VERSION] [--revision COMMIT] (--layout FOLDER | --push REPOSITORY)
//
// With --layout it writes an OCI image layout FOLDER/PROGRAM for each program. With
// --push it writes to REPOSITORY/PROGRAM:TAG, with the credentials of the local
// configuration of docker or podman. It prints a line for each image: its name, @,
// and its digest.
//
// The exit status is 2 for bad usage and 1 for what failed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// The programs that have an image, and the platforms that they have one for.
var (
	programs  = []string{"nevermigrate", "migrations-guard"}
	platforms = []string{"linux/amd64", "linux/arm64"}
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(0)
	case errors.As(err, new(usageError)):
		fmt.Fprintf(os.Stderr, "images: %v\n", err)
		os.Exit(2)
	case err != nil:
		fmt.Fprintf(os.Stderr, "images: %v\n", err)
		os.Exit(1)
	}
}

// usageError is what is wrong with the arguments.
type usageError string

func (e usageError) Error() string { return string(e) + "; see images --help" }

// list is a flag that may be given more than once.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

// run does all of it. Images are built whole before the first is written.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var chosen, on list
	var b builder
	var layout, push, tag, created string
	flags := flag.NewFlagSet("images", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Var(&chosen, "program", "program to build, may be given again; both unless said otherwise")
	flags.Var(&on, "platform", "platform as OS/ARCH, may be given again; "+strings.Join(platforms, " and ")+" unless said otherwise")
	flags.StringVar(&layout, "layout", "", "folder to write an OCI image layout for each program to; it must not be there")
	flags.StringVar(&push, "push", "", "repository to push to, such as ghcr.io/OWNER")
	flags.StringVar(&tag, "tag", "latest", "tag of the images")
	flags.StringVar(&b.source, "source", ".", "root of the repository")
	flags.StringVar(&b.version, "version", "", "version that the programs must have")
	flags.StringVar(&b.revision, "revision", "", "commit that is built, for the labels")
	flags.StringVar(&created, "created", "", "time that the images carry, in RFC 3339; none, which is reproducible, unless said otherwise")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return usageError(err.Error())
	}
	switch {
	case flags.NArg() > 0:
		return usageError(fmt.Sprintf("%q is no flag", flags.Arg(0)))
	case (layout == "") == (push == ""):
		return usageError("give one of --layout and --push")
	}
	if len(chosen) == 0 {
		chosen = programs
	}
	if b.platforms = on; len(on) == 0 {
		b.platforms = platforms
	}
	for _, program := range chosen {
		if !slices.Contains(programs, program) {
			return usageError(fmt.Sprintf("%q has no image: there are %s", program, strings.Join(programs, " and ")))
		}
	}
	for _, platform := range b.platforms {
		if !slices.Contains(platforms, platform) {
			return usageError(fmt.Sprintf("%q is no platform of the images: there are %s", platform, strings.Join(platforms, " and ")))
		}
	}
	if created != "" {
		at, err := time.Parse(time.RFC3339, created)
		if err != nil {
			return usageError(fmt.Sprintf("--created: %v", err))
		}
		b.created = at
	}
	targets := map[string]name.Tag{}
	for _, program := range chosen {
		reference, err := name.NewTag(path.Join(push, program)+":"+tag, name.StrictValidation)
		if push == "" {
			reference, err = name.NewTag(program + ":" + tag)
		}
		if err != nil {
			return usageError(err.Error())
		}
		targets[program] = reference
	}

	built := map[string]image{}
	for _, program := range chosen {
		image, err := b.build(ctx, program)
		if err != nil {
			return fmt.Errorf("build the image of %s: %w", program, err)
		}
		built[program] = image
	}
	for _, program := range chosen {
		where := targets[program].Context().Name()
		if push != "" {
			options := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
			if err := built[program].push(targets[program], options...); err != nil {
				return fmt.Errorf("push the image of %s: %w", program, err)
			}
		} else {
			where = filepath.Join(layout, program)
			if err := built[program].write(where, tag); err != nil {
				return fmt.Errorf("write the image of %s: %w", program, err)
			}
		}
		digest, err := built[program].root.Digest()
		if err != nil {
			return fmt.Errorf("read the image of %s: %w", program, err)
		}
		if _, err := fmt.Fprintf(stdout, "%s@%s\n", where, digest); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	}
	return nil
}
