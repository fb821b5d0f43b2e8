// Package release looks at the files of a release that scripts/release left in dist:
//
//	scripts/release --test
//
// Its module pins goreleaser, which has the readers of packages among its own modules.
package release

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/buildinfo"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/blakesmith/ar"
	"github.com/google/go-cmp/cmp"
	"github.com/sassoftware/go-rpmutils"
	"sigs.k8s.io/yaml"
)

var (
	dist   = flag.String("dist", "", "the folder that scripts/release wrote")
	source = flag.String("source", "", "the root of the repository")
	native = flag.Bool("native", false, "expect only the files for this machine, as scripts/release --native makes them")
)

func TestMain(m *testing.M) {
	flag.Parse()
	if *dist == "" || *source == "" {
		fmt.Println("give -dist FOLDER and -source FOLDER, as scripts/release --test does")
		os.Exit(2)
	}
	os.Exit(m.Run())
}

// target is a program for a system.
type target struct{ program, os, arch string }

func (t target) archive() string {
	end := "tar.gz"
	if t.os == "windows" {
		end = "zip"
	}
	return fmt.Sprintf("%s_%s_%s_%s.%s", t.program, metadata.Version, t.os, t.arch, end)
}

// binary is the name of the program in its archive.
func (t target) binary() string {
	if t.os == "windows" {
		return t.program + ".exe"
	}
	return t.program
}

// packages are the names of the deb and the rpm.
func (t target) packages() (deb, rpm string) {
	name := strings.TrimSuffix(t.archive(), ".tar.gz")
	return name + ".deb", name + ".rpm"
}

// ordered is the version as packages have it: both formats order 1~a before 1, as semver
// does 1-a.
func ordered() string { return strings.Replace(metadata.Version, "-", "~", 1) }

// targets are all that must be there.
func targets() []target {
	all := []target{
		{"nevermigrate", "linux", "amd64"}, {"nevermigrate", "linux", "arm64"},
		{"nevermigrate", "darwin", "amd64"}, {"nevermigrate", "darwin", "arm64"},
		{"nevermigrate", "windows", "amd64"}, {"nevermigrate", "windows", "arm64"},
		{"migrations-guard", "linux", "amd64"}, {"migrations-guard", "linux", "arm64"},
		{"migrations-guard", "darwin", "amd64"}, {"migrations-guard", "darwin", "arm64"},
	}
	if *native {
		return slices.DeleteFunc(all, func(t target) bool { return t.os != runtime.GOOS || t.arch != runtime.GOARCH })
	}
	return all
}

// metadata is what goreleaser says that it has built.
var metadata struct{ Version, Commit, Date string }

func TestRelease(t *testing.T) {
	text := read(t, "metadata.json")
	if err := json.Unmarshal(text, &metadata); err != nil {
		t.Fatal(err)
	}
	if metadata.Version == "" || !regexp.MustCompile(`^[0-9a-f]{40}$`).MatchString(metadata.Commit) {
		t.Fatalf("metadata.json: version %q, commit %q", metadata.Version, metadata.Commit)
	}
	if !t.Run("checksums", checksums) {
		return
	}
	for _, one := range targets() {
		t.Run(one.archive(), func(t *testing.T) { archive(t, one) })
	}
	t.Run("manifests", manifests)
	if !*native {
		t.Run("sboms", sboms)
	}
}

// checksums holds that checksums.txt names all that a release must have, and nothing
// else, by its right digest.
func checksums(t *testing.T) {
	var want []string
	for _, one := range targets() {
		want = append(want, one.archive())
		if !*native {
			want = append(want, one.archive()+".spdx.json")
		}
		if one.os == "linux" {
			deb, rpm := one.packages()
			want = append(want, deb, rpm)
		}
	}
	slices.Sort(want)
	sums := sumsOf(t)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(sums))); diff != "" {
		t.Errorf("files, -want +got:\n%s", diff)
	}
	for name, sum := range sums {
		if got := digest(read(t, name)); got != sum {
			t.Errorf("%s: checksums.txt says %s, and it is %s", name, sum, got)
		}
	}
}

