// Package starts holds the manifests of the folder fixtures/manifests against
// the truth: it runs their commands as the kubelet would, with the shell and the
// interpreters of the machine, against a stand-in for the service that notes the
// migrations variable as it sees it. It has tests only.
package starts
