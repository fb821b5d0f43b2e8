package main

import (
	"archive/tar"
	"bytes"
	"debug/elf"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http/httptest"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

// native is the platform of this machine.
var native = "linux/" + runtime.GOARCH

// made runs the program and returns the lines that it prints.
func made(t *testing.T, args ...string) []string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if err := run(t.Context(), append([]string{"--source", stock.Root(t)}, args...), &stdout, &stderr); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, &stderr)
	}
	return strings.Split(strings.TrimSpace(stdout.String()), "\n")
}

// layoutOf builds a program for platforms and returns the folder of its layout.
func layoutOf(t *testing.T, program string, platforms ...string) string {
	t.Helper()
	args := []string{"--program", program, "--layout", t.TempDir(), "--revision", "abc", "--tag", "v0"}
	for _, platform := range platforms {
		args = append(args, "--platform", platform)
	}
	folder, _, _ := strings.Cut(made(t, args...)[0], "@")
	return folder
}

// described is an image of a layout, with its platform and what the layout calls it.
type described struct {
	v1.Image
	platform, tag string
}

// read reads a layout: the images, the tag of the first entry, and each SBOM by the
// digest of what it refers to. Every blob is read, and must be what its name says.
func read(t *testing.T, folder string) (images []described, sboms map[v1.Hash]string) {
	t.Helper()
	index, err := layout.ImageIndexFromPath(folder)
	if err != nil {
		t.Fatal(err)
	}
	sboms = map[v1.Hash]string{}
	var add func(v1.ImageIndex, string)
	add = func(index v1.ImageIndex, tag string) {
		manifest, err := index.IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range manifest.Manifests {
			if entry.MediaType.IsIndex() {
				child, err := index.ImageIndex(entry.Digest)
				if err != nil {
					t.Fatal(err)
				}
				add(child, entry.Annotations[referenceName])
				continue
			}
			one, err := index.Image(entry.Digest)
			if err != nil {
				t.Fatal(err)
			}
			content, err := one.Manifest()
			if err != nil {
				t.Fatal(err)
			}
			if content.Subject != nil {
				if entry.ArtifactType != spdx || content.Config.MediaType != spdx {
					t.Errorf("the artifact is a %q with a configuration of %q", entry.ArtifactType, content.Config.MediaType)
				}
				sboms[content.Subject.Digest] = string(onlyLayer(t, one))
				continue
			}
			named := entry.Annotations[referenceName]
			if named == "" {
				named = tag
			}
			config, err := one.ConfigFile()
			if err != nil {
				t.Fatal(err)
			}
			images = append(images, described{one, config.Platform().String(), named})
		}
	}
	add(index, "")
	return images, sboms
}

