package embedded

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/common/model"
	"golang.org/x/sync/errgroup"
)

// Run finds and scrapes targets until ctx ends or the server is closed; both are
// success. A server runs once.
func (s *Server) Run(ctx context.Context) error {
	if err := s.start(); err != nil {
		return err
	}
	defer s.running.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()

	var group errgroup.Group
	group.Go(func() error { return wrap("scraper", s.scraper.Run(s.finder.SyncCh())) })
	group.Go(func() error { return wrap("target discovery", s.finder.Run()) })
	<-ctx.Done()
	s.scraper.Stop() // first, so that no target is taken for gone
	s.cancel()
	return group.Wait()
}

func (s *Server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started || s.closed {
		return errors.New("embedded prometheus: it ran before, or is closed; open another")
	}
	s.started = true
	s.running.Add(1)
	return nil
}

// wrap names the part that failed; the end of a context is no failure.
func wrap(part string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return nil
	}
	return fmt.Errorf("embedded prometheus: %s: %w", part, err)
}

// Close stops scraping and answering, and closes the store. It may be called twice.
func (s *Server) Close() error {
	s.mu.Lock()
	again := s.closed
	s.closed = true
	s.mu.Unlock()
	if again {
		return nil
	}
	close(s.gone)
	s.cancel()
	s.running.Wait()
	s.stopServe()
	if s.cfg.Registerer != nil && s.handler != nil {
		s.registerer().Unregister(s.metrics)
	}
	return s.closeStore()
}

func (s *Server) closeStore() error {
	var errs []error
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Unlock())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("embedded prometheus: close store: %w", err)
	}
	return nil
}

func modelDuration(d time.Duration) model.Duration { return model.Duration(d) }
