package main

import (
	"bytes"
	"os"
	"testing"
	"time"
)

func TestProgressIsForTerminals(t *testing.T) {
	if show, _ := progress(&bytes.Buffer{}, time.Now); show != nil {
		t.Error("progress is shown where there is no terminal")
	}
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("this system has no /dev/ptmx to make a terminal")
	}
	defer terminal.Close()
	t.Setenv("TERM", "dumb")
	if show, _ := progress(terminal, time.Now); show != nil {
		t.Error("progress is shown on a dumb terminal")
	}
	t.Setenv("TERM", "xterm")
	if show, wipe := progress(terminal, time.Now); show == nil || wipe == nil {
		t.Error("no progress is shown on a terminal")
	}
}
