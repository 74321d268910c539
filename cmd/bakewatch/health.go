package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// defaultHTTP is where the daemon listens when [http] says nothing.
const defaultHTTP = "127.0.0.1:9595"

func healthCommand(p *program) *cobra.Command {
	question := healthQuestion{httpAddress: httpAddress{base: "http://" + defaultHTTP}}
	file := ""
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask the daemon on this machine whether it is well; for a container's health check",
		Long: `Ask the daemon on this machine over HTTP whether it is well. It ends with 0 if so and 1
if not. --config finds where the daemon listens, and whether with TLS, in its file; a file that
cannot be read is warned about, and the default is asked. A daemon that wants a password or a
certificate is alive. --ready asks whether NATS is there and it is not stopping, too; a standby
is ready.`,
		Args: arguments(),
		RunE: p.begin(func(cmd *cobra.Command, _ []string) error {
			if file != "" {
				question.httpAddress = p.addressBy(file)
			}
			return p.health(cmd.Context(), question)
		}),
	}
	cmd.Flags().StringVar(&question.base, "url", question.base, "where the daemon listens")
	cmd.Flags().StringVarP(&file, "config", "c", "", "the daemon's file, which says where it listens")
	cmd.Flags().BoolVar(&question.ready, "ready", false, "whether it is ready, and not just alive")
	cmd.MarkFlagsMutuallyExclusive("url", "config")
	return cmd
}

// healthTimeout bounds the question; a container's engine has less patience.
const healthTimeout = 4 * time.Second

// healthQuestion is whom to ask, and what.
type healthQuestion struct {
	httpAddress
	ready bool // and not just alive
}

func (q healthQuestion) url() string {
	if q.ready {
		return q.base + "/-/ready"
	}
	return q.base + "/-/healthy"
}

// well says what an answer means. A daemon that lets nobody in without a password is
// alive; whether it is ready is not known then.
func (q healthQuestion) well(status int) bool {
	return status == http.StatusOK ||
		!q.ready && (status == http.StatusUnauthorized || status == http.StatusForbidden)
}

func (p *program) health(ctx context.Context, q healthQuestion) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	status, said, err := q.get(ctx, q.url())
	switch {
	case !q.ready && wantsCertificate(err):
		status, said = http.StatusForbidden, "alive; it wants a certificate"
	case err != nil:
		return hinted(err, "is the daemon running, and is [http] listen of its file the same as --url?")
	}
	if err := p.sayHealth(q.well(status), status, said); err != nil {
		return err
	}
	if !q.well(status) {
		return fmt.Errorf("%s answered %d", q.url(), status)
	}
	return nil
}

func (p *program) sayHealth(well bool, status int, said string) error {
	if p.output != jsonOut {
		p.printer().line(plain, "%s", said)
		return nil
	}
	return p.json(struct {
		OK     bool   `json:"ok"`
		Status int    `json:"status"`
		Said   string `json:"said"`
	}{well, status, said})
}

// get asks. With a web_config_file it tries TLS first, and does without where the file
// turns on a password alone.
func (a httpAddress) get(ctx context.Context, url string) (status int, said string, err error) {
	status, said, err = get(ctx, a.client(), url)
	if rest, found := strings.CutPrefix(url, "https:"); found && a.ours && errors.Is(err, http.ErrSchemeMismatch) {
		return get(ctx, a.client(), "http:"+rest)
	}
	return status, said, err
}

func get(ctx context.Context, client *http.Client, url string) (status int, said string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	return response.StatusCode, strings.TrimSpace(string(body)), err
}
