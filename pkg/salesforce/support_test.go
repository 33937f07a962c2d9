package salesforce

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
)

// roundTripper is a transport made of a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// oneSession is always the same session.
type oneSession Session

func (o oneSession) Session(context.Context) (Session, error) { return Session(o), nil }

func (o oneSession) Renew(context.Context, Session) (Session, error) { return Session(o), nil }

// unzip returns the text of a gzip stream.
func unzip(from io.Reader) (string, error) {
	in, err := gzip.NewReader(from)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(in)
	return string(text), err
}
