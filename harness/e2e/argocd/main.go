// Command argocd answers what Argo CD makes of ApplicationSets and, as `argocd
// sources`, of the sources of Applications, by Argo CD's own code. It reads questions
// from standard input, a JSON object a line, and writes an answer for each to
// standard output. For sources it runs the kustomize and helm on the PATH.
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
	answer := answerAll
	if len(os.Args) > 1 && os.Args[1] == "sources" {
		answer = answerSources
	}
	if err := answer(os.Stdin, os.Stdout); err != nil {
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
	return eachLine(in, out, func(question question) (answer, error) {
		checkout, err := checkouts.of(question.Files)
		if err != nil {
			return answer{}, err
		}
		checkout.newFileGlobbing = question.NewFileGlobbing
		return answerTo(question, checkout), nil
	})
}

func answerSources(in io.Reader, out io.Writer) error {
	return eachLine(in, out, func(question sourceQuestion) (sourceAnswer, error) {
		return manifestsAnswer(question), nil
	})
}

// eachLine answers the question of each line.
func eachLine[Q, A any](in io.Reader, out io.Writer, answer func(Q) (A, error)) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		var question Q
		if err := json.Unmarshal(lines.Bytes(), &question); err != nil {
			return fmt.Errorf("read a question: %w", err)
		}
		answered, err := answer(question)
		if err != nil {
			return err
		}
		if err := encoder.Encode(answered); err != nil {
			return err
		}
	}
	return lines.Err()
}
