package main

import (
	"context"
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
	url := "http://" + defaultHTTP
	ready := false
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask the daemon on this machine whether it is well; for a container's health check",
		Long: `Ask the daemon on this machine over HTTP whether it is well. It ends with 0 if so and 1
if not. --ready asks whether it takes events and may act, too.`,
		Args: arguments(),
		RunE: p.begin(func(cmd *cobra.Command, _ []string) error {
			path := "/-/healthy"
			if ready {
				path = "/-/ready"
			}
			return p.health(cmd.Context(), url+path)
		}),
	}
	cmd.Flags().StringVar(&url, "url", url, "where the daemon listens")
	cmd.Flags().BoolVar(&ready, "ready", false, "whether it is ready, and not just alive")
	return cmd
}

// healthTimeout bounds the question; a container's engine has less patience.
const healthTimeout = 4 * time.Second

func (p *program) health(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	status, said, err := get(ctx, url)
	if err != nil {
		return hinted(err, "is the daemon running, and is [http] listen of its file the same as --url?")
	}
	well := status == http.StatusOK
	if p.output == jsonOut {
		err = p.json(struct {
			OK     bool   `json:"ok"`
			Status int    `json:"status"`
			Said   string `json:"said"`
		}{well, status, said})
	} else {
		p.printer().line(plain, "%s", said)
	}
	if err != nil {
		return err
	}
	if !well {
		return fmt.Errorf("%s answered %d", url, status)
	}
	return nil
}

func get(ctx context.Context, url string) (status int, said string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	return response.StatusCode, strings.TrimSpace(string(body)), err
}
