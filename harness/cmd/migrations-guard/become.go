//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// environment gives the entries of the environment as the process got them,
// from a file that holds them with a NUL behind each. Go's own list leaves out
// the second of two with the same name. Where there is no such file, Go's list
// is what is judged, and what the command gets.
func environment(file string) []string {
	data, err := os.ReadFile(file)
	if err != nil {
		return os.Environ()
	}
	if len(data) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00")
}

// become replaces this process by the command, which is looked up as execvp
// does. It returns only when that fails, with an exit status.
func become(command, environ []string) (int, error) {
	name := strconv.QuoteToASCII(cut(command[0]))
	var denied, incomplete error
	for _, path := range candidates(command[0], environ) {
		err := syscall.Exec(path, command, environ)
		_, missing := os.Stat(path)
		switch {
		case errors.Is(err, syscall.ENOENT) && missing == nil:
			incomplete = fmt.Errorf("%s cannot be started: %s is there, but the interpreter or loader that it names is not", name, printable(cut(path)))
		case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ENOTDIR):
		case errors.Is(err, syscall.EACCES):
			denied = fmt.Errorf("%s cannot be started: %s is not executable for this user", name, printable(cut(path)))
		case errors.Is(err, syscall.ENOEXEC):
			return statusCannotRun, fmt.Errorf("%s cannot be started: %s is no program for this machine and names no interpreter in a #! line", name, printable(cut(path)))
		default:
			return statusCannotRun, fmt.Errorf("%s cannot be started: %s: %w", name, printable(cut(path)), err)
		}
	}
	switch {
	case denied != nil:
		return statusCannotRun, denied
	case incomplete != nil:
		return statusNotFound, incomplete
	case command[0] == "", strings.Contains(command[0], "/"):
		return statusNotFound, fmt.Errorf("%s was not found", name)
	}
	return statusNotFound, fmt.Errorf("%s was not found in PATH", name)
}

// candidates gives the files that a name may stand for: itself when it has a
// slash, else one for each folder of PATH, or of execvp's default.
func candidates(name string, environ []string) []string {
	if name == "" || strings.Contains(name, "/") {
		return []string{name}
	}
	folders := "/bin:/usr/bin"
	if path := valuesOf("PATH", environ); len(path) > 0 {
		folders = path[0]
	}
	var files []string
	for _, folder := range strings.Split(folders, ":") {
		if folder == "" {
			folder = "."
		}
		files = append(files, strings.TrimSuffix(folder, "/")+"/"+name)
	}
	return files
}