// sumsOf reads checksums.txt: digests by the names of files.
func sumsOf(t *testing.T) map[string]string {
	t.Helper()
	sums := map[string]string{}
	for line := range strings.Lines(string(read(t, "checksums.txt"))) {
		sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !ok || sums[name] != "" {
			t.Fatalf("checksums.txt: %q", line)
		}
		sums[name] = sum
	}
	return sums
}

func archive(t *testing.T, of target) {
	var files map[string]file
	text := read(t, of.archive())
	if of.os == "windows" {
		files = unzip(t, text)
	} else {
		files = untar(t, gunzip(t, text))
	}
	want := map[string]string{"LICENSE": "-rw-r--r--", "README.md": "-rw-r--r--", "CHANGELOG.md": "-rw-r--r--", of.binary(): "-rwxr-xr-x"}
	if of.program == "nevermigrate" {
		for _, name := range completions {
			want["completions/"+name] = "-rw-r--r--"
		}
	}
	// A command has a page, and which there are the program knows: run compares them.
	pages := map[string][]byte{}
	got := map[string]string{}
	for name, one := range files {
		if page, ok := strings.CutPrefix(name, "man/"); ok {
			pages[strings.TrimSuffix(page, ".gz")] = gunzip(t, one.text)
			continue
		}
		got[name] = one.mode
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files, -want +got:\n%s", diff)
	}
	for name, page := range pages {
		if !bytes.HasPrefix(page, []byte(".TH ")) {
			t.Errorf("man/%s is no man page: %.40q", name, page)
		}
	}
	if len(pages[of.program+".1"]) == 0 {
		t.Errorf("there is no page of %s", of.program)
	}
	for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md"} {
		committed, err := os.ReadFile(filepath.Join(*source, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(files[name].text, committed) {
			t.Errorf("%s is another than the committed one", name)
		}
	}

	program := files[of.binary()].text
	header(t, of, program)
	stamp := stamped(t, of, program)
	if of.os == "linux" {
		deb, rpm := of.packages()
		t.Run("deb", func(t *testing.T) { debian(t, of, read(t, deb), program, pages) })
		t.Run("rpm", func(t *testing.T) { redhat(t, of, read(t, rpm), program, pages) })
	}
	if of.os == runtime.GOOS && of.arch == runtime.GOARCH {
		t.Run("run", func(t *testing.T) { run(t, of, files, pages, stamp) })
	}
}

// header holds that a program is for its machine, and that it loads no library that it
// was not built with; on macOS and Windows, where the system is a library, that none of
// C is linked in is what the stamp says.
func header(t *testing.T, of target, program []byte) {
	t.Helper()
	reader := bytes.NewReader(program)
	switch of.os {
	case "linux":
		f, err := elf.NewFile(reader)
		if err != nil {
			t.Fatal(err)
		}
		if want := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[of.arch]; f.Machine != want || f.Type != elf.ET_EXEC {
			t.Errorf("%s, %s, want %s", f.Machine, f.Type, want)
		}
		for _, p := range f.Progs {
			if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
				t.Errorf("it is not static: %s", p.Type)
			}
		}
		if f.Section(".symtab") != nil || f.Section(".debug_info") != nil {
			t.Error("it is not stripped")
		}
	case "darwin":
		f, err := macho.NewFile(reader)
		if err != nil {
			t.Fatal(err)
		}
		if want := map[string]macho.Cpu{"amd64": macho.CpuAmd64, "arm64": macho.CpuArm64}[of.arch]; f.Cpu != want || f.Type != macho.TypeExec {
			t.Errorf("%s, %s, want %s", f.Cpu, f.Type, want)
		}
		libraries, err := f.ImportedLibraries()
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range libraries {
			if !strings.HasPrefix(name, "/usr/lib/lib") && !strings.HasPrefix(name, "/System/Library/Frameworks/") {
				t.Errorf("it needs %s, which is not macOS's", name)
			}
		}
	case "windows":
		f, err := pe.NewFile(reader)
		if err != nil {
			t.Fatal(err)
		}
		if want := map[string]uint16{"amd64": pe.IMAGE_FILE_MACHINE_AMD64, "arm64": pe.IMAGE_FILE_MACHINE_ARM64}[of.arch]; f.Machine != want {
			t.Errorf("machine %#x, want %#x", f.Machine, want)
		}
		libraries, err := f.ImportedLibraries()
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range libraries {
			if strings.ToLower(name) != "kernel32.dll" {
				t.Errorf("it needs %s", name)
			}
		}
	}
}

