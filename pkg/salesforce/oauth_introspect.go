package salesforce

import (
	"context"
	"net/http"
	"net/url"
)

// Introspect says whether a refresh token is still good, without spending it:
// after a lost reply it tells whether the token was consumed, where presenting
// it once more could revoke the whole family (RFC 7662). [R official Postman]
func (o *OAuth) Introspect(ctx context.Context, refreshToken string) (active bool, err error) {
	secret, err := o.secret()
	if err != nil {
		return false, err
	}
	status, body, failure := o.post(ctx, "introspect", url.Values{
		"token": {refreshToken}, "token_type_hint": {"refresh_token"}, "client_id": {o.cfg.ClientID}, "client_secret": {secret},
	})
	if failure != nil {
		return false, introspected(failure)
	}
	var answer struct {
		Active *bool `json:"active"`
	}
	if status == http.StatusOK && decode(body, &answer) == nil && answer.Active != nil {
		return *answer.Active, nil
	}
	code, description := tokenErrorBody(body)
	return false, introspected(classifyToken(tokenRefusal{status: status, code: code, description: description}))
}

// introspected: asking about a token spends nothing, whatever came of it.
func introspected(e *TokenError) *TokenError {
	e.Outcome = NotApplied
	return e
}
