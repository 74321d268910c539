package web_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/integrations/web"
	"github.com/bakewatch/bakewatch/watcher"
)

// keyed are links signed with a key of one letter.
func keyed(t *testing.T, letter string) *web.Links {
	t.Helper()
	links, err := web.NewLinks([]byte(strings.Repeat(letter, web.KeyBytes)), "")
	if err != nil {
		t.Fatal(err)
	}
	return links
}

// pathOf is where a link leads.
func pathOf(t *testing.T, links *web.Links, link web.Link) string {
	t.Helper()
	address, err := links.URL(link)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func TestALinkAnswersOnceForOnePerson(t *testing.T) {
	links, others := keyed(t, "k"), keyed(t, "o")
	now := time.Date(2026, 11, 23, 10, 5, 0, 0, time.UTC)
	link := web.Link{Watch: "20", Question: 23, Person: "bea", Expires: now.Add(time.Hour).Unix()}
	path := func(l *web.Links, link web.Link) string { return pathOf(t, l, link) }
	linked := func(c *web.APIConfig) {
		c.Links = func(context.Context) (*web.Links, error) { return links, nil }
		c.Now = func() time.Time { return now }
		c.Identify = func(p authority.Proof) (string, error) {
			if p.Way == authority.Link && p.Subject == "bea" {
				return "bea", nil
			}
			return "", authority.ErrUnproved
		}
	}
	form := func(choice string) call {
		return call{method: "POST", path: path(links, link), body: url.Values{"choice": {choice}}.Encode(), headers: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}
	}

	t.Run("to look at it is no vote", func(t *testing.T) {
		d := asking()
		base := serveAPI(t, d, linked)
		for _, method := range []string{"GET", "HEAD"} {
			response, text := call{method: method, path: path(links, link)}.do(t, base)
			if response.StatusCode != http.StatusOK || len(d.made()) > 0 {
				t.Errorf("%s: %d, %q", method, response.StatusCode, d.made())
			}
			if method == "GET" && (!strings.Contains(text, `value="roll-back"`) || !strings.Contains(text, "5xx &lt;is&gt; breached") || strings.Contains(text, "<script")) {
				t.Error(text)
			}
			for name, want := range map[string]string{"Content-Security-Policy": "default-src 'none'", "Cache-Control": "no-store", "Referrer-Policy": "same-origin"} {
				if !strings.Contains(response.Header.Get(name), want) {
					t.Errorf("%s is %q", name, response.Header.Get(name))
				}
			}
		}
	})
	t.Run("to press a button is one, and then it is only shown", func(t *testing.T) {
		d := asking()
		base := serveAPI(t, d, linked)
		response, text := form("keep").do(t, base)
		if response.StatusCode != http.StatusOK || !slices.Equal(d.made(), []string{`answer 20 23 keep "" by link bea`}) || !strings.Contains(text, "You answered keep") {
			t.Fatalf("%d %s %q", response.StatusCode, text, d.made())
		}
		if _, text := (call{method: "GET", path: path(links, link)}).do(t, base); strings.Contains(text, "<button") || !strings.Contains(text, "You answered keep") {
			t.Error(text)
		}
	})
	t.Run("once the question is over it is only shown", func(t *testing.T) {
		d := asking()
		d.view.Question, d.view.Phase, d.view.Outcome = nil, watcher.Ended, watcher.Kept
		if _, text := (call{method: "GET", path: path(links, link)}).do(t, serveAPI(t, d, linked)); strings.Contains(text, "<button") || !strings.Contains(text, "This question is over. The watch is kept.") {
			t.Error(text)
		}
	})
	t.Run("what became of it is said to whoever has voted, and to others", func(t *testing.T) {
		keep := authority.Vote{Question: 23, Person: "bea", Choice: authority.Keep, At: now}
		others := authority.Vote{Question: 23, Person: "cleo", Choice: authority.RollBack, At: now}
		older := authority.Vote{Question: 5, Person: "bea", Choice: authority.Keep, At: now}
		for says, change := range map[string]func(*watcher.WatchView){
			"You answered keep at 10:05 UTC: it is kept by your vote, and nothing is rolled back. The watch is baking.": func(v *watcher.WatchView) { v.KeptBy = []authority.Vote{keep} },
			"You answered keep at 10:05 UTC: it is kept by the votes of bea. The watch is baking.":                      func(v *watcher.WatchView) { v.KeptBy = []authority.Vote{others, keep} },
			"This question is over: it is kept by the votes of dan. The watch is baking.": func(v *watcher.WatchView) {
				v.KeptBy = []authority.Vote{{Question: 23, Person: "dan", Choice: authority.Keep}}
			},
			"You answered keep at 10:05 UTC: it was decided to roll back, by the votes of cleo. The watch is baking.": func(v *watcher.WatchView) {
				v.Decision = &watcher.Decision{By: watcher.ByVotes, Votes: []authority.Vote{keep, others}}
			},
			"This question is over. The watch is baking.": func(v *watcher.WatchView) { v.KeptBy = []authority.Vote{older} },
		} {
			d := asking()
			d.view.Question, d.view.Phase = nil, watcher.Baking
			change(&d.view)
			if _, text := (call{method: "GET", path: path(links, link)}).do(t, serveAPI(t, d, linked)); !strings.Contains(text, says) {
				t.Errorf("%s\nwant %s", text, says)
			}
		}
	})
	changed := func(l web.Link, change func(*web.Link)) web.Link { change(&l); return l }
	cut := path(links, link)
	cut = cut[:len(cut)-2]
	text, _, _ := strings.Cut(path(links, changed(link, func(l *web.Link) { l.Question++ })), ".")
	_, mac, _ := strings.Cut(path(links, link), ".")
	cross := form("keep")
	cross.headers["Sec-Fetch-Site"] = "cross-site"
	for name, test := range map[string]struct {
		call   call
		status int
	}{
		"signed by another":     {call{method: "GET", path: path(others, link)}, 404},
		"changed":               {call{method: "GET", path: text + "." + mac}, 404},
		"cut off":               {call{method: "GET", path: cut}, 404},
		"of nothing":            {call{method: "GET", path: web.AnswerPath}, 404},
		"expired":               {call{method: "GET", path: path(links, changed(link, func(l *web.Link) { l.Expires = now.Unix() }))}, 404},
		"of one without links":  {call{method: "GET", path: path(links, changed(link, func(l *web.Link) { l.Person = "eve" }))}, 403},
		"with no such answer":   {form("explode"), 400},
		"that takes a vote":     {form("withdraw"), 400},
		"from another site":     {cross, 403},
		"of a question of old":  {call{method: "GET", path: path(links, changed(link, func(l *web.Link) { l.Question = 3 }))}, 200},
		"with a body too large": {form(strings.Repeat("x", 20<<10)), 400},
	} {
		t.Run("a link "+name, func(t *testing.T) {
			d := asking()
			response, text := test.call.do(t, serveAPI(t, d, linked))
			if response.StatusCode != test.status || strings.Contains(text, "<button") || len(d.made()) > 0 {
				t.Errorf("%d %s %q, want %d", response.StatusCode, text, d.made(), test.status)
			}
		})
	}
}

func TestAnAnswerByALinkThatIsNotGoodIsHandedOnAsNobodys(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 5, 0, 0, time.UTC)
	link := web.Link{Watch: "20", Question: 23, Person: "bea", Expires: now.Add(time.Hour).Unix()}
	path := func(l *web.Links, link web.Link) string { return pathOf(t, l, link) }
	ours, others := keyed(t, "k"), keyed(t, "o")
	expired, nameless := link, link
	expired.Expires = now.Unix()
	nameless.Question = 0
	for name, test := range map[string]struct {
		method, path, want string
		refused            int
	}{
		"signed by another":                 {"POST", path(others, link), "20 23 keep a link: this link is not good", 1},
		"that has expired":                  {"POST", path(ours, expired), "20 23 keep a link: this link is not good: it has expired", 1},
		"that names no question":            {"POST", path(others, nameless), "", 1},
		"that is none":                      {"POST", web.AnswerPath + "x", "", 1},
		"signed by another, only looked at": {"GET", path(others, link), "", 0},
		"that is good":                      {"POST", path(ours, link), "", 0},
	} {
		t.Run("a link "+name, func(t *testing.T) {
			var heard string
			refused := 0
			base := serveAPI(t, asking(), func(c *web.APIConfig) {
				c.Links = func(context.Context) (*web.Links, error) { return ours, nil }
				c.Now = func() time.Time { return now }
				c.Refused = func(string) { refused++ }
				c.Unproved = func(_ context.Context, ref watcher.Ref, a watcher.Unproved) error {
					heard += fmt.Sprintf("%s %d %s %s: %s", ref.Name, a.Question, a.Choice, a.Given, a.Why)
					return nil
				}
			})
			call{method: test.method, path: test.path, body: "choice=keep", headers: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}.do(t, base)
			if heard != test.want || refused != test.refused {
				t.Errorf("handed on was %q, want %q; %d refused, want %d", heard, test.want, refused, test.refused)
			}
		})
	}
}