// stamped holds that a program was built of a clean clone at the commit of the release,
// and is what --version must print of it.
func stamped(t *testing.T, of target, program []byte) string {
	t.Helper()
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, setting := range info.Settings {
		got[setting.Key] = setting.Value
	}
	want := map[string]string{
		"GOOS": of.os, "GOARCH": of.arch, "CGO_ENABLED": "0", "-trimpath": "true",
		"vcs.revision": metadata.Commit, "vcs.modified": "false",
	}
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s is %q, want %q", key, got[key], value)
		}
	}
	version := info.Main.Version
	// A snapshot has no tag, so Go names the commit.
	if tag := "v" + metadata.Version; !strings.Contains(metadata.Version, "-snapshot.") && version != tag {
		t.Errorf("it is %s, and the release %s", version, tag)
	} else if strings.Contains(tag, "-snapshot.") && !strings.HasSuffix(version, "-"+metadata.Commit[:12]) {
		t.Errorf("it is %s, and the commit %s", version, metadata.Commit)
	}
	return fmt.Sprintf("%s %s\ncommit %s\ndate %s\n", of.program, version, metadata.Commit, got["vcs.time"])
}

// completions are the names of the scripts, by their shells.
var completions = map[string]string{"bash": "nevermigrate.bash", "zsh": "_nevermigrate", "fish": "nevermigrate.fish", "powershell": "nevermigrate.ps1"}

