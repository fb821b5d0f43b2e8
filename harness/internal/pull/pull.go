// Package pull downloads charts from Helm repositories, and from registries through Helm's
// own SDK, with the credentials that Helm finds. It is the one package that uses the
// network, and the command vendor the one that uses it.
package pull

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"helm.sh/helm/v4/pkg/helmpath"
	"helm.sh/helm/v4/pkg/registry"

	"github.com/proompteng/nevermigrate/harness/internal/chartcache"
	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// Bounds of what is downloaded.
const (
	DefaultTimeout = 2 * time.Minute
	maxIndexBytes  = 256 << 20
	// overhead is what a connection carries besides a body: headers, and TLS.
	overhead = 1 << 20
)

// Client downloads charts. It is safe for concurrent use.
type Client struct {
	// repositories and registries are Helm's files with credentials.
	repositories, registries string

	plainHTTP bool
	timeout   time.Duration
	// maxIndex and maxChart bound what is downloaded, in bytes.
	maxIndex, maxChart int64

	mu      sync.Mutex
	indexes map[string]func() (*index, error) // by the URLs of repositories
}

// index is what a repository holds.
type index struct {
	*indexFile
	entry *entry
}

// NewClient is a client with the files that Helm takes from the environment, as New of
// helm.sh/helm/v4/pkg/cli does, which also links a client of a cluster. A zero timeout is the default one. Registries are asked without TLS when plainHTTP says so.
func NewClient(timeout time.Duration, plainHTTP bool) *Client {
	return &Client{
		repositories: cmp.Or(os.Getenv("HELM_REPOSITORY_CONFIG"), helmpath.ConfigPath("repositories.yaml")),
		registries:   cmp.Or(os.Getenv("HELM_REGISTRY_CONFIG"), helmpath.ConfigPath("registry/config.json")),
		plainHTTP:    plainHTTP, timeout: cmp.Or(timeout, DefaultTimeout), maxIndex: maxIndexBytes, maxChart: chartcache.MaxBytes,
		indexes: map[string]func() (*index, error){},
	}
}

// Pull downloads the archive of a chart. The version is exact.
func (c *Client) Pull(ctx context.Context, ref render.ChartRef) ([]byte, error) {
	data, err := c.pull(ctx, ref)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("download %s: %w", ref, err)
	}
	if int64(len(data)) > c.maxChart {
		return nil, fmt.Errorf("download %s: it has %d bytes, more than the limit of %d", ref, len(data), c.maxChart)
	}
	return data, nil
}

func (c *Client) pull(ctx context.Context, ref render.ChartRef) ([]byte, error) {
	if registry.IsOCI(ref.Repo) {
		return c.pullImage(ctx, ref.Repo+"/"+ref.Name+":"+ref.Version)
	}
	c.mu.Lock()
	open, ok := c.indexes[ref.Repo]
	if !ok {
		open = sync.OnceValues(func() (*index, error) { return c.index(ctx, ref.Repo) })
		c.indexes[ref.Repo] = open
	}
	c.mu.Unlock()
	in, err := open()
	if err != nil {
		return nil, err
	}
	from, err := in.find(ref)
	if err != nil {
		return nil, err
	}
	if registry.IsOCI(from) {
		return c.pullImage(ctx, from)
	}
	return c.get(ctx, in.entry, from, "application/gzip,application/octet-stream", c.maxChart)
}

// find is the URL of a chart. Helm takes the closest version when there is none that is
// exact; here it must be that.
func (i *index) find(ref render.ChartRef) (string, error) {
	plain := func(version string) string { return strings.TrimPrefix(version, "v") }
	versions := i.Entries[ref.Name]
	if len(versions) == 0 {
		return "", fmt.Errorf("the repository has no chart of that name")
	}
	var same *chartVersion
	for _, v := range versions {
		if v.Version == ref.Version {
			same = v
			break
		}
		if same == nil && plain(v.Version) == plain(ref.Version) {
			same = v
		}
	}
	if same == nil {
		return "", fmt.Errorf("the repository does not have that version; its latest is %s", versions[0].Version)
	}
	if len(same.URLs) == 0 {
		return "", errors.New("the repository does not say where the chart is")
	}
	return resolve(ref.Repo, same.URLs[0])
}

// index downloads the index of a repository.
func (c *Client) index(ctx context.Context, repoURL string) (*index, error) {
	known, err := entryOf(c.repositories, repoURL)
	if err != nil {
		return nil, err
	}
	from, err := resolve(repoURL, "index.yaml")
	if err != nil {
		return nil, err
	}
	text, err := c.get(ctx, known, from, "", c.maxIndex)
	if err != nil {
		return nil, fmt.Errorf("read the index of the repository: %w", err)
	}
	read, err := readIndex(text)
	if err != nil {
		return nil, fmt.Errorf("read the index of the repository: %s: %w", from, err)
	}
	return &index{read, known}, nil
}

// tlsOf is the part of a repository's entry that is about TLS: NewTLSConfig of Helm's
// internal/tlsutil.
func tlsOf(entry *entry) (*tls.Config, error) {
	config := &tls.Config{InsecureSkipVerify: entry.InsecureSkipTLSVerify}
	if entry.CertFile != "" && entry.KeyFile != "" {
		pair, err := tls.LoadX509KeyPair(entry.CertFile, entry.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("read the certificate of Helm's repository %s: %w", entry.Name, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if entry.CAFile != "" {
		text, err := os.ReadFile(entry.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read the authority of Helm's repository %s: %w", entry.Name, err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("read the authority of Helm's repository %s: %s has no certificate", entry.Name, entry.CAFile)
		}
	}
	return config, nil
}

// pullImage downloads a chart from a registry.
func (c *Client) pullImage(ctx context.Context, image string) ([]byte, error) {
	transport := registry.NewTransport(false) // it tries again what may work then
	transport.Base = c.transport(ctx, c.maxChart)
	options := []registry.ClientOption{
		registry.ClientOptCredentialsFile(c.registries),
		registry.ClientOptHTTPClient(&http.Client{Transport: transport, Timeout: c.timeout}),
	}
	if c.plainHTTP {
		options = append(options, registry.ClientOptPlainHTTP())
	}
	client, err := registry.NewClient(options...)
	if err != nil {
		return nil, err
	}
	result, err := client.Pull(strings.TrimPrefix(image, registry.OCIScheme+"://"))
	if err != nil {
		return nil, err
	}
	return bytes.Clone(result.Chart.Data), nil
}

// transport makes a connection for each request, which ends with the context and at a
// limit of bytes: Helm reads a whole body into memory.
func (c *Client) transport(ctx context.Context, limit int64) *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DisableCompression: true, DisableKeepAlives: true,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: c.timeout,
		DialContext: func(own context.Context, network, address string) (net.Conn, error) {
			own, stop := context.WithCancel(own)
			defer stop()
			defer context.AfterFunc(ctx, stop)()
			conn, err := dialer.DialContext(own, network, address)
			if err != nil {
				return nil, err
			}
			l := &limitedConn{Conn: conn, left: limit + limit/16 + overhead, limit: limit}
			l.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
			return l, nil
		},
	}
}

// limitedConn gives so many bytes and no more.
type limitedConn struct {
	net.Conn
	left, limit int64
	stop        func() bool
}

// Read implements net.Conn.
func (c *limitedConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, fmt.Errorf("it is larger than the limit of %d bytes", c.limit)
	}
	n, err := c.Conn.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

// Close implements net.Conn.
func (c *limitedConn) Close() error {
	c.stop()
	return c.Conn.Close()
}