func TestWhoeverForgesManyAnswersDoesNotKeepTheDeskBusy(t *testing.T) {
	links, others := keyed(t, "k"), keyed(t, "o")
	now := time.Date(2026, 11, 23, 10, 5, 0, 0, time.UTC)
	var handed, refused int
	base := serveAPI(t, asking(), func(c *web.APIConfig) {
		c.Links = func(context.Context) (*web.Links, error) { return links, nil }
		c.Now = func() time.Time { return now }
		c.Refused = func(string) { refused++ }
		c.Unproved = func(context.Context, watcher.Ref, watcher.Unproved) error { handed++; return nil }
	})
	forges := func(times int) (more int) {
		before := handed
		for i := range times {
			path := pathOf(t, others, web.Link{Watch: fmt.Sprint(i), Question: 23, Person: "bea", Expires: now.Add(time.Hour).Unix()})
			response, _ := call{method: "POST", path: path, body: "choice=keep", headers: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}.do(t, base)
			if response.StatusCode != http.StatusNotFound {
				t.Fatal(response.Status)
			}
		}
		return handed - before
	}
	if n := forges(100); n == 0 || n > 20 || refused != 100 {
		t.Errorf("of 100 at once %d were handed on, and %d counted", n, refused)
	}
	now = now.Add(time.Minute)
	if n := forges(1); n != 1 {
		t.Error("one that comes later is not handed on")
	}
}
