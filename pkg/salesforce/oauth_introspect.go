package salesforce

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Introspect says whether a refresh token is still good, without spending it:
// after a lost reply it tells whether the token was consumed, where presenting
// it once more could revoke the whole family (RFC 7662). [R official Postman]
func (o *OAuth) Introspect(ctx context.Context, refreshToken string) (active bool, err error) {
	secret, err := o.secret()
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.cfg.CallTimeout)
	defer cancel()
	form := url.Values{"token": {refreshToken}, "token_type_hint": {"refresh_token"}, "client_id": {o.cfg.ClientID}, "client_secret": {secret}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.endpoint("introspect"), strings.NewReader(form.Encode()))
	if err != nil {
		return false, &TokenError{Code: CodeBadRequest, Description: "the request cannot be built", Class: TokenClientBug, Outcome: NotApplied}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	trip := &tokenTrip{base: o.transport, ctx: ctx, userAgent: o.cfg.UserAgent}
	resp, err := (&http.Client{Transport: trip, CheckRedirect: refuseRedirect}).Do(req)
	if err != nil {
		return false, introspected(tokenFailure(ctx, err, trip))
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return false, introspected(tokenFailure(ctx, err, trip))
	}
	var answer struct {
		Active *bool `json:"active"`
	}
	if resp.StatusCode == http.StatusOK && decode(body, &answer) == nil && answer.Active != nil {
		return *answer.Active, nil
	}
	code, description := tokenErrorBody(body)
	return false, introspected(classifyToken(tokenRefusal{status: resp.StatusCode, code: code, description: description}))
}

// introspected: asking about a token spends nothing, whatever came of it.
func introspected(e *TokenError) *TokenError {
	e.Outcome = NotApplied
	return e
}
