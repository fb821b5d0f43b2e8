package pull

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	"helm.sh/helm/v4/pkg/chart/common"
	chartv2 "helm.sh/helm/v4/pkg/chart/v2"
	"sigs.k8s.io/yaml"
)

// What is in this file follows helm.sh/helm/v4/pkg/repo/v1 and pkg/getter, by the same
// file formats and with the same words in errors. Those also link what runs plugins, a
// machine for WebAssembly, signatures and a client of a cluster: 80 packages.

// entry is what Helm's repositories.yaml says of a repository.
type entry struct {
	Name                  string `json:"name"`
	URL                   string `json:"url"`
	Username              string `json:"username"`
	Password              string `json:"password"`
	CertFile              string `json:"certFile"`
	KeyFile               string `json:"keyFile"`
	CAFile                string `json:"caFile"`
	InsecureSkipTLSVerify bool   `json:"insecure_skip_tls_verify"`
	PassCredentialsAll    bool   `json:"pass_credentials_all"`
}

// entryOf is what the file repositories.yaml says of a repository, with its
// credentials, or the URL alone.
func entryOf(file, repoURL string) (*entry, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return &entry{URL: repoURL}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read Helm's repositories: %w", err)
	}
	var known struct {
		Repositories []*entry `json:"repositories"`
	}
	if err := yaml.Unmarshal(text, &known); err != nil {
		return nil, fmt.Errorf("read Helm's repositories: %s: %w", file, err)
	}
	for _, e := range known.Repositories {
		if e != nil && strings.TrimRight(e.URL, "/") == repoURL {
			return e, nil
		}
	}
	return &entry{URL: repoURL}, nil
}

// indexFile is the index of a repository. It is read strictly when it is YAML, so the
// fields that nobody asks for are here too.
type indexFile struct {
	ServerInfo  map[string]any             `json:"serverInfo,omitempty"`
	APIVersion  string                     `json:"apiVersion"`
	Generated   time.Time                  `json:"generated"`
	Entries     map[string][]*chartVersion `json:"entries"`
	PublicKeys  []string                   `json:"publicKeys,omitempty"`
	Annotations map[string]string          `json:"annotations,omitempty"`
}

type chartVersion struct {
	*chartv2.Metadata
	URLs          []string  `json:"urls"`
	Created       time.Time `json:"created"`
	Removed       bool      `json:"removed,omitempty"`
	Digest        string    `json:"digest,omitempty"`
	Checksum      string    `json:"checksum,omitempty"`
	Engine        string    `json:"engine,omitempty"`
	TillerVersion string    `json:"tillerVersion,omitempty"`
	URL           string    `json:"url,omitempty"`
}

// readIndex reads an index. Entries that no chart can be made of are left out; the
// versions of a chart are in order, the latest first.
func readIndex(text []byte) (*indexFile, error) {
	if len(text) == 0 {
		return nil, errors.New("empty index.yaml file")
	}
	read := &indexFile{}
	unmarshal := func() error { return yaml.UnmarshalStrict(text, read) }
	if json.Valid(text) {
		unmarshal = func() error { return json.Unmarshal(text, read) }
	}
	if err := unmarshal(); err != nil {
		return nil, err
	}
	for name, versions := range read.Entries {
		versions = slices.DeleteFunc(versions, func(v *chartVersion) bool { return v == nil || !v.usable() })
		slices.SortStableFunc(versions, func(a, b *chartVersion) int { return compareVersions(b.Version, a.Version) })
		read.Entries[name] = versions
	}
	if read.APIVersion == "" {
		return nil, errors.New("no API version specified")
	}
	return read, nil
}

// usable reports whether Helm takes an entry.
func (v *chartVersion) usable() bool {
	if v.Metadata == nil {
		v.Metadata = &chartv2.Metadata{}
	}
	v.APIVersion = cmp.Or(v.APIVersion, chartv2.APIVersionV1)
	err := v.Validate()
	var invalid chartv2.ValidationError
	// Some repositories leave out the aliases of dependencies.
	return err == nil || errors.As(err, &invalid) && strings.HasPrefix(invalid.Error(), "validation: more than one dependency with name or alias")
}

// compareVersions orders versions; what is none comes before all that are.
func compareVersions(a, b string) int {
	first, errFirst := semver.NewVersion(a)
	second, errSecond := semver.NewVersion(b)
	switch {
	case errFirst == nil && errSecond == nil:
		return first.Compare(second)
	case errFirst == nil:
		return 1
	case errSecond == nil:
		return -1
	default:
		return 0
	}
}

// resolve is a URL that may be relative to that of a repository.
func resolve(repoURL, reference string) (string, error) {
	to, err := url.Parse(reference)
	if err != nil {
		return "", fmt.Errorf("failed to parse %s as URL: %w", reference, err)
	}
	if to.IsAbs() {
		return reference, nil
	}
	base, err := url.Parse(repoURL)
	if err != nil {
		return "", fmt.Errorf("failed to parse %s as URL: %w", repoURL, err)
	}
	base.RawPath = strings.TrimSuffix(base.RawPath, "/") + "/"
	base.Path = strings.TrimSuffix(base.Path, "/") + "/"
	resolved := base.ResolveReference(to)
	resolved.RawQuery = base.RawQuery
	return resolved.String(), nil
}

// get downloads a file of a repository, with the repository's credentials, which go to
// its host only, unless repositories.yaml says otherwise.
func (c *Client) get(ctx context.Context, e *entry, from, accept string, limit int64) ([]byte, error) {
	transport := c.transport(ctx, limit)
	var err error
	if transport.TLSClientConfig, err = tlsOf(e); err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, http.NoBody)
	if err != nil {
		return nil, err
	}
	if accept != "" {
		request.Header.Set("Accept", accept)
	}
	request.Header.Set("User-Agent", "Helm/"+strings.TrimPrefix(common.DefaultCapabilities.HelmVersion.Version, "v"))
	home, err := url.Parse(e.URL)
	if err != nil {
		return nil, fmt.Errorf("failed to parse %s as URL: %w", e.URL, err)
	}
	mayKnow := e.PassCredentialsAll || home.Scheme == request.URL.Scheme && home.Host == request.URL.Host
	if mayKnow && e.Username != "" && e.Password != "" {
		request.SetBasicAuth(e.Username, e.Password)
	}
	response, err := (&http.Client{Transport: transport, Timeout: c.timeout}).Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("failed to fetch %s : %s", from, response.Status)
	}
	var body bytes.Buffer
	_, err = body.ReadFrom(response.Body)
	return body.Bytes(), err
}
