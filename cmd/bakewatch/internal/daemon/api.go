package daemon

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/integrations/web"
	"github.com/bakewatch/bakewatch/watcher"
)

// api is the Desk over HTTP. Every replica serves it; only the active one has a Desk.
func (d *Daemon) api() web.Mounts {
	settings := d.cfg.Daemon.HTTP
	cfg := web.APIConfig{
		Desk: d.active, WebConfigFile: settings.WebConfigFile, BelieveLocal: settings.BelieveLocal,
		Identify: d.identify, Refused: d.metrics.refused, Unproved: d.unproved, Login: d.login(), Log: d.cfg.Log,
	}
	if settings.ExternalURL != "" {
		cfg.Links = d.links
	}
	return web.API(cfg)
}

// active returns the Desk, or where it is.
func (d *Daemon) active(ctx context.Context) (watcher.Desk, error) {
	if owner := d.desk.Load(); owner != nil {
		return owner, nil
	}
	lease, err := d.conn.Lease(ctx, d.cfg.Lease)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", watcher.ErrStopped, err)
	}
	holder, err := lease.Holder(ctx)
	switch {
	case errors.Is(err, nats.ErrNoFact):
		return nil, fmt.Errorf("%w: nobody is yet; it takes some seconds", watcher.ErrStopped)
	case err != nil:
		return nil, fmt.Errorf("%w, and it is not known which is: %w", watcher.ErrStopped, err)
	case holder.Holder == d.cfg.Replica:
		return nil, fmt.Errorf("%w yet: it reads the journal", watcher.ErrStopped)
	}
	return nil, fmt.Errorf("%w: %s is", watcher.ErrStopped, holder.Holder)
}

// unproved has an answer written down of which nobody knows whose it is. Only the active
// replica writes; to it such an answer comes as well, or to nobody.
func (d *Daemon) unproved(ctx context.Context, ref watcher.Ref, answer watcher.Unproved) error {
	owner := d.desk.Load()
	if owner == nil {
		return watcher.ErrStopped
	}
	return owner.Unproved(ctx, ref, answer)
}

// links returns what signs the links for one person: with one key for all replicas,
// made once and kept as a fact.
func (d *Daemon) links(ctx context.Context) (*web.Links, error) {
	key, err := d.linkKey.of(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("the key of the links: %w", err)
	}
	return web.NewLinks(key, d.cfg.Daemon.HTTP.ExternalURL)
}

// linkFor is how long a link is good at most: longer than any question is open.
const linkFor = 7 * 24 * time.Hour

// answerLink is the label of the link by which one person answers.
const answerLink = "Answer here"

// linked adds to a question where it is answered: on a channel that reaches one person
// alone the link of that person, elsewhere the page for whoever logs in, if people do. A
// question without it is told all the same.
func (d *Daemon) linked(ctx context.Context, channel configs.Tool, m actions.Message) actions.Message {
	if m.Question == nil {
		return m
	}
	address, err := d.answeredAt(ctx, channel, *m.Question)
	if err != nil {
		d.cfg.Log.Error("a question is told without its link", "watch", m.Watch, "service", m.Service, "err", err)
	}
	if address == "" {
		return m
	}
	links := map[string]string{answerLink: address}
	maps.Copy(links, m.Links)
	m.Links = links
	return m
}

// answeredAt returns the address at which those whom the channel reaches answer; empty: there is none.
func (d *Daemon) answeredAt(ctx context.Context, channel configs.Tool, asked actions.Asked) (string, error) {
	if every, has := channel.Common.(*actions.EveryChannel); has && every.Person != "" {
		return d.linkTo(ctx, every.Person, asked)
	}
	if d.issuer == nil {
		return "", nil
	}
	return d.reachedAt(web.QuestionPath + url.PathEscape(asked.Watch)), nil
}

// reachedAt returns the address at which people reach one of our paths.
func (d *Daemon) reachedAt(path string) string {
	return strings.TrimSuffix(d.cfg.Daemon.HTTP.ExternalURL, "/") + path
}

func (d *Daemon) linkTo(ctx context.Context, person string, asked actions.Asked) (string, error) {
	links, err := d.links(ctx)
	if err != nil {
		return "", err
	}
	return links.URL(web.Link{Watch: asked.Watch, Question: asked.Question, Person: person, Expires: time.Now().Add(linkFor).Unix()})
}