func onlyLayer(t *testing.T, one v1.Image) []byte {
	t.Helper()
	layers, err := one.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	reader, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	text, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestLayouts reads back what is built: nothing is in an image but the program.
func TestLayouts(t *testing.T) {
	for program, on := range map[string][]string{
		"migrations-guard": platforms,
		// The other platform takes minutes to compile.
		"nevermigrate": {native},
	} {
		t.Run(program, func(t *testing.T) {
			images, sboms := read(t, layoutOf(t, program, on...))
			var got []string
			for _, one := range images {
				got = append(got, one.platform)
				t.Run(strings.ReplaceAll(one.platform, "/", "-"), func(t *testing.T) { look(t, program, one, sboms) })
			}
			slices.Sort(got)
			if diff := cmp.Diff(on, got); diff != "" {
				t.Errorf("platforms (-want +got):\n%s", diff)
			}
			// The index, where there is one, has one too.
			if want := len(on) + len(on)/2; len(sboms) != want {
				t.Errorf("%d SBOMs, want %d", len(sboms), want)
			}
		})
	}
}

func look(t *testing.T, program string, one described, sboms map[v1.Hash]string) {
	if one.tag != "v0" {
		t.Errorf("the layout calls it %q", one.tag)
	}
	config, err := one.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if !config.Created.IsZero() {
		t.Errorf("it carries the time %s, so it cannot be built again", config.Created)
	}
	if diff := cmp.Diff(v1.Config{
		User: "65532:65532", WorkingDir: "/",
		Entrypoint: []string{"/ko-app/" + program},
		Env:        []string{"PATH=/ko-app", "KO_DATA_PATH=/var/run/ko"},
		Labels: map[string]string{
			"org.opencontainers.image.title":         program,
			"org.opencontainers.image.description":   descriptions[program],
			"org.opencontainers.image.source":        "https://github.com/proompteng/nevermigrate",
			"org.opencontainers.image.documentation": "https://github.com/proompteng/nevermigrate/blob/main/docs/README.md",
			"org.opencontainers.image.licenses":      "Apache-2.0",
			"org.opencontainers.image.revision":      "abc",
		},
	}, config.Config); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}

	binary := path.Join("/ko-app", program)
	want := []string{
		"/" + program + " -> ko-app/" + program,
		"/ko-app dr-xr-xr-x",
		binary + " -r-xr-xr-x",
		"/var dr-xr-xr-x",
		"/var/run dr-xr-xr-x",
		"/var/run/ko dr-xr-xr-x",
	}
	if program == "nevermigrate" {
		want = append(want, "/tmp dtrwxrwxrwx")
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, files(t, one)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}

	text, err := file(one, binary)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := elf.NewFile(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	machine := map[string]elf.Machine{"linux/amd64": elf.EM_X86_64, "linux/arm64": elf.EM_AARCH64}[one.platform]
	if parsed.Machine != machine {
		t.Errorf("the program is for %s, and the image for %s", parsed.Machine, one.platform)
	}
	for _, header := range parsed.Progs {
		if header.Type == elf.PT_INTERP || header.Type == elf.PT_DYNAMIC {
			t.Errorf("the program has a %s: it is linked to libraries, and the image has none", header.Type)
		}
	}

	digest, err := one.Digest()
	if err != nil {
		t.Fatal(err)
	}
	var bill struct {
		SPDXVersion string
		Packages    []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(sboms[digest]), &bill); err != nil {
		t.Fatalf("the SBOM of the image: %v: %q", err, sboms[digest])
	}
	var names []string
	for _, p := range bill.Packages {
		names = append(names, p.Name)
	}
	if bill.SPDXVersion != "SPDX-2.3" || !slices.Contains(names, "github.com/proompteng/nevermigrate") {
		t.Errorf("the SBOM is %s of %v", bill.SPDXVersion, names)
	}
	if linksHelm := slices.Contains(names, "helm.sh/helm/v4"); linksHelm != (program == "nevermigrate") {
		t.Errorf("the SBOM of %s lists %v", program, names)
	}
}

// files lists what is in an image, with its mode or what it links to.
func files(t *testing.T, one v1.Image) []string {
	t.Helper()
	contents := mutate.Extract(one)
	defer contents.Close()
	var found []string
	for reader := tar.NewReader(contents); ; {
		header, err := reader.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		entry := path.Join("/", header.Name)
		if header.Typeflag == tar.TypeSymlink {
			found = append(found, entry+" -> "+header.Linkname)
		} else {
			found = append(found, entry+" "+header.FileInfo().Mode().String())
		}
	}
	slices.Sort(found)
	return found
}

// TestBuiltAgain: equal sources make equal images.
func TestBuiltAgain(t *testing.T) {
	build := func() string {
		_, digest, _ := strings.Cut(made(t, "--program", "migrations-guard", "--layout", t.TempDir())[0], "@")
		return digest
	}
	if first, second := build(), build(); first != second {
		t.Errorf("built twice it is %s and %s", first, second)
	}
}

// TestPush pushes to a registry on loopback and reads back what is there.
func TestPush(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.WithReferrersSupport(true)))
	defer server.Close()
	repository := strings.TrimPrefix(server.URL, "http://") + "/acme"
	got := made(t, "--program", "migrations-guard", "--push", repository, "--tag", "v0.1.0", "--created", "2026-11-28T05:00:00Z")
	tag, err := name.NewTag(repository + "/migrations-guard:v0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(tag)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{repository + "/migrations-guard@" + digest.String()}, got); diff != "" {
		t.Errorf("printed (-want +got):\n%s", diff)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var on []string
	for _, entry := range append(manifest.Manifests, v1.Descriptor{Digest: digest}) {
		if entry.Platform != nil {
			on = append(on, entry.Platform.String())
		}
		referrers, err := remote.Referrers(tag.Digest(entry.Digest.String()))
		if err != nil {
			t.Fatal(err)
		}
		listed, err := referrers.IndexManifest()
		if err != nil {
			t.Fatal(err)
		}
		if len(listed.Manifests) != 1 || listed.Manifests[0].ArtifactType != spdx {
			t.Errorf("what refers to %s is %+v, want an SBOM", entry.Digest, listed.Manifests)
		}
	}
	slices.Sort(on)
	if diff := cmp.Diff(platforms, on); diff != "" {
		t.Errorf("platforms (-want +got):\n%s", diff)
	}
	one, err := remote.Image(tag, remote.WithPlatform(v1.Platform{OS: "linux", Architecture: runtime.GOARCH}))
	if err != nil {
		t.Fatal(err)
	}
	config, err := one.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if created := config.Created.UTC().Format("2006-01-02T15:04:05Z"); created != "2026-11-28T05:00:00Z" {
		t.Errorf("it carries the time %s", created)
	}
}

