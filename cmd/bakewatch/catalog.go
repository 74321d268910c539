package main

import (
	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/integrations/alertmanager"
	"github.com/bakewatch/bakewatch/integrations/email"
	"github.com/bakewatch/bakewatch/integrations/exec"
	logchannel "github.com/bakewatch/bakewatch/integrations/log"
	"github.com/bakewatch/bakewatch/integrations/oidc"
	"github.com/bakewatch/bakewatch/integrations/pagerduty"
	"github.com/bakewatch/bakewatch/integrations/slack"
	"github.com/bakewatch/bakewatch/integrations/webhook"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/kinds"
)

// catalog lists what there is to configure: the one place where a rule kind, an
// executor or a channel becomes known to the loader.
func catalog() configs.Catalog {
	return configs.Catalog{
		Rules:      kinds.All(),
		LaterRules: kinds.Later(),
		Build:      kinds.Build,
		Calls:      authority.Explain,

		EveryChannel: func() rules.Options { return &actions.EveryChannel{} },

		Executors: []rules.Kind{exec.Kind(), webhook.ExecutorKind()},
		Channels: []rules.Kind{
			alertmanager.Kind(), email.Kind(), logchannel.Kind(), pagerduty.Kind(), slack.Kind(), webhook.ChannelKind(),
		},
		Schedules: []rules.Kind{pagerduty.ScheduleKind()},
		Login:     func() rules.Options { return oidc.Defaults() },
		LaterExecutors: []string{
			"argocd", "argo-rollouts", "consul", "envoy", "etcd", "flagd", "flux", "git", "haproxy", "helm",
			"kubernetes", "launchdarkly", "nats", "nginx", "nomad", "systemd", "traefik", "unleash",
		},
		LaterChannels: []string{"cdevents", "nats", "opsgenie", "teams"},
	}
}
