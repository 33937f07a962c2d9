package salesforce

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/jwt"
)

// jwtLifetime: Salesforce's documentation wants exp within three minutes. [D]
const jwtLifetime = 3 * time.Minute

// JWTUser is whom and with what the JWT bearer flow signs in.
type JWTUser struct {
	// Username of the integration user.
	Username string
	// Audience is https://login.salesforce.com (the default), or
	// https://test.salesforce.com for a sandbox.
	Audience string
	// PrivateKey returns the RSA key in PEM; it is read for each request, so
	// that the file may be replaced.
	PrivateKey func() ([]byte, error)
}

// JWTBearer obtains a token by a signed assertion (RS256). It never brings a
// refresh token. [D]
func (o *OAuth) JWTBearer(ctx context.Context, user JWTUser) (Grant, error) {
	if user.Username == "" || user.PrivateKey == nil {
		return Grant{}, &TokenError{Code: CodeBadRequest, Description: "Username and PrivateKey are required", Class: TokenConfiguration, Outcome: NotApplied}
	}
	key, err := user.PrivateKey()
	if err != nil {
		return Grant{}, &TokenError{Code: CodeNoSecret, Description: "the private key cannot be read", Class: TokenConfiguration, Outcome: NotApplied, cause: err}
	}
	if err := checkKey(key); err != nil {
		return Grant{}, &TokenError{Code: CodeNoSecret, Description: err.Error(), Class: TokenConfiguration, Outcome: NotApplied}
	}
	audience := user.Audience
	if audience == "" {
		audience = "https://login.salesforce.com"
	}
	cfg := jwt.Config{
		Email: o.cfg.ClientID, Subject: user.Username, PrivateKey: key,
		Audience: audience, TokenURL: o.endpoint("token"), Expires: jwtLifetime,
	}
	return o.obtain(ctx, func(ctx context.Context) (*oauth2.Token, error) { return cfg.TokenSource(ctx).Token() })
}

// checkKey tells a wrong key from a silent server: x/oauth2 reports both alike.
// The errors of the parsers are dropped, so that no piece of a key gets out.
func checkKey(key []byte) error {
	block, _ := pem.Decode(key)
	if block == nil {
		return errors.New("the private key is not PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err == nil {
		if _, ok := parsed.(*rsa.PrivateKey); !ok {
			return errors.New("the private key is not an RSA key")
		}
		return nil
	}
	if _, err := x509.ParsePKCS1PrivateKey(block.Bytes); err != nil {
		return errors.New("the private key is neither PKCS#8 nor PKCS#1")
	}
	return nil
}
