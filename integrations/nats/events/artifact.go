package events

import (
	"slices"
	"strings"

	packageurl "github.com/package-url/packageurl-go"
)

const sayVersion = "say the version in customData.version"

// versionIn reads the version out of an artifact's id: the tag or else the version
// of a package URL, or the tag of an image. A digest is the version of a package URL
// that has no tag. An id of another form has no version that can be told.
func versionIn(content fields, artifact string) string {
	if artifact == "" {
		return ""
	}
	version := tagOf(artifact)
	if strings.HasPrefix(strings.ToLower(artifact), "pkg:") {
		purl, err := packageurl.FromString(artifact)
		if err != nil {
			content.wrong("artifactId", sayVersion, "%s is not a package URL: %v", quote(artifact), err)
			return ""
		}
		if version = purl.Qualifiers.Map()["tag"]; version == "" {
			version = purl.Version
		}
	}
	if version == "" {
		content.wrong("artifactId", sayVersion, "%s names no version", quote(artifact))
	}
	return content.fitting("artifactId", version, anyName)
}

// tagOf returns the tag of registry:5000/team/shop:2.4.0@sha256:…, or nothing.
func tagOf(image string) string {
	image, _, _ = strings.Cut(image, "@")
	_, tag, _ := strings.Cut(image[strings.LastIndexByte(image, '/')+1:], ":")
	return tag
}

// resources are the words before a service's name in the ids that tools give it.
var resources = []string{
	"service", "services", "deployment", "deployments", "daemonset", "daemonsets", "statefulset", "statefulsets",
	"rollout", "rollouts", "application", "applications", "app", "apps", "helmrelease", "helmreleases",
}

// serviceOf returns the service that the subject of a CDEvent names: what follows
// the last word for a kind of resource in its path ("service/shop",
// "/apis/apps/v1/namespaces/x/deployments/shop"), or the whole id ("team/shop").
func serviceOf(id string) string {
	segments := strings.Split(strings.Trim(id, "/"), "/")
	for i, segment := range slices.Backward(segments[:len(segments)-1]) {
		if slices.Contains(resources, strings.ToLower(segment)) {
			return strings.Join(segments[i+1:], "/")
		}
	}
	return strings.Join(segments, "/")
}