// run unpacks an archive into a folder with nothing else, and runs what is in it.
func run(t *testing.T, of target, files map[string]file, pages map[string][]byte, stamp string) {
	folder := t.TempDir()
	program := filepath.Join(folder, of.binary())
	if err := os.WriteFile(program, files[of.binary()].text, 0o755); err != nil {
		t.Fatal(err)
	}
	// command runs the program there, with an empty environment.
	command := func(environ []string, args ...string) (string, int) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = folder, &stdout, &stderr
		cmd.Env = append([]string{"HOME=" + folder, "PATH="}, environ...)
		if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
			t.Fatal(err)
		}
		if text := stderr.String(); of.program == "nevermigrate" && text != "" {
			t.Errorf("%s: standard error: %s", cmd, text)
		}
		return stdout.String(), cmd.ProcessState.ExitCode()
	}
	if of.program == "migrations-guard" {
		if got, status := command(nil, "--version"); got != stamp || status != 0 {
			t.Errorf("--version: %d %q, want %q", status, got, stamp)
		}
		for mode, want := range map[string]int{"skip": 0, "auto": 78} {
			if _, status := command([]string{"JANGAR_MIGRATIONS=" + mode}); status != want {
				t.Errorf("JANGAR_MIGRATIONS=%s: exit status %d, want %d", mode, status, want)
			}
		}
		return
	}

	if got, status := command(nil, "--version"); got != stamp+linked(t) || status != 0 {
		t.Errorf("--version, -want +got:\n%s", cmp.Diff(stamp+linked(t), got))
	}
	for _, part := range []string{"argocd/applications/agents", "charts/agents"} {
		if err := os.CopyFS(filepath.Join(folder, "fixtures", part), os.DirFS(filepath.Join(*source, "fixtures", part))); err != nil {
			t.Fatal(err)
		}
	}
	const verdict = `fixtures/argocd/applications/agents: pass
  WORKLOAD                       ROLE           CONTAINER           MODE
  Deployment/agents              control-plane  agents              auto
  Deployment/agents-controllers  controllers    agents-controllers  skip

pass: the contract holds. 1 target, 1 controllers workload, 1 container judged, 0 denied, 0 warned, 0 errors.
`
	if got, status := command(nil, "check", "fixtures/argocd/applications/agents"); got != verdict || status != 0 {
		t.Errorf("check: exit status %d, -want +got:\n%s", status, cmp.Diff(verdict, got))
	}

	for shell, name := range completions {
		if got, _ := command(nil, "completion", shell); got != string(files["completions/"+name].text) {
			t.Errorf("completions/%s is not what the program prints", name)
		}
	}
	bash := exec.Command("bash", "-n")
	bash.Stdin = bytes.NewReader(files["completions/"+completions["bash"]].text)
	if out, err := bash.CombinedOutput(); err != nil {
		t.Errorf("bash cannot read the completions: %v: %s", err, out)
	}

	if _, status := command(nil, "man", "man"); status != 0 {
		t.Fatalf("man: exit status %d", status)
	}
	want := map[string]string{}
	written, err := filepath.Glob(filepath.Join(folder, "man", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range written {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want[filepath.Base(name)] = string(text)
	}
	got := map[string]string{}
	for name, text := range pages {
		got[name] = string(text)
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) < 2 {
		t.Errorf("man pages, -want +got:\n%s", diff)
	}
}

// linked are the lines of --version about the policy and the modules, from the files
// that say so in the source.
func linked(t *testing.T) string {
	t.Helper()
	policy := find(t, "policy/policy.go", `Version = "([^"]+)"`)
	lines := "policy " + policy + "\n"
	for _, module := range [][2]string{
		{"helm", "helm.sh/helm/v4"}, {"kustomize/api", "sigs.k8s.io/kustomize/api"},
		{"opa", "github.com/open-policy-agent/opa"}, {"conftest", "github.com/open-policy-agent/conftest"},
	} {
		lines += module[0] + " " + find(t, "go.mod", `(?m)^\t`+regexp.QuoteMeta(module[1])+` (\S+)`) + "\n"
	}
	return lines
}

// find is the first group of a pattern in a file of the source.
func find(t *testing.T, name, pattern string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(*source, name))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(pattern).FindSubmatch(text)
	if found == nil {
		t.Fatalf("%s has no %s", name, pattern)
	}
	return string(found[1])
}

// installed are the files of a package, without the program.
func installed(of target, zsh string, pages map[string][]byte) []string {
	doc := "/usr/share/doc/" + of.program + "/"
	want := []string{"/usr/bin/" + of.program, doc + "copyright", doc + "CHANGELOG.md"}
	for page := range pages {
		want = append(want, "/usr/share/man/man1/"+page+".gz")
	}
	if of.program == "nevermigrate" {
		want = append(want, "/usr/share/bash-completion/completions/nevermigrate", "/usr/share/fish/vendor_completions.d/nevermigrate.fish", zsh+"/_nevermigrate")
	}
	slices.Sort(want)
	return want
}

func debian(t *testing.T, of target, text, program []byte, pages map[string][]byte) {
	members := map[string][]byte{}
	for reader := ar.NewReader(bytes.NewReader(text)); ; {
		header, err := reader.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if members[strings.TrimSuffix(header.Name, "/")], err = io.ReadAll(reader); err != nil {
			t.Fatal(err)
		}
	}
	if got := string(members["debian-binary"]); got != "2.0\n" {
		t.Errorf("debian-binary is %q", got)
	}
	control := string(untar(t, gunzip(t, members["control.tar.gz"]))["control"].text)
	for _, line := range []string{"Package: " + of.program, "Architecture: " + of.arch, "Version: " + ordered(), "Homepage: https://github.com/proompteng/nevermigrate"} {
		if !strings.Contains("\n"+control, "\n"+line+"\n") {
			t.Errorf("control has no line %q:\n%s", line, control)
		}
	}
	if strings.Contains(control, "Depends:") {
		t.Errorf("it depends on something:\n%s", control)
	}
	files := map[string]file{}
	for name, one := range untar(t, gunzip(t, members["data.tar.gz"])) {
		files[path.Join("/", name)] = one
	}
	if diff := cmp.Diff(installed(of, "/usr/share/zsh/vendor-completions", pages), slices.Sorted(maps.Keys(files))); diff != "" {
		t.Errorf("files, -want +got:\n%s", diff)
	}
	if one := files["/usr/bin/"+of.program]; !bytes.Equal(one.text, program) || one.mode != "-rwxr-xr-x" {
		t.Errorf("the program is another than in the archive, or its mode %s", one.mode)
	}
}

