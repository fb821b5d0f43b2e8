package main

import (
	"debug/elf"
	"testing"
)

func TestIsStatic(t *testing.T) {
	file, err := elf.Open(guard)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	for _, header := range file.Progs {
		if header.Type == elf.PT_INTERP || header.Type == elf.PT_DYNAMIC {
			t.Errorf("the binary has a %s: it is linked to libraries of the system", header.Type)
		}
	}
}
