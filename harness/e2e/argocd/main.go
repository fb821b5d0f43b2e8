// Command argocd answers what Argo CD makes of ApplicationSets, by Argo CD's own
// code. It reads questions from standard input, a JSON object a line, and writes
// an answer for each to standard output.
//
// It is what the tests of harness/internal/argocd compare with, by golden files;
// scripts/argocd runs it. It is a module of its own because Argo CD needs another
// Go and other versions of what both use.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"

	log "github.com/sirupsen/logrus"
)

func main() {
	log.SetOutput(io.Discard)
	if err := answerAll(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func answerAll(in io.Reader, out io.Writer) error {
	checkouts, err := newCheckouts()
	if err != nil {
		return err
	}
	defer checkouts.remove()
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		var question question
		if err := json.Unmarshal(lines.Bytes(), &question); err != nil {
			return fmt.Errorf("read a question: %w", err)
		}
		checkout, err := checkouts.of(question.Files)
		if err != nil {
			return err
		}
		checkout.newFileGlobbing = question.NewFileGlobbing
		if err := encoder.Encode(answerTo(question, checkout)); err != nil {
			return err
		}
	}
	return lines.Err()
}
