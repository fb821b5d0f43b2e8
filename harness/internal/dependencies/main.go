// Command dependencies tells what the modules that nevermigrate links cost: CPU time to
// compile, bytes in the program, and time before main. scripts/dependencies runs it,
// and writes its table into docs/dependencies.md.
//
// It compiles everything anew, in a cache of its own, which takes minutes.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	program = "./harness/cmd/nevermigrate"
	page    = "docs/dependencies.md"
	begin   = "<!-- table -->\n"
	end     = "<!-- end of table -->\n"
	// listed is how many modules the table has by each measure.
	listed = 20
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func run() error {
	work, err := os.MkdirTemp("", "nevermigrate-dependencies-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	m := measured{binary: filepath.Join(work, "nevermigrate"), modules: map[string]*module{}, of: map[string]string{}}
	for _, step := range []func() error{m.list, func() error { return m.compile(work) }, m.link, m.start} {
		if err := step(); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(text), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return fmt.Errorf("%s has no place for the table: add %s and %s", page, begin, end)
	}
	if err := os.WriteFile(page, []byte(before+begin+m.table()+end+after), 0o644); err != nil {
		return err
	}
	if strings.Contains(m.table(), "|  |") {
		return errors.New("the table has a module of which purposes.go does not say what it is for")
	}
	return nil
}

// module is what one module costs.
type module struct {
	path     string
	packages int
	compile  time.Duration
	bytes    int64
	start    time.Duration
}

type measured struct {
	binary, stripped string
	modules          map[string]*module
	of               map[string]string // the module of each package
	linking, starts  time.Duration
	size, small      int64
}

// command is a command without C, as the README says.
func command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	return cmd
}

// list finds the packages and their modules.
func (m *measured) list() error {
	out, err := command("go", "list", "-deps", "-f", "{{.ImportPath}} {{with .Module}}{{.Path}}{{end}}", program).Output()
	if err != nil {
		return fmt.Errorf("list packages: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		name, of, _ := strings.Cut(strings.TrimSpace(line), " ")
		of = cmp.Or(of, "std")
		m.of[name] = of
		m.module(of).packages++
	}
	return nil
}

func (m *measured) module(path string) *module {
	if m.modules[path] == nil {
		m.modules[path] = &module{path: path}
	}
	return m.modules[path]
}

// compile builds the program with an empty cache.
func (m *measured) compile(work string) error {
	graph := filepath.Join(work, "actions.json")
	cmd := command("go", "build", "-debug-actiongraph="+graph, "-o", m.binary, program)
	cmd.Env = append(cmd.Env, "GOCACHE="+filepath.Join(work, "cache"))
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	text, err := os.ReadFile(graph)
	if err != nil {
		return err
	}
	var actions []struct {
		Mode, Package   string
		CmdUser, CmdSys time.Duration
	}
	if err := json.Unmarshal(text, &actions); err != nil {
		return fmt.Errorf("read actions: %w", err)
	}
	for _, action := range actions {
		took := action.CmdUser + action.CmdSys
		if action.Mode == "link" {
			m.linking += took
		} else {
			m.module(cmp.Or(m.of[action.Package], "std")).compile += took
		}
	}
	m.stripped = m.binary + "-stripped"
	cmd = command("go", "build", "-ldflags=-s -w", "-o", m.stripped, program)
	cmd.Env = append(cmd.Env, "GOCACHE="+filepath.Join(work, "cache"))
	return cmd.Run()
}

// link finds how many bytes of the program are a module's code and data.
func (m *measured) link() error {
	for file, size := range map[string]*int64{m.binary: &m.size, m.stripped: &m.small} {
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		*size = info.Size()
	}
	out, err := command("go", "tool", "nm", "-size", m.binary).Output()
	if err != nil {
		return fmt.Errorf("list symbols: %w", err)
	}
	isEmpty, err := empty(m.binary)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			continue
		}
		address, err := strconv.ParseUint(fields[0], 16, 64)
		if err != nil || isEmpty(address) {
			continue
		}
		size, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return fmt.Errorf("list symbols: %s", line)
		}
		if of, ok := m.of[packageOf(fields[3])]; ok {
			m.module(of).bytes += size
		}
	}
	return nil
}

// empty tells which addresses of a program take no bytes in its file: variables that
// are zero at first. Nm takes some of them for data.
func empty(binary string) (func(address uint64) bool, error) {
	file, err := elf.Open(binary)
	if err != nil {
		return nil, fmt.Errorf("read sections: %w", err)
	}
	defer file.Close()
	return func(address uint64) bool {
		return slices.ContainsFunc(file.Sections, func(s *elf.Section) bool {
			return s.Type == elf.SHT_NOBITS && s.Addr <= address && address < s.Addr+s.Size
		})
	}, nil
}

