package gatekeeper

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"

	"github.com/proompteng/nevermigrate/policy"
)

// name is that of the ConstraintTemplate.
const name = "controllersnevermigrate"

//go:embed artifacthub.yaml.tmpl
var packageText string

// What a page of Artifact Hub says of the policy, and how to install it.
const (
	readme = `# Controllers never migrate

Each container of a controllers workload declares the migrations variable exactly once, as a literal string that resolves to skip. Otherwise the request is refused, with the place and what to write there.

Parameters: the variable, the values that mean skip, which workloads are controllers, and which images hold the service or do not. The rules: https://github.com/proompteng/nevermigrate/blob/main/docs/contract.md
`
	install = "### Usage\n\n```shell\n" +
		"kubectl apply -f https://raw.githubusercontent.com/proompteng/nevermigrate/main/policy/gatekeeper/template.yaml\n" +
		"kubectl apply -f https://raw.githubusercontent.com/proompteng/nevermigrate/main/policy/gatekeeper/samples/controllers-never-migrate/constraint.yaml\n" +
		"```\n\nThe samples are for gator: `gator verify policy/gatekeeper/...`\n"
)

// Package is artifacthub-pkg.yml: what Artifact Hub lists, with the version of the
// rules and the digest of the template, as Gatekeeper's own library has it. It fails
// only when the policy in this binary is broken.
func Package(ctx context.Context) ([]byte, error) {
	template, err := Template(ctx)
	if err != nil {
		return nil, err
	}
	about, err := aboutPolicy()
	if err != nil {
		return nil, fmt.Errorf("write package: %w", err)
	}
	digest := sha256.Sum256(template)
	text, err := writeYAML(packageText, 0, map[string]any{
		"Version": policy.Version, "Name": name, "About": about, "Digest": hex.EncodeToString(digest[:]), "Readme": readme, "Install": install,
	})
	if err != nil {
		return nil, fmt.Errorf("write package: %w", err)
	}
	return text, nil
}
