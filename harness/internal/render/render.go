// Package render turns an app, a kustomization directory, into the manifests
// that Argo CD would apply: kustomize with Helm enabled, charts included.
//
// The output is byte for byte what `kustomize build --enable-helm` prints. What
// differs is what an untrusted app may do on the way: no command is run (unless
// a helm command is asked for), nothing is downloaded, nothing outside of the
// app decides the result, and time and memory are bounded.
package render

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/bounded"
	"github.com/proompteng/nevermigrate/harness/internal/reads"
)

// Defaults of Options.
const (
	DefaultKubeVersion = "1.35.0"
	DefaultTimeout     = 2 * time.Minute
	DefaultMaxBytes    = 64 << 20
	DefaultMaxMemory   = 2 << 30
)

// Options say how to render. The zero value is ready to use.
type Options struct {
	// HelmCommand is a helm to run in place of the embedded one: a path or a
	// name on the PATH. Empty: no command is run.
	HelmCommand string
	// KubeVersion is what charts see as .Capabilities.KubeVersion, unless
	// their kustomization says otherwise. Empty: DefaultKubeVersion.
	KubeVersion string
	// APIVersions are what charts see in .Capabilities.APIVersions besides
	// Helm's own, unless their kustomization says otherwise.
	APIVersions []string
	// Timeout bounds one rendering. Zero: DefaultTimeout.
	Timeout time.Duration
	// MaxBytes bounds each file that is read and what is rendered, in bytes.
	// Zero: DefaultMaxBytes.
	MaxBytes int64
	// MaxMemory bounds the heap of the process while it renders, in bytes.
	// Zero: DefaultMaxMemory.
	MaxMemory uint64
	// Root is the folder that nothing which is read may be outside of, through
	// symbolic links or otherwise. Empty: the git work tree that the app is in;
	// without one, a symbolic link may not lead out of the nearest folder that
	// holds both it and the app.
	Root string
	// Overlay holds, by their real paths, files that are read with another
	// content than theirs. A helm command does not see it, so it is not run.
	Overlay map[string][]byte

	// Charts finds charts that are not in the work tree. Nil: there are none. What it
	// finds may be outside of the root.
	Charts ChartStore

	// Schemas are kept from one rendering to the next. Nil: none are.
	Schemas *Schemas

	// WithoutHelm renders as kustomize does without --enable-helm.
	WithoutHelm bool
	// LoadAnywhere lets a kustomization name files outside of its folder, as
	// kustomize does with --load-restrictor LoadRestrictionsNone. What is outside of
	// the root stays refused.
	LoadAnywhere bool

	// Reads notes what is read. Nil: nothing does. A helm command, which reads by
	// itself, it does not see.
	Reads *reads.Log

	// Opened is told of each chart that is templated, before it is, if it is not nil.
	// A helm command does not tell, so it is not run.
	Opened func(*Chart)

	skipSchemas bool // see Release.SkipSchemaValidation
}

// ErrNothingRendered says that an app has no objects at all, which kustomize
// itself takes for success.
var ErrNothingRendered = errors.New("nothing was rendered: there are no objects; check resources, helmCharts and the values that enable them")

// IsKustomization reports whether a file has one of the names by which kustomize
// finds a kustomization.
func IsKustomization(file string) bool {
	return slices.Contains(konfig.RecognizedKustomizationFileNames(), filepath.Base(file))
}

// IsApp reports whether a directory has a kustomization that can be applied:
// a file with one of kustomize's three names, and not of kind Component.
func IsApp(dir string) bool {
	kind := KindOf(dir)
	return kind != "" && kind != types.ComponentKind
}

// KindOf is the kind of the kustomization in a directory; empty where there is none.
// One of types.ComponentKind is for others to use, and `kustomize build` renders it all
// the same.
func KindOf(dir string) string {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		file := filepath.Join(dir, name)
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var head struct {
			Kind string `json:"kind"`
		}
		// What cannot be read is an app that does not render, not no app.
		if data, err := ReadRegular(file); err == nil {
			_ = yaml.Unmarshal(data, &head)
		}
		return cmp.Or(head.Kind, types.KustomizationKind)
	}
	return ""
}

// App renders the app in a directory and returns a stream of YAML documents.
// Errors are those of kustomize and Helm in their own words, a refusal (see the
// package comment), a limit that was reached, or ErrNothingRendered.
//
// Go code cannot be interrupted from outside: when a limit is reached, App
// returns at once, and a template that never ends goes on until the process
// ends.
func App(ctx context.Context, dir string, options Options) ([]byte, error) {
	return render(ctx, dir, options, func(objects resmap.ResMap) ([]byte, int, error) {
		manifests, err := objects.AsYaml()
		return manifests, len(manifests), err
	})
}

// Objects renders as App does and returns the objects of the stream, each as
// encoding/json would decode it, without the detour through text.
func Objects(ctx context.Context, dir string, options Options) ([]map[string]any, error) {
	return render(ctx, dir, options, func(objects resmap.ResMap) ([]map[string]any, int, error) {
		var decoded []map[string]any
		size := 0
		for _, object := range objects.Resources() {
			content, bytes, err := decodedObject(object)
			if err != nil {
				return nil, 0, err
			}
			decoded, size = append(decoded, content), size+bytes
		}
		return decoded, size, nil
	})
}

