package bus

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Sentinels that callers act on.
var (
	// ErrConflict says that somebody else wrote first: read again.
	ErrConflict = errors.New("somebody else wrote first")
	// ErrNotFound says that there is no such message.
	ErrNotFound = errors.New("no such message")
)

const (
	defaultURL            = "nats://127.0.0.1:4222"
	defaultConnectTimeout = 10 * time.Second
	// requestTimeout bounds one request to the server.
	requestTimeout = 3 * time.Second
	reconnectWait  = 100 * time.Millisecond
	// defaultPing finds out within half a minute that a server is gone without
	// a word, as a host or a network goes. The client's own takes six minutes.
	defaultPing = 10 * time.Second
	// unanswered is how many pings may be, before the server is taken for gone.
	unanswered = 2
)

// Options says where NATS is and who we are there.
type Options struct {
	// URL of one or more servers, comma-separated. Default nats://127.0.0.1:4222.
	URL string
	// Name is our role, and shown in the server's connection list.
	Name string
	// NkeySeedFile, CAFile, CertFile and KeyFile are optional.
	NkeySeedFile, CAFile, CertFile, KeyFile string
	// InboxPrefix keeps replies from other services. Default that of the role.
	InboxPrefix string
	// ConnectTimeout is how long Connect waits for the server. Default 10s.
	ConnectTimeout time.Duration
	// Ping is how often a silent server is asked whether it is there. Default 10s.
	Ping time.Duration
	// InProcess connects to a server in the same process instead of URL.
	InProcess nats.InProcessConnProvider
	Log       *slog.Logger
}

// Bus is a connection to NATS. It is safe for concurrent use.
type Bus struct {
	nc   *nats.Conn
	js   jetstream.JetStream
	log  *slog.Logger
	name string
	fed  fed

	clock clock
}

// Header is a message's headers. NATS headers are case-sensitive.
type Header map[string][]string

// Entry is one stored message.
type Entry struct {
	Subject string
	Seq     uint64
	Time    time.Time
	Header  Header
	Data    []byte
}

// Connect connects and waits, up to ConnectTimeout, until the server answers.
func Connect(ctx context.Context, o Options) (*Bus, error) {
	o = o.withDefaults()
	opts, err := o.natsOptions()
	if err != nil {
		return nil, err
	}
	nc, err := dial(ctx, o, opts)
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(requestTimeout))
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("open jetstream: %w", err)
	}
	return &Bus{nc: nc, js: js, log: o.Log, name: o.Name}, nil
}

func (o Options) withDefaults() Options {
	if o.URL == "" {
		o.URL = defaultURL
	}
	if o.ConnectTimeout <= 0 {
		o.ConnectTimeout = defaultConnectTimeout
	}
	if o.Ping <= 0 {
		o.Ping = defaultPing
	}
	if o.InboxPrefix == "" {
		o.InboxPrefix = "_INBOX"
		if o.Name != "" {
			o.InboxPrefix = InboxPrefix(o.Name)
		}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

func (o Options) natsOptions() ([]nats.Option, error) {
	log := o.Log
	denied := &denials{role: o.Name, log: log}
	opts := []nats.Option{
		nats.Name(o.Name),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait),
		nats.PingInterval(o.Ping), nats.MaxPingsOutstanding(unanswered),
		// No buffer while disconnected: a commit must fail at once, not be
		// sent minutes later.
		nats.ReconnectBufSize(-1),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			if !denied.report(err) {
				log.Warn("NATS reported an error", "error", err)
			}
		}),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("NATS connection lost", "error", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { log.Info("NATS connection restored") }),
	}
	if o.InProcess != nil {
		opts = append(opts, nats.InProcessServer(o.InProcess))
	}
	opts = append(opts, nats.CustomInboxPrefix(o.InboxPrefix))
	if o.NkeySeedFile != "" {
		opt, err := nats.NkeyOptionFromSeed(o.NkeySeedFile)
		if err != nil {
			return nil, fmt.Errorf("read NATS nkey seed file %s: %w", o.NkeySeedFile, err)
		}
		opts = append(opts, opt)
	}
	tlsOpt, err := o.tls()
	if err != nil {
		return nil, err
	}
	return append(opts, tlsOpt...), nil
}

func (o Options) tls() ([]nats.Option, error) {
	if o.CAFile == "" && o.CertFile == "" {
		return nil, nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS13}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read NATS CA file: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read NATS CA file %s: holds no PEM certificate", o.CAFile)
		}
	}
	if o.CertFile != "" {
		cert, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("read NATS client certificate: %w", err)
		}
		cfg.Certificates = []tls.Certificate{cert}
	}
	return []nats.Option{nats.Secure(cfg)}, nil
}

// dial tries until the server answers or the timeout is over: services and
// server start side by side.
func dial(ctx context.Context, o Options, opts []nats.Option) (*nats.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, o.ConnectTimeout)
	defer cancel()
	tick := time.NewTicker(reconnectWait)
	defer tick.Stop()
	for {
		nc, err := nats.Connect(o.URL, opts...)
		if err == nil {
			return nc, nil
		}
		if !errors.Is(err, nats.ErrNoServers) && !unheard(err) {
			return nil, fmt.Errorf("connect to NATS at %s: %w", redactURL(o.URL), err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("connect to NATS at %s: nobody answered within %s (is the server running, and is nats.url right?): %w",
				redactURL(o.URL), o.ConnectTimeout, err)
		case <-tick.C:
		}
	}
}

// unheard says of an error that no server was asked: its name is not known yet,
// as while a container or a pod is replaced, or nobody took the call in time.
func unheard(err error) bool {
	var dns *net.DNSError
	var timeout net.Error
	return errors.As(err, &dns) || errors.As(err, &timeout) && timeout.Timeout()
}

// redactURL cuts user and password out of a URL list.
func redactURL(urls string) string {
	parts := strings.Split(urls, ",")
	for i, u := range parts {
		if at := strings.LastIndex(u, "@"); at >= 0 {
			parts[i] = "nats://…@" + u[at+1:]
		}
	}
	return strings.Join(parts, ",")
}

// Close closes the connection; acks sent before are flushed.
func (b *Bus) Close() {
	_ = b.nc.FlushTimeout(time.Second)
	b.nc.Close()
}

// Ready returns nil while the connection is up.
func (b *Bus) Ready() error {
	if b.nc.Status() != nats.CONNECTED {
		return fmt.Errorf("NATS connection is %s", b.nc.Status())
	}
	return nil
}
