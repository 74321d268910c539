package nats

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/nats-io/nats.go/micro"

	"github.com/bakewatch/bakewatch/watcher"
)

// verdicts answers whoever asks, on bakewatch.verdict.<environment>.<service>, what may
// be done with a version. Names are written as in the subjects of events: a dot is %2E.
// The body may name the version and the stage.
func (s *deskServer) verdicts(service micro.Service) error {
	return service.AddEndpoint("verdict", s.handler(s.verdict), micro.WithEndpointSubject(verdictPrefix+"*.*"))
}

func (s *deskServer) verdict(ctx context.Context, req micro.Request) ([]byte, error) {
	about, err := read[watcher.Enquiry](req)
	if err != nil {
		return nil, err
	}
	if err := addressed(req.Subject(), &about); err != nil {
		return nil, err
	}
	advice, err := watcher.Advise(ctx, s.Desk, about)
	if err != nil {
		return nil, err
	}
	return json.Marshal(advice)
}

// addressed takes environment and service from the subject, by which permissions are
// given; a body that names others is refused.
func addressed(subject string, about *watcher.Enquiry) error {
	environment, service, _ := strings.Cut(strings.TrimPrefix(subject, verdictPrefix), ".")
	for _, name := range []struct {
		token string
		value *string
	}{{environment, &about.Environment}, {service, &about.Service}} {
		named, err := url.PathUnescape(name.token)
		if err != nil {
			return fmt.Errorf("%w: %q in the subject is no name: %w", errUnreadable, name.token, err)
		}
		if *name.value != "" && *name.value != named {
			return fmt.Errorf("%w: %q in the body, and %q in the subject", errUnreadable, *name.value, named)
		}
		*name.value = named
	}
	return nil
}
