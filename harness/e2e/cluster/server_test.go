// Package cluster starts, for a test, what a cluster needs to admit or refuse an
// object: etcd, the API server, the controllers that make Pods, and Gatekeeper.
// All of it is built from Go modules, listens on loopback, and ends with the test.
package cluster_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"

	"github.com/proompteng/nevermigrate/harness/internal/stock"
)

// patience bounds every wait. A machine that is busy is slow, not broken.
const patience = 3 * time.Minute

// controllers are those that make Pods out of workloads, and those without
// which an API server is not whole.
const controllers = "deployment-controller,replicaset-controller,statefulset-controller,replicationcontroller-controller," +
	"job-controller,cronjob-controller,daemonset-controller,namespace-controller,serviceaccount-controller," +
	"garbage-collector-controller,resourcequota-controller,validatingadmissionpolicy-status-controller"

// auditPolicy makes the API server write down what admission made of each change.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
    verbs: [create, update, patch]
    resources:
      - group: ""
        resources: [pods]
      - group: apps
  - level: None
`

// Cluster is a running API server with its etcd and its controllers.
type Cluster struct {
	// Config is the configuration of a client with all rights.
	Config *rest.Config

	t       testing.TB
	dir     string
	env     *envtest.Environment
	kubectl string
}

// Start builds and starts a cluster and stops it when the test ends. When the
// test failed, the logs of all servers stay, and the test says where.
func Start(t testing.TB) *Cluster {
	t.Helper()
	dir, err := os.MkdirTemp("", "nevermigrate-cluster-")
	if err != nil {
		t.Fatal(err)
	}
	c := &Cluster{t: t, dir: dir, kubectl: stock.ToolOf(t, "cluster", "kubectl")}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the logs of all servers are in %s", dir)
		} else if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	c.startAPIServer()
	c.startControllers()
	return c
}

// In is the same cluster for a subtest: what fails, fails the subtest, and what
// is started ends with it.
func (c *Cluster) In(t testing.TB) *Cluster {
	other := *c
	other.t = t
	return &other
}

// file writes a file of the run and returns its path.
func (c *Cluster) file(name, content string, mode os.FileMode) string {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		c.t.Fatal(err)
	}
	return path
}

func (c *Cluster) folder(name string) string {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.Mkdir(path, 0o700); err != nil {
		c.t.Fatal(err)
	}
	return path
}

func (c *Cluster) log(name string) *os.File {
	c.t.Helper()
	file, err := os.Create(filepath.Join(c.dir, name+".log"))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = file.Close() })
	return file
}

func (c *Cluster) startAPIServer() {
	c.t.Helper()
	c.env = &envtest.Environment{ControlPlaneStartTimeout: patience, ControlPlaneStopTimeout: time.Minute}
	logf.SetLogger(zap.New(zap.WriteTo(c.log("envtest"))))
	c.env.WebhookInstallOptions.LocalServingHost = "127.0.0.1"

	server := c.env.ControlPlane.GetAPIServer()
	server.Path = c.mortal("kube-apiserver", stock.ToolOf(c.t, "cluster", "kube-apiserver"))
	server.CertDir = c.folder("kube-apiserver")
	server.Out = c.log("kube-apiserver")
	server.Err = server.Out
	server.Configure().
		Set("audit-policy-file", c.file("audit-policy.yaml", auditPolicy, 0o600)).
		Set("audit-log-path", c.AuditLog())

	etcd := &envtest.Etcd{
		Path:    c.mortal("etcd", stock.ToolOf(c.t, "cluster", "server")),
		DataDir: c.folder("etcd"),
		Out:     c.log("etcd"),
	}
	etcd.Err = etcd.Out
	c.env.ControlPlane.Etcd = etcd

	c.t.Cleanup(func() {
		if err := c.env.Stop(); err != nil {
			c.t.Errorf("stop the API server: %v", err)
		}
	})
	config, err := c.env.Start()
	if err != nil {
		c.t.Fatalf("start the API server: %v", err)
	}
	c.Config = config
	c.file("kubeconfig", string(c.env.KubeConfig), 0o600)
}

// AuditLog is the path of what the API server writes about each change.
func (c *Cluster) AuditLog() string { return filepath.Join(c.dir, "audit.log") }

func (c *Cluster) kubeconfig() string { return filepath.Join(c.dir, "kubeconfig") }

func (c *Cluster) startControllers() {
	c.t.Helper()
	certs := c.env.ControlPlane.GetAPIServer().CertDir
	controllersLog := c.start("kube-controller-manager", stock.ToolOf(c.t, "cluster", "kube-controller-manager"),
		"--kubeconfig", c.kubeconfig(),
		"--controllers", controllers,
		"--service-account-private-key-file", filepath.Join(certs, "sa-signer.key"),
		"--leader-elect=false",
		"--secure-port=0",
	)
	clients := c.Clients()
	c.Eventually("the controllers work: there is a default service account ("+controllersLog+")", func(ctx context.Context) (bool, error) {
		_, err := clients.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		return err == nil, err
	})
}

// Clients are typed clients of the API server.
func (c *Cluster) Clients() *kubernetes.Clientset {
	c.t.Helper()
	clients, err := kubernetes.NewForConfig(c.Config)
	if err != nil {
		c.t.Fatal(err)
	}
	return clients
}

// Kubectl runs kubectl with an input and returns what it printed on its two
// outputs. The error says that it failed.
func (c *Cluster) Kubectl(stdin string, args ...string) (stdout, stderr string, err error) {
	cmd := exec.CommandContext(c.t.Context(), c.kubectl, args...)
	// Nothing of the caller's own configuration counts.
	cmd.Env = []string{"KUBECONFIG=" + c.kubeconfig(), "HOME=" + c.dir, "PATH=" + os.Getenv("PATH")}
	cmd.Stdin = strings.NewReader(stdin)
	var out, errors bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errors
	err = cmd.Run()
	return out.String(), errors.String(), err
}

// MustKubectl is Kubectl where a failure ends the test. It returns both outputs.
func (c *Cluster) MustKubectl(stdin string, args ...string) string {
	c.t.Helper()
	stdout, stderr, err := c.Kubectl(stdin, args...)
	if err != nil {
		c.t.Fatalf("kubectl %s: %v\n%s%s", strings.Join(args, " "), err, stdout, stderr)
	}
	return stdout + stderr
}

// Eventually waits for a state of the cluster. An error of the condition is no
// reason to give up; when patience ends, the test fails with the last one.
func (c *Cluster) Eventually(what string, condition func(context.Context) (bool, error)) {
	c.t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(c.t.Context(), 50*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		done, err := condition(ctx)
		last = err
		return done, nil
	})
	if err != nil {
		c.t.Fatalf("wait until %s: %v: %v", what, err, fmt.Sprint(last))
	}
}
