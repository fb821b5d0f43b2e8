// Command reference writes what a release holds besides its programs, made of the
// programs themselves:
//
//	go run ./harness/internal/reference man FOLDER          the man pages of both
//	go run ./harness/internal/reference completions FOLDER  the scripts of four shells
//
// It runs at the top of the repository, and builds as a release does, so that the
// build cache serves both.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/proompteng/nevermigrate/harness/internal/manual"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(2)
	}
}

// completions are the files by the names under which shells look for them.
var completions = map[string]string{"bash": "nevermigrate.bash", "zsh": "_nevermigrate", "fish": "nevermigrate.fish", "powershell": "nevermigrate.ps1"}

func run(args []string) error {
	if len(args) != 2 || args[0] != "man" && args[0] != "completions" {
		return errors.New("usage: reference man FOLDER, or reference completions FOLDER")
	}
	work, err := os.MkdirTemp("", "nevermigrate-reference-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	folder := args[1]
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	program, err := build(work, "nevermigrate")
	if err != nil {
		return err
	}
	if args[0] == "completions" {
		for shell, name := range completions {
			if err := print(filepath.Join(folder, name), program, "completion", shell); err != nil {
				return err
			}
		}
		return nil
	}
	if _, err := output(program, "man", folder); err != nil {
		return err
	}
	guard, err := build(work, "migrations-guard")
	if err != nil {
		return err
	}
	help, err := output(guard, "--help")
	if err != nil {
		return err
	}
	page, err := manual.ManOfHelp(string(help))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "migrations-guard.1"), page, 0o644)
}

// build builds a command of this repository, and returns where it is.
func build(work, name string) (string, error) {
	program := filepath.Join(work, name)
	_, err := output("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "./harness/cmd/"+name)
	return program, err
}

// print writes what a command prints into a file.
func print(file, name string, args ...string) error {
	text, err := output(name, args...)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644)
}

func output(name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cmd, err)
	}
	return text, nil
}
