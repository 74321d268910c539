package configs

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
)

// checkTargets checks the targets of scrape: at the start is too late to learn of one.
func (s Prometheus) checkTargets(t strict.Table) {
	for i, target := range s.Scrape {
		if !hostPort(target) {
			t.Fail(fmt.Sprintf("scrape.%d", i), fmt.Sprintf("scrape: %q is no host:port", strict.Shorten(target)),
				`such as "127.0.0.1:8080"; /metrics is asked for, and other paths are said in scrape_file`)
		}
	}
}

// hostPort says whether the text is a target as Prometheus takes it.
func hostPort(text string) bool {
	host, port, err := net.SplitHostPort(text)
	n, number := strconv.Atoi(port)
	return err == nil && number == nil && n > 0 && n < 1<<16 && host != "" && !strings.ContainsAny(host, "/@ \t")
}
