package salesforce

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"
)

// Defaults of Config.
const (
	DefaultAPIVersion       = "63.0" // Spring '25
	DefaultCallTimeout      = time.Minute
	DefaultMaxResponseBytes = 32 << 20
	DefaultMaxRecords       = 200_000
)

// Config says how to reach one org. The zero value of every field but Sessions
// has a default.
type Config struct {
	// APIVersion is the version of the REST API, "63.0" by default.
	APIVersion string
	// Sessions hands out the access tokens. Required.
	Sessions Sessions
	// OrgID, when given, is the only org whose sessions are used.
	OrgID string
	// Transport carries the requests; a clone of http.DefaultTransport by
	// default. It must not follow redirects or retry.
	Transport http.RoundTripper
	// AllowedHostSuffixes are the hosts that may see a token: ".example.com"
	// allows every host below example.com, "host.example.com" that host alone.
	// By default Salesforce's own, see DefaultHostSuffixes.
	AllowedHostSuffixes []string
	// AllowLoopbackHTTP allows http:// and https:// to a loopback address, for
	// tests against an emulator.
	AllowLoopbackHTTP bool
	// MaxResponseBytes bounds each body after decompression; 32 MiB by default.
	MaxResponseBytes int64
	// MaxRecords bounds what Query and QueryIn return; 200,000 by default.
	MaxRecords int
	// UserAgent is sent with each call.
	UserAgent string
	// OnUsage, when given, is told the API usage after each call that reports
	// it. It is called on the goroutine of the call and must not block.
	OnUsage func(Usage)
	// CallTimeout bounds each HTTP call, within the caller's context; one
	// minute by default. Salesforce itself gives up after ten. [D]
	CallTimeout time.Duration
}

// Client calls the REST API of one org. It is safe for concurrent use.
//
// Every method returns an *Error (through errors.As) for anything that
// Salesforce or the way to it did. No call is repeated, apart from one
// re-authentication after Salesforce definitely refused the session.
type Client struct{ connection }

// connection carries calls: it knows sessions, hosts and answers, and nothing of
// what is asked.
type connection struct {
	cfg   Config
	hosts hostRules
	http  *http.Client
	// dialsItself: the transport is Go's own, which tells of its connections.
	dialsItself bool
}

// NewClient checks the configuration and lists everything wrong with it.
func NewClient(cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("salesforce client: %w", err)
	}
	if cfg.Transport == nil {
		cfg.Transport = defaultTransport()
	}
	_, dialsItself := cfg.Transport.(*http.Transport)
	return &Client{connection{
		cfg:         cfg,
		hosts:       hostRules{suffixes: cfg.AllowedHostSuffixes, loopback: cfg.AllowLoopbackHTTP},
		http:        &http.Client{Transport: cfg.Transport, CheckRedirect: refuseRedirect},
		dialsItself: dialsItself,
	}}, nil
}

func (c Config) withDefaults() Config {
	if c.APIVersion == "" {
		c.APIVersion = DefaultAPIVersion
	}
	if c.AllowedHostSuffixes == nil {
		c.AllowedHostSuffixes = DefaultHostSuffixes()
	}
	if c.MaxResponseBytes == 0 {
		c.MaxResponseBytes = DefaultMaxResponseBytes
	}
	if c.MaxRecords == 0 {
		c.MaxRecords = DefaultMaxRecords
	}
	if c.UserAgent == "" {
		c.UserAgent = "rollcall-salesforce-go"
	}
	if c.CallTimeout == 0 {
		c.CallTimeout = DefaultCallTimeout
	}
	return c
}

func (c Config) validate() error {
	var errs []error
	if !regexp.MustCompile(`^[1-9][0-9]{1,2}\.0$`).MatchString(c.APIVersion) {
		errs = append(errs, fmt.Errorf("APIVersion %q: want the form 63.0", c.APIVersion))
	}
	if c.Sessions == nil {
		errs = append(errs, errors.New("Sessions: missing"))
	}
	if c.OrgID != "" && !orgIDLike.MatchString(c.OrgID) {
		errs = append(errs, fmt.Errorf("OrgID %q: want 15 or 18 characters beginning with 00D", c.OrgID))
	}
	if c.MaxResponseBytes < 0 {
		errs = append(errs, errors.New("MaxResponseBytes: negative"))
	}
	if c.MaxRecords < 0 {
		errs = append(errs, errors.New("MaxRecords: negative"))
	}
	if c.CallTimeout < 0 {
		errs = append(errs, errors.New("CallTimeout: negative"))
	}
	return errors.Join(append(errs, checkSuffixes(c.AllowedHostSuffixes))...)
}

// dataPath is the path of a data call, "/services/data/v63.0/<rest>".
func (c *connection) dataPath(rest string) string {
	return "/services/data/v" + c.cfg.APIVersion + "/" + rest
}
