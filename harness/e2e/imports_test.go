package e2e

import (
	_ "github.com/open-policy-agent/frameworks/constraint/pkg/client"
	_ "github.com/open-policy-agent/frameworks/constraint/pkg/client/drivers/rego"
	_ "github.com/open-policy-agent/gatekeeper/v3/pkg/target"
	_ "github.com/proompteng/nevermigrate/harness"
	_ "k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	_ "k8s.io/client-go/kubernetes"
	_ "k8s.io/kubernetes/third_party/forked/golang/expansion"
	_ "sigs.k8s.io/controller-runtime/pkg/envtest"
)
