// Command receiver is a deployment tool's side of the webhook executor, as small as
// it can be: it checks the signature, deploys the version that the order names, and
// says which version is live. It trusts nothing that is not signed.
package main

import (
	"encoding/json"
	"flag"
	"io"
	"log"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "address to serve on")
	secret := flag.String("secret", "receiver.whsec", "file that holds the signing secret")
	deploy := flag.String("deploy", "./deploy.sh", "command that deploys the version named by its one argument")
	live := flag.String("live", "./live.sh", "command that prints the live version")
	flag.Parse()
	text, err := os.ReadFile(*secret)
	if err != nil {
		log.Fatal(err)
	}
	signature, err := standardwebhooks.NewWebhook(strings.TrimSpace(string(text)))
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /rollback", func(w http.ResponseWriter, r *http.Request) { rollback(w, r, signature, *deploy) })
	mux.HandleFunc("GET /live", func(w http.ResponseWriter, r *http.Request) {
		version, err := exec.CommandContext(r.Context(), *live).Output() //nolint:gosec // the operator's own command
		if err != nil {
			http.Error(w, "cannot tell", http.StatusServiceUnavailable)
			return
		}
		reply(w, map[string]string{"version": strings.TrimSpace(string(version))})
	})
	server := &http.Server{Addr: *listen, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// rollback carries out one signed order. Deploying a named version twice does no
// harm, so repeats need not be remembered.
func rollback(w http.ResponseWriter, r *http.Request, signature *standardwebhooks.Webhook, deploy string) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil || signature.Verify(body, r.Header) != nil {
		http.Error(w, "not signed by Bakewatch", http.StatusUnauthorized)
		return
	}
	var order struct{ Service, To string }
	if json.Unmarshal(body, &order) != nil || order.Service != "shop" || !isVersion(order.To) {
		reply(w, map[string]string{"state": "failed", "reason": "not an order for this shop"})
		return
	}
	log.Printf("rollback to %s", order.To)
	if out, err := exec.CommandContext(r.Context(), deploy, order.To).CombinedOutput(); err != nil { //nolint:gosec // argv, checked above
		log.Printf("%v: %s", err, out)
		reply(w, map[string]string{"state": "unknown", "reason": err.Error()}) // it may have done half of it
		return
	}
	reply(w, map[string]string{"state": "done", "live": order.To})
}

// isVersion keeps what an order names from being anything but a version.
func isVersion(text string) bool {
	return text != "" && strings.Trim(text, "0123456789.") == ""
}

func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}
