// Package chartserver serves charts on the loopback interface, as a Helm repository and
// as a registry, for tests.
package chartserver

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"
)

// Pack packs files into an archive, by their whole names, the same one each time.
func Pack(files map[string]string) []byte {
	var packed bytes.Buffer
	zipper := gzip.NewWriter(&packed)
	writer := tar.NewWriter(zipper)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		header := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name])), ModTime: time.Unix(0, 0), Typeflag: tar.TypeReg}
		if target, isLink := strings.CutPrefix(files[name], "-> "); isLink {
			header.Typeflag, header.Linkname, header.Size = tar.TypeSymlink, target, 0
		}
		must(writer.WriteHeader(header))
		if header.Typeflag == tar.TypeReg {
			_, err := writer.Write([]byte(files[name]))
			must(err)
		}
	}
	must(writer.Close())
	must(zipper.Close())
	return packed.Bytes()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// Server serves charts below /charts as a Helm repository, and as the repositories
// charts/NAME of a registry.
type Server struct {
	*httptest.Server

	mu       sync.Mutex
	charts   []chart
	user     string
	password string
	cut      bool
	requests []string
}

type chart struct {
	name, version, url string
	archive            []byte
}

// Start starts a server, which is to be closed.
func Start() *Server {
	s := &Server{}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	return s
}

// StartTLS starts a server with TLS, by a certificate that nobody trusts by himself.
func StartTLS() *Server {
	s := &Server{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // who does not trust it, says so
	s.StartTLS()
	return s
}

// Repo is the URL of the repository.
func (s *Server) Repo() string { return s.URL + "/charts" }

// Registry is the URL of the folder of the registry.
func (s *Server) Registry() string {
	return "oci://" + s.URL[strings.Index(s.URL, "//")+2:] + "/charts"
}

// Add adds a chart, in place of one of the same name and version. Its URL in the index is
// relative to the repository, or begins with a base.
func (s *Server) Add(name, version string, archive []byte, base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.charts = slices.DeleteFunc(s.charts, func(c chart) bool { return c.name == name && c.version == version })
	s.charts = append(s.charts, chart{name, version, base + name + "-" + version + ".tgz", archive})
}

// Require lets in only who says a name and a password.
func (s *Server) Require(user, password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.user, s.password = user, password
}

// Cut says whether the server closes the connection in the middle of an archive.
func (s *Server) Cut(cut bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut = cut
}

// Requests are the paths that were asked for, with the name of who asked, since the last
// call.
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := s.requests
	s.requests = nil
	return requests
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	user, password, _ := r.BasicAuth()
	s.requests = append(s.requests, strings.TrimSpace(r.URL.Path+" "+user))
	if s.user != "" && (user != s.user || password != s.password) {
		w.Header().Set("WWW-Authenticate", `Basic realm="charts"`)
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	path := r.URL.Path
	switch {
	case path == "/charts/index.yaml":
		fmt.Fprintf(w, "apiVersion: v1\nentries:\n")
		names := map[string]bool{}
		for _, c := range s.charts {
			names[c.name] = true
		}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			fmt.Fprintf(w, "  %s:\n", name)
			for _, c := range s.charts {
				if c.name == name {
					fmt.Fprintf(w, "  - {apiVersion: v2, name: %s, version: %q, urls: [%q]}\n", c.name, c.version, c.url)
				}
			}
		}
	case path == "/v2/":
	case strings.HasPrefix(path, "/v2/charts/"):
		s.serveImage(w, r, strings.TrimPrefix(path, "/v2/charts/"))
	default:
		for _, c := range s.charts {
			if strings.HasSuffix(path, "/"+c.name+"-"+c.version+".tgz") {
				s.send(w, c.archive)
				return
			}
		}
		http.NotFound(w, r)
	}
}

// send sends an archive, or the half of it.
func (s *Server) send(w http.ResponseWriter, archive []byte) {
	w.Header().Set("Content-Length", fmt.Sprint(len(archive)))
	if !s.cut {
		_, _ = w.Write(archive)
		return
	}
	_, _ = w.Write(archive[:len(archive)/2])
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func digest(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }

// serveImage is what the distribution specification says of pulling.
func (s *Server) serveImage(w http.ResponseWriter, r *http.Request, path string) {
	for _, c := range s.charts {
		config := []byte(fmt.Sprintf(`{"name":%q,"version":%q,"apiVersion":"v2"}`, c.name, c.version))
		descriptor := func(mediaType string, data []byte) map[string]any {
			return map[string]any{"mediaType": mediaType, "digest": digest(data), "size": len(data)}
		}
		manifest, err := json.Marshal(map[string]any{
			"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
			"config": descriptor("application/vnd.cncf.helm.config.v1+json", config),
			"layers": []any{descriptor("application/vnd.cncf.helm.chart.content.v1.tar+gzip", c.archive)},
		})
		must(err)
		switch path {
		case c.name + "/manifests/" + strings.ReplaceAll(c.version, "+", "_"), c.name + "/manifests/" + digest(manifest):
			w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
			w.Header().Set("Docker-Content-Digest", digest(manifest))
			w.Header().Set("Content-Length", fmt.Sprint(len(manifest)))
			if r.Method != http.MethodHead {
				_, _ = w.Write(manifest)
			}
			return
		case c.name + "/blobs/" + digest(config):
			_, _ = w.Write(config)
			return
		case c.name + "/blobs/" + digest(c.archive):
			s.send(w, c.archive)
			return
		}
	}
	http.NotFound(w, r)
}
