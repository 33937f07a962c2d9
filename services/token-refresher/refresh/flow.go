package refresh

import (
	"context"
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// flow is one way of getting a token.
type flow struct {
	// refreshes says that a refresh token is spent and one is kept.
	refreshes bool
	// grant asks the token endpoint; refreshToken is empty unless refreshes.
	grant func(ctx context.Context, o *salesforce.OAuth, refreshToken string) (salesforce.Grant, error)
}

// flowOf returns the configured flow.
func flowOf(c config.Connect) (flow, error) {
	switch c.Flow {
	case config.FlowClientCredentials, "":
		return flow{grant: func(ctx context.Context, o *salesforce.OAuth, _ string) (salesforce.Grant, error) {
			return o.ClientCredentials(ctx)
		}}, nil
	case config.FlowRefreshToken:
		return flow{refreshes: true, grant: func(ctx context.Context, o *salesforce.OAuth, token string) (salesforce.Grant, error) {
			return o.RefreshToken(ctx, token)
		}}, nil
	case config.FlowJWTBearer:
		user := salesforce.JWTUser{
			Username: c.Username, Audience: c.JWTAudience(),
			PrivateKey: func() ([]byte, error) {
				key, err := c.PrivateKey().Read()
				return []byte(key), err
			},
		}
		return flow{grant: func(ctx context.Context, o *salesforce.OAuth, _ string) (salesforce.Grant, error) {
			return o.JWTBearer(ctx, user)
		}}, nil
	}
	return flow{}, fmt.Errorf("flow %q is not known", c.Flow)
}
