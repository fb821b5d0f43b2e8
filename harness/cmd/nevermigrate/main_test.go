package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"os"
	"regexp"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

var update = flag.Bool("update", false, "write what the commands print into the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"nevermigrate": main})
}

// TestScripts runs the command line: each script holds inputs, commands and all
// that they print.
func TestScripts(t *testing.T) {
	root := stock.Root(t)
	charts := &chartServers{}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("REPO", root)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": status, "validate": validate, "keygen": keygen, "unstamp": unstamp, "serve": charts.serve},
	})
}

// status runs a command and requires its exit status: `status 2 nevermigrate …`.
// Its output is there for the commands that follow, as after exec.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N command...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		var code interface{ ExitCode() int }
		if !asExit(err, &code) {
			ts.Fatalf("%v", err)
		}
		got = fmt.Sprint(code.ExitCode())
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}

func asExit(err error, code *interface{ ExitCode() int }) bool {
	found, ok := err.(interface{ ExitCode() int })
	*code = found
	return ok
}

// validate requires a file to be valid by a JSON Schema: `validate schema file`.
func validate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: validate schema file")
	}
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(ts.ReadFile(args[0]))))
	ts.Check(err)
	compiler := jsonschema.NewCompiler()
	ts.Check(compiler.AddResource("schema.json", schema))
	compiled, err := compiler.Compile("schema.json")
	ts.Check(err)
	var document any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &document))
	ts.Check(compiled.Validate(document))
}

// stamps are what of a report's provenance changes with each change of the policy and
// with each commit.
var stamps = regexp.MustCompile(`(?s)("policy": \{)[^}]*(\},\s*"constraints": )|("commit": ")[0-9a-f]{40}("\s*\},\s*"targets")`)

// unstamp takes stamps out of JSON reports: `unstamp file...`.
func unstamp(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: unstamp file...")
	}
	for _, name := range args {
		text := stamps.ReplaceAllString(ts.ReadFile(name), "${1}${2}${3}${4}")
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}

// keygen makes a pair of keys, NAME.private.pem and NAME.public.pem: `keygen NAME`.
func keygen(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: keygen NAME")
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	ts.Check(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	ts.Check(err)
	for name, block := range map[string]pem.Block{"private": {Type: "PRIVATE KEY", Bytes: private}, "public": {Type: "PUBLIC KEY", Bytes: public}} {
		ts.Check(os.WriteFile(ts.MkAbs(args[0]+"."+name+".pem"), pem.EncodeToMemory(&block), 0o600))
	}
}

// TestRunReportsWriteErrors: a report that cannot be written is no success.
func TestRunReportsWriteErrors(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this system has no /dev/full")
	}
	defer full.Close()
	var stderr bytes.Buffer
	if got := run(context.Background(), []string{"schema", "report"}, nil, full, &stderr); got != 2 {
		t.Errorf("exit status %d, want 2; %s", got, stderr.String())
	}
}
