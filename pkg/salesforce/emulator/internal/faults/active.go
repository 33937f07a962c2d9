package faults

import "github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"

// Active is a fault that acts on one call.
type Active struct {
	Fault
	preset Preset
	Drops  bool // the connection is closed without an answer
	Torn   bool // only half of the body is sent
	Late   bool // the call is applied later
}

// Before acts on a call that was not applied yet; true ends the call.
func (f *Active) Before(res *wire.Response) bool {
	switch f.Effect {
	case EffectSessionExpired:
		res.Fail(wire.ErrSession())
	case EffectDailyLimit:
		res.Fail(wire.ErrDailyLimit())
	case EffectConcurrentLimit:
		res.Fail(wire.ErrConcurrentLimit())
	case EffectGack:
		res.Fail(wire.ErrGack())
	case EffectUnavailable:
		unavailable(res)
	case EffectStatus:
		res.Bytes(200, nil)
	case EffectTokenError:
		res.TokenError(f.Code, f.Message)
	case EffectFalseSuccess: // [R amp-labs success-with-errors.json]
		res.Bytes(201, []byte(`{"id":"001RM000003oLrB000","success":false,"errors":[{"statusCode":"MALFORMED_ID","message":"malformed id 001RM000003oLrB000","fields":[]}]}`))
	case EffectOAuthHTML:
		oauthPage(res)
	case EffectDropBefore:
		f.Drops = true
	case EffectLate:
		f.Drops, f.Late = true, true
		res.None(0)
		return true
	default:
		if f.preset.Name == "" {
			return false
		}
		f.answerPreset(res)
	}
	f.override(res)
	return true
}

// answerPreset refuses the whole call as the preset says.
func (f *Active) answerPreset(res *wire.Response) {
	e := f.preset.refusal(&f.Fault)
	if f.preset.Scope == ScopeToken {
		res.TokenError(e.Code, e.Message)
		return
	}
	res.Fail(e)
}

// oauthPage is what a part of the platform says that knows no JSON. [R
// django-salesforce: header and code; the page around them is an assumption]
func oauthPage(res *wire.Response) {
	res.Kind(wire.HTMLType)
	res.Header.Set("Sfdc-OAuth-Error", "1703")
	res.Header.Set("WWW-Authenticate", "Token")
	res.Set(401, []byte("<html><head></head><body>LOGIN_OAUTH_INVALID_TOKEN</body></html>"))
}

// override puts the fault's own status and body in place of the preset's.
func (f *Active) override(res *wire.Response) {
	if f.Status != 0 {
		res.Status = f.Status
	}
	if f.Body != "" {
		res.Body = []byte(f.Body)
	}
	if f.ContentType != "" {
		res.Kind(f.ContentType)
	}
}

// After acts on a call that was applied.
func (f *Active) After(res *wire.Response) {
	switch f.Effect {
	case EffectGackAfterCommit:
		res.Fail(wire.ErrGack())
		f.override(res)
	case EffectDropAfter:
		f.Drops = true
	case EffectTorn:
		f.Torn = true
	}
}

// unavailable is what the edge says during maintenance. [S]
func unavailable(res *wire.Response) {
	res.Kind(wire.HTMLType)
	res.Set(503, []byte("<!DOCTYPE html><html><head><title>Service Unavailable</title></head><body><h1>We are setting things up...</h1></body></html>"))
}
