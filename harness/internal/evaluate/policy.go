package evaluate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing/fstest"

	conftest "github.com/open-policy-agent/conftest/policy"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage"

	"github.com/proompteng/nevermigrate/harness/internal/bundle"
	"github.com/proompteng/nevermigrate/harness/internal/constraint"
	"github.com/proompteng/nevermigrate/harness/report"
	"github.com/proompteng/nevermigrate/policy"
)

// Policy is the rules to judge by.
type Policy struct {
	name    string // for messages
	builtin bool
	// rules are the Rego files, and dir the folder they are in; empty when they
	// are in none.
	rules fs.FS
	dir   string
	// file is the folder or the bundle; empty for the rules in this program.
	file string
	data map[string]any
	// digest is that of a bundle.
	digest string
	// compiled are the rules, compiled when they are asked for first.
	compiled func() (*compiled, error)
}

// builtin is the policy in this binary, which is compiled at most once.
var builtin = sync.OnceValue(func() *Policy {
	return (&Policy{name: "the built-in policy", builtin: true, rules: policy.FS}).compiledOnce()
})

func (p *Policy) compiledOnce() *Policy {
	p.compiled = sync.OnceValues(p.compile)
	return p
}

// LoadPolicy finds the policy at a path: a folder, or an OPA bundle, either of
// which must be signed as verification says. An empty path is the policy in this
// binary. It is an error when there is nothing at the path, when a key is given for
// what is not signed, when none is given for what is, and when the bundle cannot be
// used; whether the rules compile is for New to say.
func LoadPolicy(path string, verification bundle.Verification) (*Policy, error) {
	if path == "" {
		if verification.KeyFile != "" {
			return nil, fmt.Errorf("verify the built-in policy with %s: it is part of this program and not signed: name a bundle, or leave out the key", verification.KeyFile)
		}
		return builtin(), nil
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("load policy %s: no such folder or bundle", path)
	case err != nil:
		return nil, fmt.Errorf("load policy: %w", err)
	case !info.IsDir():
		return loadBundle(path, verification)
	}
	return loadFolder(path, verification)
}

// loadFolder takes a folder as it is, or what in it is signed.
func loadFolder(path string, verification bundle.Verification) (*Policy, error) {
	signed, err := bundle.IsSigned(os.DirFS(path))
	if err != nil {
		return nil, fmt.Errorf("load policy %s: %w", path, err)
	}
	if !signed && verification.KeyFile == "" {
		return (&Policy{name: "policy " + path, rules: os.DirFS(path), dir: path, file: path}).compiledOnce(), nil
	}
	contents, err := bundle.LoadFolder(path, verification)
	if err != nil {
		return nil, err
	}
	if len(contents.Data) > 0 {
		return nil, fmt.Errorf("load policy %s: it has data, which is read from a bundle only: name the bundle, or leave the data out", path)
	}
	// What was verified is judged by, whatever the folder becomes.
	return (&Policy{name: "policy " + path, rules: modules(contents), file: path}).compiledOnce(), nil
}

// modules are the Rego files of a bundle.
func modules(contents *bundle.Contents) fs.FS {
	rules := fstest.MapFS{}
	for name, text := range contents.Modules {
		rules[name] = &fstest.MapFile{Data: text, Mode: 0o600}
	}
	return rules
}

// constraintKeys are the keys by which a constraint lies at the root of the
// data, in its place or misplaced.
var constraintKeys = []string{"apiVersion", "enforcementAction", "kind", "match", "metadata", "parameters", "spec", "status"}

func loadBundle(path string, verification bundle.Verification) (*Policy, error) {
	contents, err := bundle.Load(path, verification)
	if err != nil {
		return nil, err
	}
	for _, key := range constraintKeys {
		if _, ok := contents.Data[key]; ok {
			return nil, fmt.Errorf("load bundle %s: its data has %s at the root, where the rules look for the constraint: "+
				"leave the constraint out of the bundle and give it with --constraint", path, key)
		}
	}
	return (&Policy{name: "bundle " + path, rules: modules(contents), data: contents.Data, file: path, digest: contents.SHA256}).compiledOnce(), nil
}

// Rules are the Rego files of the policy.
func (p *Policy) Rules() fs.FS { return p.rules }

// Source says where the policy comes from. Its error is that a rule cannot be read.
func (p *Policy) Source() (report.PolicySource, error) {
	source := report.PolicySource{File: filepath.ToSlash(p.file), SHA256: p.digest}
	if p.builtin {
		source.Version = policy.Version
	}
	if source.SHA256 != "" {
		return source, nil
	}
	var lines bytes.Buffer
	err := fs.WalkDir(p.rules, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(name) != ".rego" {
			return err
		}
		text, err := fs.ReadFile(p.rules, name)
		fmt.Fprintf(&lines, "%s  %s\n", report.Digest(text), name)
		return err
	})
	if err != nil {
		return report.PolicySource{}, fmt.Errorf("read %s: %w", p.name, err)
	}
	source.SHA256 = report.Digest(lines.Bytes())
	return source, nil
}