// packageOf is the package of a symbol, as far as its name tells.
func packageOf(symbol string) string {
	for _, prefix := range []string{"type:.eq.", "type:.hash.", "type:", "go:itab."} {
		symbol = strings.TrimPrefix(symbol, prefix)
	}
	symbol = strings.TrimLeft(symbol, "*")
	if i := strings.IndexAny(symbol, "([{,; "); i >= 0 {
		symbol = symbol[:i]
	}
	folder := strings.LastIndex(symbol, "/") + 1
	name, _, _ := strings.Cut(symbol[folder:], ".")
	return symbol[:folder] + strings.ReplaceAll(name, "%2e", ".")
}

// starts is how often the program is started; the median counts.
const starts = 15

// start finds what each module does before main, and how long a start takes.
func (m *measured) start() error {
	took := map[string][]time.Duration{}
	var whole []time.Duration
	for range starts {
		cmd := exec.Command(m.binary, "--version")
		cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
		var traced bytes.Buffer
		cmd.Stderr = &traced
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("start: %w", err)
		}
		sums, err := initTimes(&traced, m.of)
		if err != nil {
			return err
		}
		for of, sum := range sums {
			took[of] = append(took[of], sum)
		}
		began := time.Now()
		if err := exec.Command(m.binary, "--version").Run(); err != nil {
			return fmt.Errorf("start: %w", err)
		}
		whole = append(whole, time.Since(began))
	}
	for of, each := range took {
		m.module(of).start = median(each)
	}
	m.starts = median(whole)
	return nil
}

// initTimes reads a trace of initialisation: init PACKAGE @… ms, 1.2 ms clock, …
func initTimes(trace io.Reader, of map[string]string) (map[string]time.Duration, error) {
	sums := map[string]time.Duration{}
	scanner := bufio.NewScanner(trace)
	for scanner.Scan() {
		fields := strings.Fields(scanner.Text())
		if len(fields) < 6 || fields[0] != "init" {
			continue
		}
		took, err := time.ParseDuration(fields[4] + fields[5])
		if err != nil {
			return nil, errors.New("read trace: " + scanner.Text())
		}
		sums[cmp.Or(of[fields[1]], "std")] += took
	}
	return sums, scanner.Err()
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

// table is the page's table, with the sums above it.
func (m *measured) table() string {
	all := slices.Collect(maps.Values(m.modules))
	shown := map[*module]bool{}
	var compile time.Duration
	packages := 0
	for _, one := range all {
		compile += one.compile
		packages += one.packages
	}
	for _, by := range []func(*module) int64{
		func(one *module) int64 { return int64(one.compile) },
		func(one *module) int64 { return one.bytes },
		func(one *module) int64 { return int64(one.start) },
	} {
		slices.SortFunc(all, func(a, b *module) int { return cmp.Or(cmp.Compare(by(b), by(a)), strings.Compare(a.path, b.path)) })
		for _, one := range all[:min(listed, len(all))] {
			shown[one] = true
		}
	}
	slices.SortFunc(all, func(a, b *module) int {
		return cmp.Or(cmp.Compare(b.compile, a.compile), strings.Compare(a.path, b.path))
	})
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d packages of %d modules; a cold build takes %.0f CPU seconds, %.0f of them for linking; the program has %.1f MB, %.1f stripped, and starts in %.0f ms.\n\n",
		runtime.Version(), packages, len(all)-2, (compile + m.linking).Seconds(), m.linking.Seconds(), megabytes(m.size), megabytes(m.small), milliseconds(m.starts))
	fmt.Fprintln(&b, "| module | packages | compile, CPU s | linked, MB | before main, ms | what for |")
	fmt.Fprintln(&b, "|---|---|---|---|---|---|")
	for _, one := range all {
		if shown[one] && one.path != "github.com/proompteng/nevermigrate" {
			fmt.Fprintf(&b, "| %s | %d | %.1f | %.1f | %.1f | %s |\n",
				one.path, one.packages, one.compile.Seconds(), megabytes(one.bytes), milliseconds(one.start), purposes[one.path])
		}
	}
	return b.String()
}

func megabytes(size int64) float64 { return float64(size) / 1e6 }

func milliseconds(took time.Duration) float64 { return took.Seconds() * 1000 }
