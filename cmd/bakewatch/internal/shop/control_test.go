package shop_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/shop"
)

// order posts an order and returns the status and the reply.
func order(t *testing.T, s *shop.Shop, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.ControlURL()+"/rollback", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	reply, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, strings.TrimSpace(string(reply))
}

func TestARollbackIsOrderedOverHTTP(t *testing.T) {
	s := open(t, shop.Config{Instances: 2})
	deploy(t, s, "1", shop.Good)
	deploy(t, s, "2", shop.Errors)
	const body = `{"key": "k1", "service": "shop", "environment": "demo", "from": "2", "to": "1", "watch": "7", "reason": "errors"}`

	if status, reply := order(t, s, body); status != http.StatusOK || reply != `{"state":"done","live":"1"}` {
		t.Fatalf("got %d %s", status, reply)
	}
	metric(t, metrics(t, s.Targets()[1]), "shop_build_info", "version", "1")

	t.Run("what is live can be asked", func(t *testing.T) {
		if _, reply, err := get(t, s.ControlURL()+"/live"); err != nil || strings.TrimSpace(reply) != `{"version":"1"}` {
			t.Errorf("got %s, %v", reply, err)
		}
	})
	t.Run("the same order again, after another deployment, changes nothing", func(t *testing.T) {
		deploy(t, s, "3", shop.Good)
		if _, reply := order(t, s, body); reply != `{"state":"done","live":"3"}` || s.Live() != "3" {
			t.Errorf("got %s, live %q", reply, s.Live())
		}
	})
	t.Run("a version that nobody deployed is not gone back to", func(t *testing.T) {
		_, reply := order(t, s, `{"key": "k2", "service": "shop", "to": "9"}`)
		if !strings.HasPrefix(reply, `{"state":"failed","live":"3","reason":`) || s.Live() != "3" {
			t.Errorf("got %s, live %q", reply, s.Live())
		}
	})
	t.Run("another service's order is refused", func(t *testing.T) {
		if status, _ := order(t, s, `{"key": "k3", "service": "cart", "to": "1"}`); status != http.StatusNotFound || s.Live() != "3" {
			t.Errorf("got %d, live %q", status, s.Live())
		}
	})
	t.Run("what is no order is refused", func(t *testing.T) {
		if status, _ := order(t, s, `to 1`); status != http.StatusBadRequest {
			t.Errorf("got %d", status)
		}
	})
}
