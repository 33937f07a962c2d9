package salesforce

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"
)

var (
	orgIDLike  = regexp.MustCompile(`^00D[A-Za-z0-9]{12}([A-Za-z0-9]{3})?$`)
	suffixLike = regexp.MustCompile(`^\.?[a-z0-9][a-z0-9.-]*$`)
)

// DefaultHostSuffixes are Salesforce's own domains: My Domain and login hosts,
// and sites. [D sfdx-core src/util/sfdcUrl.ts] An org in a cloud with domains of
// its own names them in the configuration.
func DefaultHostSuffixes() []string {
	return []string{".salesforce.com", ".force.com"}
}

// defaultTransport bounds what http.DefaultTransport leaves open. Compression
// is asked for and undone by this package, so that it holds for any transport.
func defaultTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
		DisableCompression:     true,
	}
}

// refuseRedirect hands the redirect itself back: a token (or a secret) goes to
// the host it was meant for and nowhere else.
func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// isRedirect tells a redirect from Salesforce's own 300 (several records have
// the external id) and 304 (not modified).
func isRedirect(status int) bool {
	return status > 300 && status < 400 && status != http.StatusNotModified
}

// redirectText says where a redirect pointed, without the query: it may hold a
// token.
func redirectText(resp *http.Response) string {
	target, err := resp.Location()
	if err != nil {
		return fmt.Sprintf("%s answered with a redirect to nowhere; a redirect is not followed", resp.Request.URL.Host)
	}
	why := "a token is sent only to the host it was issued for"
	if strings.EqualFold(target.Host, resp.Request.URL.Host) {
		why = "the API does not redirect, so this is a login page or a proxy"
	}
	return fmt.Sprintf("%s redirects to %s://%s%s; not followed: %s",
		resp.Request.URL.Host, target.Scheme, target.Host, target.EscapedPath(), why)
}

// hostRules say which hosts may see a token or a secret.
type hostRules struct {
	suffixes []string
	loopback bool
}

// base parses the URL of a host and applies the rules. The error says why a
// URL is refused and holds no more of it than scheme and host.
func (h hostRules) base(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return nil, errors.New("it is not an absolute URL")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("%s://%s has a user, path, query or fragment; want the host alone", u.Scheme, u.Host)
	}
	local := h.loopback && isLoopback(u.Hostname())
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return nil, fmt.Errorf("%s://%s: the scheme must be https", u.Scheme, u.Host)
	}
	if !local && !h.allowed(u.Hostname()) {
		return nil, fmt.Errorf("host %s is not among the allowed ones (%s)", u.Hostname(), strings.Join(h.suffixes, ", "))
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

func (h hostRules) allowed(host string) bool {
	host = strings.ToLower(host)
	for _, suffix := range h.suffixes {
		if host == suffix || (strings.HasPrefix(suffix, ".") && strings.HasSuffix(host, suffix)) {
			return true
		}
	}
	return false
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

func checkSuffixes(suffixes []string) error {
	var errs []error
	for _, s := range suffixes {
		if !suffixLike.MatchString(s) || strings.TrimLeft(s, ".") == "com" {
			errs = append(errs, fmt.Errorf("AllowedHostSuffixes: %q: want .example.com or host.example.com, in lower case", s))
		}
	}
	return errors.Join(errs...)
}