func redhat(t *testing.T, of target, text, program []byte, pages map[string][]byte) {
	rpm, err := rpmutils.ReadRpm(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	got, err := rpm.Header.GetNEVRA()
	if err != nil {
		t.Fatal(err)
	}
	want := &rpmutils.NEVRA{Name: of.program, Epoch: "0", Version: ordered(), Release: "1",
		Arch: map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[of.arch]}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	payload, err := rpm.PayloadReaderExtended()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for {
		one, err := payload.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, one.Name())
		if one.Name() != "/usr/bin/"+of.program {
			continue
		}
		packed, err := io.ReadAll(payload)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(packed, program) || one.Mode()&0o777 != 0o755 {
			t.Errorf("the program is another than in the archive, or its mode %o", one.Mode())
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff(installed(of, "/usr/share/zsh/site-functions", pages), names); diff != "" {
		t.Errorf("files, -want +got:\n%s", diff)
	}
}

// manifests holds that each names archives of this release by their digests.
func manifests(t *testing.T) {
	sums := sumsOf(t)
	// wanted are the archives of nevermigrate for systems, by their address.
	wanted := func(systems ...string) map[string]string {
		all := map[string]string{}
		for _, one := range targets() {
			if one.program == "nevermigrate" && slices.Contains(systems, one.os) {
				all["https://github.com/proompteng/nevermigrate/releases/download/"+tag()+"/"+one.archive()] = sums[one.archive()]
			}
		}
		return all
	}

	got := map[string]string{}
	cask := strings.ReplaceAll(string(read(t, "homebrew/Casks/nevermigrate.rb")), "#{version}", metadata.Version)
	for _, found := range regexp.MustCompile(`url "([^"]+)",\s+verified: "github.com/proompteng/nevermigrate/"\s+sha256 "([0-9a-f]{64})"`).FindAllStringSubmatch(cask, -1) {
		got[found[1]] = found[2]
	}
	if diff := cmp.Diff(wanted("linux", "darwin"), got); diff != "" {
		t.Errorf("the cask of Homebrew, -want +got:\n%s", diff)
	}

	var krew struct {
		Metadata struct{ Name string }
		Spec     struct {
			Version   string
			Platforms []struct {
				Bin, URI, SHA256 string
				Selector         struct{ MatchLabels struct{ OS, Arch string } }
			}
		}
	}
	if err := yaml.Unmarshal(read(t, "krew/nevermigrate.yaml"), &krew); err != nil {
		t.Fatal(err)
	}
	got = map[string]string{}
	for _, platform := range krew.Spec.Platforms {
		got[platform.URI] = platform.SHA256
		of := target{"nevermigrate", platform.Selector.MatchLabels.OS, platform.Selector.MatchLabels.Arch}
		if path.Base(platform.URI) != of.archive() || platform.Bin != of.binary() {
			t.Errorf("krew: %+v", platform)
		}
	}
	if diff := cmp.Diff(wanted("linux", "darwin", "windows"), got); diff != "" || krew.Metadata.Name != "nevermigrate" || krew.Spec.Version != "v"+metadata.Version {
		t.Errorf("the manifest of krew is of %s %s, -want +got:\n%s", krew.Metadata.Name, krew.Spec.Version, diff)
	}

	if *native {
		return
	}
	var scoop struct {
		Version      string
		Architecture map[string]struct {
			URL, Hash string
			Bin       []string
		}
	}
	if err := json.Unmarshal(read(t, "scoop/nevermigrate.json"), &scoop); err != nil {
		t.Fatal(err)
	}
	got = map[string]string{}
	for arch, one := range scoop.Architecture {
		got[one.URL] = one.Hash
		if diff := cmp.Diff([]string{"nevermigrate.exe"}, one.Bin); diff != "" {
			t.Errorf("scoop, %s:\n%s", arch, diff)
		}
	}
	if diff := cmp.Diff(wanted("windows"), got); diff != "" || scoop.Version != metadata.Version {
		t.Errorf("the manifest of Scoop is of %s, -want +got:\n%s", scoop.Version, diff)
	}
}

// sboms holds that each names the program, and the modules that render and judge with
// the versions that are linked in.
func sboms(t *testing.T) {
	for _, of := range targets() {
		var sbom struct {
			SPDXVersion string
			Packages    []struct{ Name, VersionInfo string }
		}
		if err := json.Unmarshal(read(t, of.archive()+".spdx.json"), &sbom); err != nil {
			t.Errorf("%s: %v", of.archive(), err)
			continue
		}
		versions := map[string]string{}
		for _, one := range sbom.Packages {
			versions[one.Name] = one.VersionInfo
		}
		if !strings.HasPrefix(sbom.SPDXVersion, "SPDX-2.") || versions["github.com/proompteng/nevermigrate"] == "" || versions["stdlib"] == "" {
			t.Errorf("%s: %s with %d packages, without the program or Go", of.archive(), sbom.SPDXVersion, len(versions))
		}
		if of.program != "nevermigrate" {
			continue
		}
		for _, module := range []string{"helm.sh/helm/v4", "sigs.k8s.io/kustomize/api", "github.com/open-policy-agent/opa"} {
			if want := find(t, "go.mod", `(?m)^\t`+regexp.QuoteMeta(module)+` (\S+)`); versions[module] != want {
				t.Errorf("%s: %s is %q, want %s", of.archive(), module, versions[module], want)
			}
		}
	}
}

// tag is the one that addresses are made of: a snapshot's is that of before it.
func tag() string {
	version, _, _ := strings.Cut(metadata.Version, "-snapshot.")
	return "v" + version
}

// file is a file of an archive.
type file struct {
	mode string
	text []byte
}

// untar reads the files of an archive; folders are left out. A name that leaves the
// archive, and what is neither file nor folder, is an error.
func untar(t *testing.T, text []byte) map[string]file {
	t.Helper()
	files := map[string]file{}
	for reader := tar.NewReader(bytes.NewReader(text)); ; {
		header, err := reader.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		name := path.Clean(strings.TrimPrefix(header.Name, "/"))
		if !filepath.IsLocal(name) || header.Typeflag != tar.TypeReg && header.Typeflag != tar.TypeDir {
			t.Fatalf("%s has the type %q", header.Name, header.Typeflag)
		}
		if header.Typeflag == tar.TypeDir {
			continue
		}
		if header.Uid != 0 || header.Gid != 0 {
			t.Errorf("%s is of %d:%d", header.Name, header.Uid, header.Gid)
		}
		one := file{mode: header.FileInfo().Mode().String()}
		if one.text, err = io.ReadAll(reader); err != nil {
			t.Fatal(err)
		}
		files[name] = one
	}
}

func unzip(t *testing.T, text []byte) map[string]file {
	t.Helper()
	reader, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]file{}
	for _, packed := range reader.File {
		if packed.Mode().IsDir() {
			continue
		}
		contents, err := packed.Open()
		if err != nil {
			t.Fatal(err)
		}
		one := file{mode: packed.Mode().String()}
		if one.text, err = io.ReadAll(contents); err != nil {
			t.Fatal(err)
		}
		files[packed.Name] = one
	}
	return files
}

func gunzip(t *testing.T, text []byte) []byte {
	t.Helper()
	reader, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return unpacked
}

// read reads a file of dist.
func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(*dist, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
