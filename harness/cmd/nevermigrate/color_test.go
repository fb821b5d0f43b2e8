package main

import (
	"bytes"
	"os"
	"testing"
)

func TestColored(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("this system has no /dev/ptmx to make a terminal")
	}
	defer terminal.Close()
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	if !colored(terminal, false) {
		t.Error("no colours on a terminal")
	}
	if colored(terminal, true) {
		t.Error("colours in spite of --no-color")
	}
	if colored(file, false) || colored(&bytes.Buffer{}, false) {
		t.Error("colours in a file")
	}
	t.Setenv("TERM", "dumb")
	if colored(terminal, false) {
		t.Error("colours on a dumb terminal")
	}
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	if colored(terminal, false) {
		t.Error("colours in spite of NO_COLOR")
	}
}
