package trust

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
)

// Extend returns base, or where caFile is not empty a copy of it that trusts the
// authorities in that PEM file too. The error says what is wrong with the file.
func Extend(base http.RoundTripper, caFile string) (http.RoundTripper, error) {
	if caFile == "" {
		return base, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("caFile: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("caFile: the system's certificate authorities: %w", err)
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("caFile: %s holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)", caFile)
	}
	transport, ok := base.(*http.Transport)
	if !ok {
		return nil, fmt.Errorf("caFile: a transport of type %T takes no certificate authorities", base)
	}
	transport = transport.Clone()
	if transport.TLSClientConfig == nil {
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	transport.TLSClientConfig.RootCAs = roots
	return transport, nil
}
