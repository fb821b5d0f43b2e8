package main

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/ko/pkg/build"
)

const (
	module     = "github.com/proompteng/nevermigrate"
	repository = "https://github.com/proompteng/nevermigrate"
	// user is neither root nor a user of a distribution. It is a number, for
	// Kubernetes' runAsNonRoot believes no name.
	user = "65532:65532"
	// ko puts a program here.
	programFolder = "/ko-app"
)

// descriptions say what a program is, for who sees its image in a registry.
var descriptions = map[string]string{
	"nevermigrate":     "Proves that controllers workloads never run database migrations.",
	"migrations-guard": "Starts a controllers process only when it would not run migrations.",
}

// builder says how images are built.
type builder struct {
	// source is the root of the repository.
	source    string
	platforms []string
	// version is the one that the programs must have, or empty.
	version string
	// revision is the commit, for the labels, or empty.
	revision string
	// created is the time in the images; the zero time makes equal sources equal
	// images.
	created time.Time
}

// build builds the image of a program: an index when there are several platforms.
// It is an error when the program does not compile, or says that it has another
// version than the one that is asked for.
func (b builder) build(ctx context.Context, program string) (image, error) {
	options := []build.Option{
		build.WithBaseImages(func(context.Context, string) (name.Reference, build.Result, error) {
			base, err := b.base(program)
			return name.MustParseReference("scratch"), base, err
		}),
		build.WithPlatforms(b.platforms...),
		build.WithTrimpath(true),
		build.WithDefaultLdflags([]string{"-s -w"}),
		build.WithUser(user),
		build.WithSPDX(koVersion()),
		// Two links at once need more memory than they save time.
		build.WithJobs(1),
	}
	if !b.created.IsZero() {
		options = append(options, build.WithCreationTime(v1.Time{Time: b.created}))
	}
	for key, value := range b.labels(program) {
		options = append(options, build.WithLabel(key, value), build.WithAnnotation(key, value))
	}
	ko, err := build.NewGo(ctx, b.source, options...)
	if err != nil {
		return image{}, err
	}
	root, err := ko.Build(ctx, build.StrictScheme+path.Join(module, "harness/cmd", program))
	if err != nil {
		return image{}, err
	}
	all, err := collect(root)
	if err != nil {
		return image{}, err
	}
	if b.version == "" {
		return all, nil
	}
	for _, one := range all.images {
		version, err := stamped(one, program)
		if err != nil {
			return image{}, err
		}
		if version != b.version {
			return image{}, fmt.Errorf("the program says that it is %s and not %s: build at the tag, in a clean clone with its history", version, b.version)
		}
	}
	return all, nil
}

// labels are those of the image specification.
func (b builder) labels(program string) map[string]string {
	labels := map[string]string{
		"org.opencontainers.image.title":         program,
		"org.opencontainers.image.description":   descriptions[program],
		"org.opencontainers.image.source":        repository,
		"org.opencontainers.image.documentation": repository + "/blob/main/docs/README.md",
		"org.opencontainers.image.licenses":      "Apache-2.0",
	}
	if b.version != "" {
		labels["org.opencontainers.image.version"] = b.version
	}
	if b.revision != "" {
		labels["org.opencontainers.image.revision"] = b.revision
	}
	return labels
}

// base is what a program is put on: for each platform, an image with nothing in it
// but a link in the root to where ko puts the program, as charts name it, and for
// nevermigrate the folder for temporary files.
func (b builder) base(program string) (v1.ImageIndex, error) {
	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)
	headers := []*tar.Header{{Name: program, Typeflag: tar.TypeSymlink, Linkname: strings.TrimPrefix(path.Join(programFolder, program), "/"), Mode: 0o777}}
	if program == "nevermigrate" {
		headers = append(headers, &tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777})
	}
	var problems error
	for _, header := range headers {
		problems = errors.Join(problems, writer.WriteHeader(header))
	}
	if err := errors.Join(problems, writer.Close()); err != nil {
		return nil, fmt.Errorf("make the base: %w", err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(archive.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, fmt.Errorf("make the base: %w", err)
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, text := range platforms {
		platform, err := v1.ParsePlatform(text)
		if err != nil {
			return nil, fmt.Errorf("make the base: %w", err)
		}
		one := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
		one, err = mutate.ConfigFile(one, &v1.ConfigFile{
			OS: platform.OS, Architecture: platform.Architecture,
			Config: v1.Config{User: user, WorkingDir: "/"}, RootFS: v1.RootFS{Type: "layers"},
		})
		if err != nil {
			return nil, fmt.Errorf("make the base: %w", err)
		}
		one, err = mutate.Append(one, mutate.Addendum{Layer: layer, History: v1.History{CreatedBy: "a link to the program"}})
		if err != nil {
			return nil, fmt.Errorf("make the base: %w", err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: one, Descriptor: v1.Descriptor{Platform: platform}})
	}
	return index, nil
}

// stamped is the version of this module in the program of an image, as Go stamped
// it.
func stamped(one v1.Image, program string) (string, error) {
	binary, err := file(one, path.Join(programFolder, program))
	if err != nil {
		return "", err
	}
	info, err := buildinfo.Read(bytes.NewReader(binary))
	if err != nil {
		return "", fmt.Errorf("read the version of %s: %w", program, err)
	}
	return info.Main.Version, nil
}

// file is the content of a file of an image.
func file(one v1.Image, name string) ([]byte, error) {
	contents := mutate.Extract(one)
	defer contents.Close()
	reader := tar.NewReader(contents)
	for {
		header, err := reader.Next()
		if err != nil {
			return nil, fmt.Errorf("find %s in the image: %w", name, err)
		}
		if path.Join("/", header.Name) == name {
			text, err := io.ReadAll(reader)
			if err != nil {
				return nil, fmt.Errorf("read %s in the image: %w", name, err)
			}
			return text, nil
		}
	}
}

// koVersion is the version of ko that is linked in, which SBOMs name.
func koVersion() string { return linked("github.com/google/ko") }