// decodedObject returns an object as encoding/json would decode it, and its
// size as JSON. A node may hold what JSON has not, such as a time.
func decodedObject(object *resource.Resource) (content map[string]any, size int, err error) {
	tree, err := object.Map()
	if err != nil {
		return nil, 0, err
	}
	text, err := json.Marshal(tree)
	if err != nil {
		return nil, 0, err
	}
	if err := json.Unmarshal(text, &content); err != nil {
		return nil, 0, err
	}
	return content, len(text), nil
}

// render renders an app within the limits and encodes its objects; encode also
// returns the size of what it made, in bytes.
func render[T any](ctx context.Context, dir string, options Options, encode func(resmap.ResMap) (T, int, error)) (T, error) {
	var none T
	options = options.withDefaults()
	if err := installInflator(); err != nil {
		return none, err
	}
	within, err := newBounds(dir, options)
	if err != nil {
		return none, err
	}
	limits := bounded.Limits{What: "rendering", Time: options.Timeout, Memory: options.MaxMemory}
	return bounded.Do(ctx, limits, func(ctx context.Context) (T, error) {
		r := &run{ctx: ctx, helm: embeddedHelm{options}, maxBytes: options.MaxBytes, bounds: within, overlay: options.Overlay, charts: options.Charts, reads: options.Reads, anywhere: options.LoadAnywhere}
		if options.HelmCommand != "" && options.Overlay == nil && options.Opened == nil {
			command, err := newCommandHelm(ctx, options.HelmCommand, options.MaxBytes)
			if err != nil {
				return none, err
			}
			r.helm = command
		}
		return encodeObjects(r, dir, options, encode)
	})
}

func encodeObjects[T any](r *run, dir string, options Options, encode func(resmap.ResMap) (T, int, error)) (encoded T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("kustomize failed on its input: %v", p)
		}
	}()
	err = withSchema(func(alone bool) error {
		r.alone, r.first = alone, nil
		objects, err := r.kustomize(dir, options)
		if err != nil {
			return err
		}
		var size int
		if encoded, size, err = encode(objects); err != nil {
			return fmt.Errorf("write objects: %w", err)
		}
		if int64(size) > r.maxBytes {
			return fmt.Errorf("%d bytes were rendered, more than the limit of %d", size, r.maxBytes)
		}
		if size == 0 {
			return ErrNothingRendered
		}
		return nil
	})
	return encoded, err
}

func (o Options) withDefaults() Options {
	o.KubeVersion = cmp.Or(o.KubeVersion, DefaultKubeVersion)
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	o.MaxBytes = cmp.Or(o.MaxBytes, DefaultMaxBytes)
	o.MaxMemory = cmp.Or(o.MaxMemory, DefaultMaxMemory)
	return o
}

// run is one rendering in progress.
type run struct {
	ctx      context.Context
	helm     helm
	maxBytes int64
	bounds   bounds
	overlay  overlay
	charts   ChartStore
	reads    *reads.Log
	anywhere bool // see Options.LoadAnywhere
	alone    bool // see withSchema

	mu    sync.Mutex
	first error
}

// fail notes the first error of our own, and returns it. Kustomize wraps errors
// in the whole configuration of what failed (values included), and takes some
// for "try something else": the noted error is the one that App returns.
func (r *run) fail(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.first == nil {
		r.first = err
	}
	return err
}

func (r *run) firstFailure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.first
}

var runCount atomic.Int64

// kustomize does what the kustomize command does with --enable-helm: see
// HonorKustomizeFlags in sigs.k8s.io/kustomize/kustomize/v5/commands/build.
func (r *run) kustomize(dir string, options Options) (resmap.ResMap, error) {
	name := "nevermigrate-" + strconv.FormatInt(runCount.Add(1), 10)
	runs.Store(name, r)
	defer runs.Delete(name)

	plugins := types.DisabledPluginConfig()
	plugins.HelmConfig = types.HelmConfig{
		Enabled:     !options.WithoutHelm,
		Command:     name,
		KubeVersion: options.KubeVersion,
		ApiVersions: options.APIVersions,
	}
	restrictions := types.LoadRestrictionsRootOnly
	if options.LoadAnywhere {
		restrictions = types.LoadRestrictionsNone
	}
	objects, err := krusty.MakeKustomizer(&krusty.Options{
		Reorder:          krusty.ReorderOptionUnspecified,
		LoadRestrictions: restrictions,
		PluginConfig:     plugins,
	}).Run(guardedFiles{loggedFiles{filesys.MakeFsOnDisk(), r.reads}, r}, dir)
	if own := r.firstFailure(); own != nil {
		return nil, own
	}
	if err != nil {
		return nil, errors.New(plainMessage(err))
	}
	return objects, nil
}

var configurationPattern = regexp.MustCompile("(?s) with config: `.*?`: ")

// plainMessage is a kustomize error without the configuration that kustomize
// quotes in it: that may hold values which are nobody's business.
func plainMessage(err error) string {
	return strings.TrimSpace(configurationPattern.ReplaceAllString(err.Error(), ": "))
}
