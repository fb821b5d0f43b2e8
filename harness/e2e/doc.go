// Package e2e compares what the gate says with what a cluster does. It is a
// module of its own, so that the main module needs neither Gatekeeper nor the
// API server.
package e2e
