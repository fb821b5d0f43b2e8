package reads

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// judging are the packages that read what is judged.
var judging = []string{"render", "cause", "argocd", "argocd/source", "check", "stated", "manifest", "evaluate", "exempt", "same"}

// reading are the functions by which something is read, by their packages.
var reading = map[string][]string{
	"os":         {"ReadFile", "Open", "OpenFile", "OpenRoot", "OpenInRoot", "Stat", "Lstat", "ReadDir", "Readlink", "DirFS", "CopyFS"},
	"filepath":   {"EvalSymlinks", "Walk", "WalkDir", "Glob"},
	"doublestar": {"FilepathGlob", "Glob", "GlobWalk"},
	"ioutil":     {"ReadFile", "ReadDir"},
	"loader":     {"Load", "LoadDir", "LoadFile", "Loader"},
	"filesys":    {"MakeFsOnDisk"},
	"render":     {"IsApp", "IsChart", "KindOf", "ReadRegular", "RealPath", "WorkTree", "LinkLeadsOut", "ReferencesOf"},
	"find":       {"Cover", "Targets", "FilesBelow", "FilesReadBy"},
	"":           {"IsApp", "IsChart", "KindOf", "ReadRegular", "RealPath", "WorkTree", "LinkLeadsOut", "ReferencesOf", "filesBelow", "readSettings", "readClusters", "foundSettings"},
}

// around are the places that read by themselves, and why that is right.
var around = map[string]string{
	// What is there is found anew for each run, and no verdict is kept of that.
	"render/bounds.go RealPath":                "itself: who judges notes the path, below",
	"render/bounds.go WorkTree":                "the work tree is the folder of the disk, and goes into the key",
	"render/bounds.go newBounds":               "the work tree is the folder of the disk, and goes into the key",
	"render/chart.go IsChart":                  "for finding; cause notes the path",
	"render/references.go ReferencesOf":        "for finding",
	"render/references.go add":                 "for finding",
	"render/render.go IsApp":                   "for finding",
	"render/render.go KindOf":                  "for finding",
	"render/render.go kustomize":               "wrapped in loggedFiles",
	"render/helm.go loadChart":                 "the tree of the chart is noted before",
	"argocd/argocd.go FromTop":                 "where an object is said to be, which goes into the key",
	"argocd/argocd.go again":                   "for causes of a plain Application, whose file the search notes; others are not kept",
	"argocd/argocd.go open":                    "for Applications, which go into the key",
	"argocd/read.go filesBelow":                "for Applications, which go into the key",
	"argocd/read.go foundSettings":             "settings go into the key",
	"argocd/read.go readObjects":               "for settings and clusters",
	"argocd/source/kustomize.go plugin":        "the names in the folder are noted before",
	"cause/cause.go shownPath":                 "of a file that is noted",
	"cause/manifest.go InValues":               "values files of flags are noted when the chart is rendered",
	"cause/sources.go isChart":                 "noted before",
	"cause/sources.go realPath":                "noted before",
	"check/applications.go notRendered":        "of what is not judged, and not kept",
	"check/causes.go newSearcher":              "a temporary folder",
	"check/check.go Render":                    "nothing is judged",
	"check/check.go relativeMessage":           "the working directory, which goes into the key",
	"check/coverage.go filesOf":                "of what is not judged, and not kept",
	"check/coverage.go look":                   "for finding",
	"check/coverage.go mayBind":                "of what is not judged, and not kept",
	"check/deployments.go isDeployed":          "which targets there are",
	"check/deployments.go mayHoldApplications": "which targets there are",
	"check/deployments.go mentionIn":           "which targets there are",
	"check/deployments.go objectOf":            "of Applications, which go into the key",
	"check/deployments.go root":                "which targets there are",
	"check/deployments.go shown":               "what a target is called, which goes into the key",
	"check/deployments.go target":              "which targets there are",
	"check/deployments.go topOf":               "the working directory, which goes into the key",
	"check/deployments.go undeployed":          "which targets there are",
	"check/keep.go base":                       "the folder of the disk, which goes into the key",
	"check/keep.go programDigest":              "the program",
	"check/keep.go workDir":                    "the working directory, which goes into the key",
	"check/objects.go heldBy":                  "for init, which judges nothing and keeps nothing",
	"evaluate/policy.go LoadPolicy":            "the policy, whose digest goes into the key",
	"evaluate/policy.go compile":               "the policy, whose digest goes into the key",
	"evaluate/policy.go loadFolder":            "the policy, whose digest goes into the key",
	"exempt/exempt.go WithBaseline":            "exemptions are applied anew to what is kept",
}

// TestNobodyReadsAround: in the packages that judge, every function that reads of the file
// system does so through a Log, or is listed with the reason why not.
func TestNobodyReadsAround(t *testing.T) {
	found := map[string]bool{}
	for _, name := range judging {
		files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(name), "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("package %s: %v", name, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, declaration := range syntax.Decls {
				at := fmt.Sprintf("%s/%s", name, filepath.Base(file))
				if function, ok := declaration.(*ast.FuncDecl); ok {
					at += " " + function.Name.Name
				}
				ast.Inspect(declaration, func(node ast.Node) bool {
					if isReading(node) {
						found[at] = true
					}
					return true
				})
			}
		}
	}
	want := map[string]bool{}
	for at := range around {
		want[at] = true
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("what reads without a Log (-listed +found); read through render.Options.Reads, or say why not:\n%s", diff)
	}
}

// isReading reports whether a node is a function that reads, called or handed on.
func isReading(node ast.Node) bool {
	switch node := node.(type) {
	case *ast.SelectorExpr:
		of, ok := node.X.(*ast.Ident)
		return ok && of.Name != "" && slices.Contains(reading[of.Name], node.Sel.Name)
	case *ast.CallExpr:
		name, ok := node.Fun.(*ast.Ident)
		return ok && slices.Contains(reading[""], name.Name)
	}
	return false
}
