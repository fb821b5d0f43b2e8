package api

// Normalize is the spec of an Application as Argo CD works with it, whoever wrote
// it: NormalizeApplicationSpec of util/argo/argo.go. Options that say nothing are
// none, so they choose no type of a source; some options that say something are
// dropped with them, if they stand alone (labelWithoutSelector, for example). The
// spec itself stays as it is.
func Normalize(spec ApplicationSpec) ApplicationSpec {
	if spec.Project == "" {
		spec.Project = "default"
	}
	if spec.SyncPolicy.isZero() {
		spec.SyncPolicy = nil
	}
	if len(spec.Sources) > 0 {
		sources := make(ApplicationSources, len(spec.Sources))
		for i, source := range spec.Sources {
			sources[i] = normalizeSource(source)
		}
		spec.Sources = sources
	} else if spec.Source != nil {
		source := normalizeSource(*spec.Source)
		spec.Source = &source
	}
	return spec
}

func normalizeSource(source ApplicationSource) ApplicationSource {
	if source.Kustomize.isZero() {
		source.Kustomize = nil
	}
	if source.Helm.isZero() {
		source.Helm = nil
	}
	if directory := source.Directory; directory != nil && directory.isZero() {
		source.Directory = nil
		if directory.Include != "" || directory.Exclude != "" {
			source.Directory = &ApplicationSourceDirectory{Exclude: directory.Exclude, Include: directory.Include}
		}
	}
	return source
}

func (p *SyncPolicy) isZero() bool {
	return p == nil || p.Automated == nil && len(p.SyncOptions) == 0 && p.Retry == nil && p.ManagedNamespaceMetadata == nil
}

func (h *ApplicationSourceHelm) isZero() bool {
	if h == nil {
		return true
	}
	values := h.Values != "" || h.ValuesObject != nil && h.ValuesObject.Raw != nil
	return !values && h.Version == "" && h.ReleaseName == "" && len(h.ValueFiles) == 0 && len(h.Parameters) == 0 &&
		len(h.FileParameters) == 0 && !h.PassCredentials && !h.IgnoreMissingValueFiles && !h.SkipCrds && !h.SkipTests &&
		!h.SkipSchemaValidation && h.KubeVersion == "" && len(h.APIVersions) == 0 && h.Namespace == ""
}

// isZero leaves out forceCommonLabels, forceCommonAnnotations,
// commonAnnotationsEnvsubst, labelWithoutSelector and labelIncludeTemplates.
func (k *ApplicationSourceKustomize) isZero() bool {
	return k == nil || k.NamePrefix == "" && k.NameSuffix == "" && k.Version == "" && k.Namespace == "" &&
		len(k.Images) == 0 && len(k.Replicas) == 0 && len(k.CommonLabels) == 0 && len(k.CommonAnnotations) == 0 &&
		len(k.Patches) == 0 && len(k.Components) == 0 && k.KubeVersion == "" && len(k.APIVersions) == 0 &&
		!k.IgnoreMissingComponents
}

func (d *ApplicationSourceDirectory) isZero() bool {
	return !d.Recurse && d.Jsonnet.IsZero() && !d.DisableExtensionFilter
}
