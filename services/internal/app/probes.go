package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	readHeaderTimeout = 5 * time.Second
	probesTimeout     = 2 * time.Second
)

// Probes serves /metrics, /healthz and /readyz.
type Probes struct {
	server   *http.Server
	addr     string
	draining atomic.Bool
}

// Listen serves the probes at addr; an empty addr serves none. ready says
// whether the program does its work, remark what there is to say though it is ready.
func Listen(ctx context.Context, addr string, metrics http.Handler, ready func() error, remark func() string) (*Probes, error) {
	p := &Probes{}
	if addr == "" {
		return p, nil
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, ListenError(err, addr, "set serve.listen (or ROLLCALL_SERVE_LISTEN) to another one, or to nothing")
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, nil, "") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { answer(w, p.ready(ready), remark()) })
	p.addr = l.Addr().String()
	p.server = &http.Server{Handler: mux, ReadHeaderTimeout: readHeaderTimeout}
	go func() { _ = p.server.Serve(l) }() // ends with Close, and says so
	return p, nil
}

// Addr is where the probes are served, empty for nowhere.
func (p *Probes) Addr() string { return p.addr }

// Drain makes /readyz say no from now on.
func (p *Probes) Drain() {
	if p != nil {
		p.draining.Store(true)
	}
}

// Close stops serving.
func (p *Probes) Close() {
	if p == nil || p.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), probesTimeout)
	defer cancel()
	if p.server.Shutdown(ctx) != nil {
		_ = p.server.Close()
	}
}

func (p *Probes) ready(ready func() error) error {
	if p.draining.Load() {
		return errors.New("stopping")
	}
	return ready()
}

func answer(w http.ResponseWriter, err error, remark string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = fmt.Fprintln(w, err)
	} else {
		_, _ = fmt.Fprintln(w, "ok")
	}
	if remark != "" {
		_, _ = fmt.Fprintln(w, remark)
	}
}

// ListenError says in plain words that a port is taken, and what to do.
func ListenError(err error, addr, remedy string) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s is taken by another program: %s", addr, remedy)
	}
	return fmt.Errorf("listen at %s: %w", addr, err)
}
