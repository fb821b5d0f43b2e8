package source

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/proompteng/nevermigrate/harness/internal/render"
)

// Charts is a View's Chart by what a rendering has; nil where that is nil.
func Charts(ctx context.Context, charts render.ChartStore) func(repoURL, chart, revision string) (string, error) {
	if charts == nil {
		return nil
	}
	return func(repoURL, chart, revision string) (string, error) {
		ref, err := chartRef(repoURL, chart, revision)
		if err != nil {
			return "", err
		}
		folder, err := charts.Chart(ctx, ref)
		if errors.Is(err, render.ErrNotLocked) {
			return "", refused(".chart", fmt.Sprintf("its chart is in another repository, and %v", err), "run `nevermigrate vendor`, which uses the network, and commit the lock; or exclude the Application")
		}
		return folder, err
	}
}

// chartRef is the chart of a source: newHelmClientResolveRevision of
// reposerver/repository/repository.go with IsHelmOciRepo of util/helm/client.go.
func chartRef(repoURL, chart, revision string) (render.ChartRef, error) {
	ref := render.ChartRef{Repo: repoURL, Name: chart, Version: revision}
	if strings.HasPrefix(repoURL, "oci://") {
		return ref, refused(".repoURL", "Argo CD takes it for a whole image because of oci://, and does not look at the chart", "write the registry without oci://, or exclude the Application")
	}
	if !strings.Contains(repoURL, "://") {
		ref.Repo = "oci://" + repoURL
	}
	ref = ref.Normal()
	if problem := ref.VersionProblem(); problem != "" {
		return ref, &Problem{Field: ".targetRevision", Reason: problem, Err: &render.ChartError{Err: errors.New(problem)}}
	}
	return ref, nil
}
