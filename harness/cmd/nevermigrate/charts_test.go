package main

import (
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/proompteng/nevermigrate/harness/internal/pull/chartserver"
)

// chartServers are those of the scripts by the values of $CHARTS.
type chartServers struct {
	running sync.Map // string → *chartserver.Server; scripts run at the same time
}

// serve packs each folder NAME-VERSION of a folder into a chart, serves them, and writes
// the URLs into files: `serve folder [file...]`. $CHARTS is the Helm repository and
// $REGISTRY the folder of the registry. With the same folder again it serves what is
// there now. `! serve` stops.
func (s *chartServers) serve(ts *testscript.TestScript, neg bool, args []string) {
	found, _ := s.running.Load(ts.Getenv("CHARTS"))
	server, _ := found.(*chartserver.Server)
	if neg {
		server.Close()
		return
	}
	if server == nil {
		server = chartserver.Start()
		ts.Defer(server.Close)
		ts.Setenv("CHARTS", server.Repo())
		ts.Setenv("REGISTRY", server.Registry())
		ts.Setenv("HOST", strings.TrimPrefix(server.URL, "http://"))
		s.running.Store(server.Repo(), server)
	}
	folders, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*"))
	ts.Check(err)
	for _, folder := range folders {
		name, version, _ := strings.Cut(filepath.Base(folder), "-")
		files := map[string]string{}
		ts.Check(filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				relative, _ := filepath.Rel(folder, path)
				files[name+"/"+filepath.ToSlash(relative)] = ts.ReadFile(path)
			}
			return err
		}))
		server.Add(name, version, chartserver.Pack(files), "")
	}
	for _, file := range args[1:] {
		text := strings.NewReplacer("$CHARTS", ts.Getenv("CHARTS"), "$REGISTRY", ts.Getenv("REGISTRY"), "$HOST", ts.Getenv("HOST")).Replace(ts.ReadFile(file))
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o600))
	}
}
