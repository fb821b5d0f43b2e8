package cluster_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

const (
	gatekeeperModule    = "github.com/open-policy-agent/gatekeeper/v3"
	gatekeeperNamespace = "gatekeeper-system"
	webhookTemplate     = "templates/gatekeeper-validating-webhook-configuration-validatingwebhookconfiguration.yaml"
)

// StartGatekeeper installs Gatekeeper as its chart does: the custom resource
// definitions, the manager, and the webhook. It returns when the manager is
// ready, and Gatekeeper ends with the test. What differs from the chart's defaults is stricter (a failure of the
// webhook refuses, deletions are reviewed too) or makes the test faster (the
// audit runs every two seconds).
func (c *Cluster) StartGatekeeper() {
	c.t.Helper()
	manager := stock.ToolOf(c.t, "gatekeeper", "gatekeeper")
	chart := filepath.Join(stock.Source(c.t, "gatekeeper", gatekeeperModule), "charts", "gatekeeper")

	if _, err := envtest.InstallCRDs(c.Config, envtest.CRDInstallOptions{
		Paths: []string{filepath.Join(chart, "crds")}, ErrorIfPathMissing: true, MaxTime: patience,
	}); err != nil {
		c.t.Fatalf("install Gatekeeper's custom resource definitions: %v", err)
	}
	c.MustKubectl("", "create", "namespace", gatekeeperNamespace)

	hooks := &c.env.WebhookInstallOptions
	hooks.ValidatingWebhooks = []*admissionv1.ValidatingWebhookConfiguration{c.webhook(chart)}
	hooks.MaxTime = patience
	// This turns the chart's service into the address on loopback.
	if err := hooks.ModifyWebhookDefinitions(); err != nil {
		c.t.Fatalf("prepare Gatekeeper's webhook: %v", err)
	}

	health := c.freeAddress()
	c.start("gatekeeper", manager,
		"--operation=webhook", "--operation=audit", "--operation=status", "--operation=generate",
		"--host", hooks.LocalServingHost,
		"--port", strconv.Itoa(hooks.LocalServingPort),
		"--cert-dir", hooks.LocalServingCertDir,
		"--disable-cert-rotation",
		"--health-addr", health,
		"--audit-interval=2",
		"--api-cache-dir", c.folder("gatekeeper-audit"),
		"--debug-use-fake-pod",
		"--shutdown-delay=0",
		// The default, Prometheus, listens on all addresses. This one calls out,
		// in the test never.
		"--metrics-backend=opentelemetry", "--otlp-endpoint=127.0.0.1:9", "--otlp-metric-interval=24h",
	)
	c.Eventually("Gatekeeper is ready", func(ctx context.Context) (bool, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+health+"/readyz", nil)
		if err != nil {
			return false, err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false, err
		}
		defer func() { _ = response.Body.Close() }()
		return response.StatusCode == http.StatusOK, fmt.Errorf("status %s", response.Status)
	})
	// While the webhook is there and the manager is not, nothing is admitted.
	c.t.Cleanup(func() {
		for _, hook := range hooks.ValidatingWebhooks {
			// The context of a test is over when its cleanup runs.
			hooks := c.Clients().AdmissionregistrationV1().ValidatingWebhookConfigurations()
			if err := hooks.Delete(context.Background(), hook.Name, metav1.DeleteOptions{}); err != nil {
				c.t.Errorf("remove Gatekeeper's webhook: %v", err)
			}
		}
	})
	if err := hooks.Install(c.Config); err != nil {
		c.t.Fatalf("install Gatekeeper's webhook: %v", err)
	}
}

// webhook is the webhook's configuration, as the chart of Gatekeeper has it.
func (c *Cluster) webhook(chart string) *admissionv1.ValidatingWebhookConfiguration {
	c.t.Helper()
	rendered, err := exec.CommandContext(c.t.Context(), stock.Tool(c.t, "helm"),
		"template", "gatekeeper", chart, "--namespace", gatekeeperNamespace, "--show-only", webhookTemplate,
		"--set", "validatingWebhookFailurePolicy=Fail",
		"--set", "enableDeleteOperations=true",
		"--set", "validatingWebhookTimeoutSeconds=30",
	).Output()
	if err != nil {
		c.t.Fatalf("render Gatekeeper's webhook: %v", err)
	}
	var configuration admissionv1.ValidatingWebhookConfiguration
	if err := yaml.UnmarshalStrict(rendered, &configuration); err != nil {
		c.t.Fatalf("read Gatekeeper's webhook: %v", err)
	}
	if len(configuration.Webhooks) == 0 {
		c.t.Fatal("Gatekeeper's chart has no webhook")
	}
	return &configuration
}

// freeAddress is an address on loopback that nobody listens on.
func (c *Cluster) freeAddress() string {
	c.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