// compiled are the rules of a policy, compiled by conftest's engine. They are safe for
// concurrent use.
type compiled struct {
	engine *conftest.Engine
	// folder is where they were loaded from, which may be gone.
	folder string
	// constants are the rules whose value the input does not change.
	constants func() *constants
}

// compile compiles the rules. It is an error when there are none, when they do not
// compile, and when they are not a controllers-never-migrate policy.
func (p *Policy) compile() (*compiled, error) {
	folder := p.dir
	if folder == "" {
		// Conftest loads from files only.
		work, err := os.MkdirTemp("", "nevermigrate-policy-")
		if err != nil {
			return nil, fmt.Errorf("make folder for the policy: %w", err)
		}
		defer os.RemoveAll(work)
		from := p.rules
		if p.builtin {
			from = withoutComments{from}
		}
		folder = filepath.Join(work, "policy")
		if err := os.CopyFS(folder, from); err != nil {
			return nil, fmt.Errorf("unpack %s: %w", p.name, err)
		}
	}
	engine, err := conftest.Load([]string{folder}, conftest.CompilerOptions{
		RegoVersion:  "v1",
		Capabilities: capabilities(),
	})
	if err == nil && !slices.Contains(engine.Namespaces(), namespace) {
		err = fmt.Errorf("it has no package %s", namespace)
	}
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", p.name, p.shown(err, folder))
	}
	return &compiled{
		engine:    engine,
		folder:    folder,
		constants: sync.OnceValue(func() *constants { return constantsOf(engine.Compiler(), p.rules) }),
	}, nil
}

// forbiddenBuiltins reach out of the process or tell its environment.
var forbiddenBuiltins = []string{"http.send", "net.lookup_ip_addr", "opa.runtime"}

func capabilities() *ast.Capabilities {
	all := ast.CapabilitiesForThisVersion()
	all.Builtins = slices.DeleteFunc(all.Builtins, func(b *ast.Builtin) bool {
		return slices.Contains(forbiddenBuiltins, b.Name)
	})
	all.AllowNet = []string{}
	return all
}

// dataWith is the data of the policy with a constraint, as conftest loads it: from
// files only.
func (p *Policy) dataWith(c *constraint.Constraint) (storage.Store, error) {
	work, err := os.MkdirTemp("", "nevermigrate-data-")
	if err != nil {
		return nil, fmt.Errorf("make folder for the policy's data: %w", err)
	}
	defer os.RemoveAll(work)
	var files []string
	add := func(name string, content map[string]any) error {
		text, err := json.Marshal(content)
		if err != nil {
			return err
		}
		file := filepath.Join(work, name)
		files = append(files, file)
		return os.WriteFile(file, text, 0o600)
	}
	if len(p.data) > 0 {
		if err := add("data.json", p.data); err != nil {
			return nil, fmt.Errorf("unpack %s: %w", p.name, err)
		}
	}
	if c != nil {
		if err := add("constraint.json", c.Content); err != nil {
			return nil, fmt.Errorf("load constraint %s: %w", c.File, err)
		}
	}
	engine, err := conftest.LoadWithData(nil, files, conftest.CompilerOptions{})
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", p.name, p.shown(err, work))
	}
	return engine.Store(), nil
}

// withoutComments are the rules of this program without the comments, a third of the
// text: conftest reads each as annotations, which no rule asks for. Empty lines take
// their place, so that what is left stays where it is.
type withoutComments struct{ fs.FS }

// Open implements fs.FS.
func (w withoutComments) Open(name string) (fs.File, error) {
	if filepath.Ext(name) != ".rego" {
		return w.FS.Open(name)
	}
	text, err := fs.ReadFile(w.FS, name)
	if err != nil {
		return nil, err
	}
	var code []byte
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(bytes.TrimSpace(line), []byte("#")) {
			line = []byte("\n")
		}
		code = append(code, line...)
	}
	return fstest.MapFS{name: &fstest.MapFile{Data: code, Mode: 0o600}}.Open(name)
}

// shown is an error of conftest with the places as the user knows them: not in
// the temporary folder.
func (p *Policy) shown(err error, rules string) error {
	message := err.Error()
	if p.dir == "" {
		// Some of them are without the first slash.
		folder := filepath.ToSlash(rules) + "/"
		message = strings.NewReplacer(folder, "", strings.TrimPrefix(folder, "/"), "").Replace(message)
	}
	// Conftest's words before the loader's or compiler's own say nothing.
	for _, prefix := range []string{"load: ", "get compiler: "} {
		message = strings.TrimPrefix(message, prefix)
	}
	return errors.New(message)
}
