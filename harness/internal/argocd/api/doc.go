// Package api holds the types of Argo CD's Application and ApplicationSet.
//
// Fields, JSON names and patch strategies are those of Argo CD v3.6.1,
// pkg/apis/application/v1alpha1. What a text becomes when it goes through these
// types is a part of what Argo CD applies: unknown fields are dropped, some empty
// ones are added, and a strategic merge patch follows the tags. Importing Argo CD
// itself would bring several hundred packages.
//
// The names are Argo CD's too, so that the two can be compared.
package api
