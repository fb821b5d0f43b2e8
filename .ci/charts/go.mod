// The Go modules in which the charts of the rendering test come, and what
// TestRealStarts judges: nothing here is compiled. To change one, edit its line
// and run `go mod download MODULE` here, which writes go.sum; `go mod tidy` would
// empty the file, and `go get` would add what the modules need to be built.
module github.com/proompteng/nevermigrate/charts

go 1.26.8

require (
	github.com/argoproj/argo-cd/v3 v3.1.0
	github.com/argoproj/argo-rollouts v1.8.3
	github.com/bitnami-labs/sealed-secrets v0.40.0
	github.com/cilium/cilium v1.20.2
	github.com/cockroachdb/helm-charts v0.0.0-20260828131910-3f65257a73c7
	github.com/elastic/cloud-on-k8s/v3 v3.5.0
	github.com/envoyproxy/gateway v1.9.1
	github.com/external-secrets/external-secrets v1.3.2
	github.com/fluxcd/flagger v1.36.1
	github.com/grafana/mimir v1.3.1-0.20260423142704-aced80d74930
	github.com/kyverno/kyverno v1.19.1
	github.com/open-policy-agent/gatekeeper/v3 v3.23.1
	github.com/projectcalico/calico v1.11.0-cni-plugin.0.20250813170300-a0db560f0520
	istio.io/istio v0.0.0-20260827124520-eed52ebb66ad
	k8s.io/ingress-nginx v0.0.0-20240708192948-52c50467d67d
	sigs.k8s.io/descheduler v0.36.0
	sigs.k8s.io/metrics-server v0.9.0
)
