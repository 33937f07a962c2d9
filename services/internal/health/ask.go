package health

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// askTimeout is shorter than the 5 s after which the images' HEALTHCHECK
	// kills us: an answer that says why is worth more than being killed.
	askTimeout = 3 * time.Second
	// maxReason bounds what is read of the answer; Docker keeps 4 kB of it.
	maxReason = 2048
)

// Ask returns nil when the program behind rawURL answers 200, and otherwise
// why it did not, in the program's own words where it has some.
func Ask(ctx context.Context, rawURL string) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
	if err != nil {
		return fmt.Errorf("what to ask: %w", err)
	}
	resp, err := (&http.Client{Transport: transport(req.URL.Hostname())}).Do(req)
	var failed *url.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%s: no answer within %s", rawURL, askTimeout)
	case errors.As(err, &failed):
		return fmt.Errorf("%s: %w", rawURL, failed.Err)
	case err != nil:
		return fmt.Errorf("%s: %w", rawURL, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	reason, _ := io.ReadAll(io.LimitReader(resp.Body, maxReason)) // half a reason is one
	return fmt.Errorf("%s: %s: %s", rawURL, resp.Status, strings.TrimSpace(string(reason)))
}

// transport is for a call to our own machine: a proxy of the environment is for
// the way out. Behind a loopback address is who serves here, and nothing secret
// is sent, so the certificate there may be for the name others use.
func transport(host string) *http.Transport {
	ip := net.ParseIP(host)
	loopback := host == "localhost" || ip != nil && ip.IsLoopback()
	return &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: loopback}, //nolint:gosec // G402: see above
	}
}

// ReadyURL is where a program that serves its probes at listen is asked from
// its own machine: a wildcard address is not one to connect to.
func ReadyURL(listen string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("address %q: %w", listen, err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port) + "/readyz", nil
}