// TestErrors: nothing is written when something is wrong.
func TestErrors(t *testing.T) {
	folder := t.TempDir()
	for _, test := range []struct {
		args  []string
		usage bool
		want  string
	}{
		{nil, true, "give one of --layout and --push; see images --help"},
		{[]string{"--layout", "x", "--push", "y"}, true, "give one of --layout and --push; see images --help"},
		{[]string{"--layout", "x", "y"}, true, `"y" is no flag; see images --help`},
		{[]string{"--nope"}, true, "flag provided but not defined: -nope; see images --help"},
		{[]string{"--layout", "x", "--program", "opa"}, true, `"opa" has no image: there are nevermigrate and migrations-guard; see images --help`},
		{[]string{"--layout", "x", "--platform", "linux/386"}, true, `"linux/386" is no platform of the images: there are linux/amd64 and linux/arm64; see images --help`},
		{[]string{"--layout", "x", "--created", "today"}, true, `--created: parsing time "today" as "2006-01-02T15:04:05Z07:00": cannot parse "today" as "2006"; see images --help`},
		{[]string{"--push", "ghcr.io/Acme"}, true, "repository can only contain the characters `abcdefghijklmnopqrstuvwxyz0123456789_-./`: Acme/nevermigrate; see images --help"},
		{[]string{"--layout", "x", "--tag", "a b"}, true, "tag can only contain the characters `abcdefghijklmnopqrstuvwxyz0123456789_-.ABCDEFGHIJKLMNOPQRSTUVWXYZ`: a b; see images --help"},
		{[]string{"--layout", filepath.Join(folder, "v"), "--program", "migrations-guard", "--platform", native, "--version", "v9.9.9"}, false,
			"build the image of migrations-guard: the program says that it is %s and not v9.9.9: build at the tag, in a clean clone with its history"},
	} {
		err := run(t.Context(), append([]string{"--source", stock.Root(t)}, test.args...), io.Discard, io.Discard)
		if err == nil || errors.As(err, new(usageError)) != test.usage {
			t.Errorf("%v: %v", test.args, err)
			continue
		}
		if before, after, ok := strings.Cut(test.want, "%s"); ok {
			if !strings.HasPrefix(err.Error(), before) || !strings.HasSuffix(err.Error(), after) {
				t.Errorf("%v:\n%v\nwant\n%s", test.args, err, test.want)
			}
		} else if err.Error() != test.want {
			t.Errorf("%v:\n%v\nwant\n%s", test.args, err, test.want)
		}
	}
	if err := run(t.Context(), []string{"--help"}, io.Discard, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("--help: %v", err)
	}
	// What is there is not written over.
	taken := t.TempDir()
	args := []string{"--source", stock.Root(t), "--program", "migrations-guard", "--platform", native, "--layout", taken}
	if err := run(t.Context(), args, io.Discard, io.Discard); err != nil {
		t.Fatal(err)
	}
	want := "write the image of migrations-guard: " + filepath.Join(taken, "migrations-guard") + " is there already: remove it, or name another folder"
	if err := run(t.Context(), args, io.Discard, io.Discard); err == nil || err.Error() != want {
		t.Errorf("a second time: %v\nwant %s", err, want)
	}
}
