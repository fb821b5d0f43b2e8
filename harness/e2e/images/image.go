package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/ko/pkg/build"
	"github.com/sigstore/cosign/v3/pkg/oci"
)

const (
	// spdx is the registered media type of SPDX in JSON.
	spdx = "application/spdx+json"
	// referenceName is the annotation by which a layout names an image.
	referenceName = "org.opencontainers.image.ref.name"
)

// image is what was built of a program.
type image struct {
	// root is the index, or the image when there is one platform only.
	root build.Result
	// images are those of the platforms.
	images []v1.Image
	// sboms are artifacts, each of which refers to root or to one of images.
	sboms []v1.Image
}

// collect finds what belongs to a result of ko.
func collect(root build.Result) (image, error) {
	all := image{root: root}
	switch entity := root.(type) {
	case oci.SignedImage:
		all.images = append(all.images, entity)
	case oci.SignedImageIndex:
		manifest, err := entity.IndexManifest()
		if err != nil {
			return image{}, err
		}
		for _, descriptor := range manifest.Manifests {
			one, err := entity.SignedImage(descriptor.Digest)
			if err != nil {
				return image{}, err
			}
			all.images = append(all.images, one)
		}
		described, err := sbom(entity)
		if err != nil {
			return image{}, err
		}
		all.sboms = append(all.sboms, described)
	default:
		return image{}, fmt.Errorf("ko built a %T, which is neither an image nor an index", root)
	}
	for _, one := range all.images {
		described, err := sbom(one.(oci.SignedImage))
		if err != nil {
			return image{}, err
		}
		all.sboms = append(all.sboms, described)
	}
	return all, nil
}

// sbom is the SBOM of an image or an index as an artifact that refers to it, as the
// image specification has it.
func sbom[T interface {
	oci.SignedEntity
	partial.Describable
}](entity T) (v1.Image, error) {
	attached, err := entity.Attachment("sbom")
	if err != nil {
		return nil, fmt.Errorf("find the SBOM: %w", err)
	}
	text, err := attached.Payload()
	if err != nil {
		return nil, fmt.Errorf("read the SBOM: %w", err)
	}
	subject, err := partial.Descriptor(entity)
	if err != nil {
		return nil, fmt.Errorf("describe the image: %w", err)
	}
	// What a reader takes for the type of the artifact is that of its configuration.
	artifact := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), spdx)
	artifact, err = mutate.AppendLayers(artifact, static.NewLayer(text, spdx))
	if err != nil {
		return nil, fmt.Errorf("make the SBOM an artifact: %w", err)
	}
	return mutate.Subject(artifact, v1.Descriptor{
		MediaType: subject.MediaType, Digest: subject.Digest, Size: subject.Size,
	}).(v1.Image), nil
}

// write writes an OCI image layout to a folder that is not there.
func (i image) write(folder, tag string) error {
	if _, err := os.Lstat(folder); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already: remove it, or name another folder", folder)
	}
	path, err := layout.Write(folder, empty.Index)
	if err != nil {
		return err
	}
	named := layout.WithAnnotations(map[string]string{referenceName: tag})
	switch root := i.root.(type) {
	case v1.ImageIndex:
		err = path.AppendIndex(root, named)
	case v1.Image:
		err = path.AppendImage(root, named)
	}
	for _, described := range i.sboms {
		err = errors.Join(err, path.AppendImage(described))
	}
	return err
}

// push writes to a registry: the images, then their SBOMs, then the tag, so that
// whoever finds the tag finds all of it.
func (i image) push(tag name.Tag, options ...remote.Option) error {
	at := func(digest v1.Hash) name.Reference { return tag.Digest(digest.String()) }
	root, err := i.root.Digest()
	if err != nil {
		return err
	}
	switch entity := i.root.(type) {
	case v1.ImageIndex:
		err = remote.WriteIndex(at(root), entity, options...)
	case v1.Image:
		err = remote.Write(at(root), entity, options...)
	}
	if err != nil {
		return err
	}
	for _, described := range i.sboms {
		digest, err := described.Digest()
		if err != nil {
			return err
		}
		if err := remote.Write(at(digest), described, options...); err != nil {
			return fmt.Errorf("the SBOM: %w", err)
		}
	}
	return remote.Tag(tag, i.root.(remote.Taggable), options...)
}

// linked is the version of a module that is linked into this program.
func linked(path string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == path {
				return m.Version
			}
		}
	}
	return "unknown"
}
