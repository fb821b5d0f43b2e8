package pages

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/proompteng/nevermigrate/harness/internal/generated"
	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

const (
	upgradingPage  = "docs/upgrading.md"
	upstreamHeader = "| here | module | file | declaration | SHA-256 |"
)

// upstream is a declaration of somebody else that this repository links to or follows.
type upstream struct {
	here, hereName     string // a file of this repository, and what is declared there
	module, file, name string
	digest             string
}

func (u upstream) row() string {
	return fmt.Sprintf("| `%s` `%s` | %s | %s | `%s` | `%s` |\n", u.here, u.hereName, u.module, u.file, u.name, u.digest)
}

func upstreams(t *testing.T) []upstream {
	t.Helper()
	var all []upstream
	for _, cells := range table(t, upgradingPage, upstreamHeader) {
		if len(cells) != 5 {
			t.Fatalf("%q has not five cells", cells)
		}
		here, name, ok := strings.Cut(cells[0], " ")
		if !ok {
			t.Fatalf("%q is no file with what is declared in it", cells[0])
		}
		plain := func(cell string) string { return strings.Trim(cell, "`") }
		all = append(all, upstream{plain(here), plain(name), cells[1], cells[2], plain(cells[3]), plain(cells[4])})
	}
	return all
}

// TestUpstream: each declaration that docs/upgrading.md names is as it was when somebody
// looked at it last. With -update it writes the digests; look at what changed first.
func TestUpstream(t *testing.T) {
	folders := map[string]string{}
	was, is := "", ""
	for _, u := range upstreams(t) {
		if _, err := declaration(filepath.Join(stock.Root(t), u.here), u.hereName); err != nil {
			t.Errorf("%s names what is not here: %v", upgradingPage, err)
		}
		was += u.row()
		if folders[u.module] == "" {
			folders[u.module] = moduleFolder(t, u.module)
		}
		text, err := declaration(filepath.Join(folders[u.module], filepath.FromSlash(u.file)), u.name)
		if err != nil {
			t.Errorf("%s is not where %s says; find where it went: %v", u.name, upgradingPage, err)
			continue
		}
		u.digest = fmt.Sprintf("%x", sha256.Sum256(text))
		is += u.row()
	}
	if t.Failed() {
		return
	}
	if *update {
		generated.Whole(t, *update, upgradingPage, strings.Replace(read(t, upgradingPage), was, is, 1))
		return
	}
	if diff := cmp.Diff(was, is); diff != "" {
		t.Errorf("what %s names has another text now: look what changed, follow it here, then run `go test ./harness/internal/pages -run TestUpstream -update` (-looked at +in the module):\n%s", upgradingPage, diff)
	}
}

// TestLinkedNamesAreListed: each go:linkname of the repository stands in the table.
func TestLinkedNamesAreListed(t *testing.T) {
	listed := map[string]bool{}
	for _, u := range upstreams(t) {
		listed[u.here+" "+u.hereName] = true
	}
	found := 0
	root := stock.Root(t)
	err := filepath.WalkDir(filepath.Join(root, "harness"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		here, _ := filepath.Rel(root, path)
		for line := range bytes.Lines(text) {
			if directive, ok := bytes.CutPrefix(line, []byte("//go:linkname ")); ok {
				found++
				if name := string(bytes.Fields(directive)[0]); !listed[filepath.ToSlash(here)+" "+name] {
					t.Errorf("%s links %s by name, and %s does not list it", here, name, upgradingPage)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found == 0 {
		t.Error("nothing is linked by name: leave this test out")
	}
}

// moduleFolder is the folder in Go's module cache of a module that this one requires.
func moduleFolder(t *testing.T, module string) string {
	t.Helper()
	command := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module)
	command.Dir = stock.Root(t)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	folder := strings.TrimSpace(string(out))
	if err != nil || folder == "" {
		t.Fatalf("find module %s: %v: %s", module, err, stderr.String())
	}
	return folder
}

// declaration is the source text of a function, method (Type.Name), type or variable of
// a file, without the comment above it.
func declaration(file, name string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read source: %w", err)
	}
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, file, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("read source: %w", err)
	}
	cut := func(node ast.Node) []byte {
		return text[files.Position(node.Pos()).Offset:files.Position(node.End()).Offset]
	}
	for _, decl := range parsed.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			if functionName(decl) == name {
				return cut(decl), nil
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				if declares(spec, name) {
					return cut(spec), nil
				}
			}
		}
	}
	return nil, fmt.Errorf("%s declares no %s", file, name)
}

func functionName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	of := f.Recv.List[0].Type
	if pointer, ok := of.(*ast.StarExpr); ok {
		of = pointer.X
	}
	if name, ok := of.(*ast.Ident); ok {
		return name.Name + "." + f.Name.Name
	}
	return ""
}

func declares(spec ast.Spec, name string) bool {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		return spec.Name.Name == name
	case *ast.ValueSpec:
		for _, n := range spec.Names {
			if n.Name == name {
				return true
			}
		}
	}
	return false
}

func TestDeclaration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.go")
	source := "package a\n\n// f is not part.\nfunc f() {\n\t// in it\n}\n\nfunc (x *T) f() int { return 1 }\n\nvar (\n\ta = 1\n\tb = map[int]int{}\n)\n\ntype T struct{ a int }\n"
	if err := os.WriteFile(file, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"f": "func f() {\n\t// in it\n}", "T.f": "func (x *T) f() int { return 1 }", "b": "b = map[int]int{}", "T": "T struct{ a int }",
	} {
		if got, err := declaration(file, name); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, want)
		}
	}
	if _, err := declaration(file, "g"); err == nil || err.Error() != file+" declares no g" {
		t.Errorf("error %v", err)
	}
}
