package events

import (
	"net/url"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
)

const (
	nativeSubjects = "deployments."
	cdSubjects     = "dev.cdevents.service."
)

// place holds the deployment and the subject deployments.<environment>.<service>
// together: what the body leaves out is taken from the subject, and what both say
// must be the same, since a publisher's permissions are given by subject. Other
// subjects say nothing.
//
// A name with a dot is percent-encoded in the subject (shop%2Ev1). Written plainly
// (deployments.production.shop.v1), it must stand in the body as well.
func place(d *rules.Deployment, subject string) error {
	tail, ok := strings.CutPrefix(subject, nativeSubjects)
	if !ok || tail == d.Environment+"."+d.Service {
		return nil
	}
	tokens := strings.Split(tail, ".")
	if len(tokens) != 2 {
		return refuse("subject", "publish to deployments.<environment>.<service>, with a dot of a name as %2E",
			"%s does not name the environment and service of the body", quote(subject))
	}
	if err := agree("environment", tokens[0], &d.Environment); err != nil {
		return err
	}
	return agree("service", tokens[1], &d.Service)
}

func agree(field, token string, value *string) error {
	named, err := url.PathUnescape(token)
	if err != nil || !anyName.fits(named) {
		return refuse("subject", anyName.says, "%s is not the name of a %s", quote(token), field)
	}
	if *value != "" && *value != named {
		return refuse(field, "publish to the subject of this "+field, "is %s in the body and %s in the subject", quote(*value), quote(named))
	}
	*value = named
	return nil
}

// Subject returns the subject to publish the deployment's native event to.
func Subject(d rules.Deployment) string {
	return nativeSubjects + token(d.Environment) + "." + token(d.Service)
}

var tokens = strings.NewReplacer(".", "%2E", "/", "%2F")

func token(name string) string { return tokens.Replace(name) }
