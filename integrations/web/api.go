package web

import (
	"context"
	_ "embed"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/watcher"
)

// APIPath is below which the Desk is served.
const APIPath = "/api/v1/"

// apiTimeout bounds one request to the Desk.
const apiTimeout = 10 * time.Second

//go:embed openapi.json
var openAPI []byte

// APIConfig says which Desk is served, and whom it believes.
type APIConfig struct {
	// Desk returns the Desk of this replica, if it is the active one. Its error says
	// where the active one is.
	Desk func(context.Context) (watcher.Desk, error)
	// WebConfigFile names the users who may log in, as Config's; empty: nobody logs in.
	WebConfigFile string
	// BelieveLocal says that whoever asks from this machine is who they say they are, where
	// nobody logs in. What that counts for is the Desk's to say.
	BelieveLocal bool
	// Identify says who a proof speaks for.
	Identify func(authority.Proof) (string, error)
	// Login is how people log in besides; nil: not at all.
	Login *Login
	// Links returns what signs the links for one person; nil: there are none.
	Links func(context.Context) (*Links, error)
	// Refused hears of requests that do not say who they are in a way that is accepted; may be nil.
	Refused func(method string)
	// Unproved writes down that somebody with a link that is not good has answered a
	// question; nil: it is only logged. Its error says that none is open.
	Unproved func(context.Context, watcher.Ref, watcher.Unproved) error
	Now      func() time.Time // default: time.Now
	Log      *slog.Logger     // nil: nothing is logged
}

// Whoever forges answers must not keep the Desk busy: so many are handed on to it, for
// which it looks through every lane. Others are only logged and counted.
const (
	forgedPerSecond = 1
	forgedAtOnce    = 10
)

// api serves the Desk.
type api struct {
	APIConfig
	forged *rate.Limiter
}

// API returns the handlers of the Desk over HTTP. Nothing in them may be asked by a page of
// another origin, and nothing is said to one.
func API(cfg APIConfig) Mounts {
	if cfg.Refused == nil {
		cfg.Refused = func(string) {}
	}
	if cfg.Unproved == nil {
		cfg.Unproved = func(context.Context, watcher.Ref, watcher.Unproved) error { return nil }
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	a := &api{cfg, rate.NewLimiter(forgedPerSecond, forgedAtOnce)}
	mounts := Mounts{Guarded: map[string]http.Handler{APIPath: guarded(a.routes(), problemOf)}, Open: map[string]http.Handler{}}
	if cfg.Links != nil {
		mounts.Open[AnswerPath] = guarded(a.pages(), pageOf)
	}
	if cfg.Login != nil {
		maps.Copy(mounts.Open, a.doors())
		mounts.Logins = a.logins
	}
	return mounts
}

// failing writes an error in a handler's own form.
type failing func(http.ResponseWriter, error)

// guarded refuses what a page of another origin makes a browser send, and keeps answers
// out of caches.
func guarded(h http.Handler, fail failing) http.Handler {
	origins := http.NewCrossOriginProtection()
	origins.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fail(w, errOtherOrigin) }))
	checked := origins.Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		checked.ServeHTTP(w, r)
	})
}

func (a *api) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+APIPath+"openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(openAPI)
	})
	mux.Handle("GET "+APIPath+"watches", a.tells(list))
	mux.Handle("GET "+APIPath+"watches/{ref}", a.tells(show))
	mux.HandleFunc("GET "+APIPath+"verdict", a.verdict)
	mux.HandleFunc("POST "+APIPath+"verdict", a.verdict) // Flagger's gates are asked so
	mux.Handle("POST "+APIPath+"watches/{ref}/answers", acts(a, "answer", answer))
	mux.Handle("POST "+APIPath+"watches/{ref}/rollback", acts(a, "rollback", word(watcher.Desk.Rollback)))
	mux.Handle("POST "+APIPath+"watches/{ref}/cancel", acts(a, "cancel", word(watcher.Desk.Cancel)))
	mux.Handle("POST "+APIPath+"watches/{ref}/wrong", acts(a, "wrong", word(watcher.Desk.Wrong)))
	mux.Handle("POST "+APIPath+"disarm", acts(a, "disarm", order(watcher.Desk.Disarm)))
	mux.Handle("POST "+APIPath+"arm", acts(a, "arm", order(watcher.Desk.Arm)))
	mux.HandleFunc(APIPath, func(w http.ResponseWriter, _ *http.Request) { problemOf(w, errNoPath) })
	return mux
}

// tells serves what changes nothing: whoever reaches the address is told.
func (a *api) tells(do func(context.Context, watcher.Desk, *http.Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), apiTimeout)
		defer cancel()
		desk, err := a.Desk(ctx)
		var said any
		if err == nil {
			said, err = do(ctx, desk, r)
		}
		if err != nil {
			a.failed("read", err)
			problemOf(w, err)
			return
		}
		write(w, http.StatusOK, said)
	})
}

// acts serves what is done in somebody's name. Who it is comes first: of whoever is
// nobody, nothing is read.
func acts[Q any](a *api, method string, do func(context.Context, watcher.Desk, *http.Request, Q, authority.Proof) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said, err := carry(a, w, r, do)
		if err == nil {
			write(w, http.StatusOK, said)
			return
		}
		a.refused(w, method, err)
	})
}

func carry[Q any](a *api, w http.ResponseWriter, r *http.Request, do func(context.Context, watcher.Desk, *http.Request, Q, authority.Proof) (any, error)) (any, error) {
	ctx, cancel := context.WithTimeout(r.Context(), apiTimeout)
	defer cancel()
	by, err := a.proof(r)
	if err != nil {
		return nil, err
	}
	desk, err := a.Desk(ctx)
	if err != nil {
		return nil, err
	}
	q, err := read[Q](w, r)
	if err != nil {
		return nil, err
	}
	return do(ctx, desk, r, q, by)
}

// refused says why what is done in somebody's name is not done.
func (a *api) refused(w http.ResponseWriter, method string, err error) {
	a.refuses(method, err)
	a.challenge(w, err)
	problemOf(w, err)
}

// challenge says how to log in, to whoever has not.
func (a *api) challenge(w http.ResponseWriter, err error) {
	if !errors.Is(err, errLogIn) {
		return
	}
	for scheme, taken := range map[string]bool{"Basic": a.WebConfigFile != "", "Bearer": a.Login != nil} {
		if taken {
			w.Header().Add("WWW-Authenticate", scheme+` realm="bakewatch"`)
		}
	}
}

// refuses logs and counts what is refused because nobody knows whose it is, for want of
// the provider's keys as well, and logs what fails.
func (a *api) refuses(method string, err error) {
	if errors.Is(err, authority.ErrUnproved) || errors.Is(err, errNobody) || errors.Is(err, errLogIn) || errors.Is(err, errNoIssuer) {
		a.Log.Warn("a request was refused", "method", method, "reason", err)
		a.Refused(method)
		return
	}
	a.failed(method, err)
}

// failed logs an error that is none of the caller's: they are told to look there.
func (a *api) failed(method string, err error) {
	if problemFor(err).Status == http.StatusInternalServerError {
		a.Log.Error("a request failed", "method", method, "err", err)
	}
}
