// Package probetest holds charts whose holes are known, for tests of the search
// for holes: the cases of the folder fixtures/probe, and random ones. It knows
// nothing of how the search works.
package probetest
