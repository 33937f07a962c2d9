package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
)

func (x *examination) configuration(ctx context.Context) {
	x.check(ctx, configFile, func(context.Context) []verdict {
		if x.FileErr != nil {
			return fail("Correct the file; docs/configuration.md has every key. No service starts with it as it is.", "%s", x.FileErr)
		}
		if len(x.File.Orgs) == 0 {
			return ok("the file is read; it names no org, so that none is looked at")
		}
		return ok("the file is read; orgs: %s", strings.Join(names(x.File.Orgs), ", "))
	})
	x.check(ctx, configExpressions, func(context.Context) []verdict {
		if err := x.Expressions(x.File); err != nil {
			return fail("Correct the expressions; assignment does not start with them as they are.", "%s", err)
		}
		if len(x.File.Sources) > 1 && len(x.File.Authority) == 0 {
			return warn("Write `authority`: the sources that decide who is employed, the most trusted first (docs/events.md, Who decides).",
				"every rule, grant and field compiles; with several sources and no authority, precedence decides who is employed")
		}
		return ok("every rule, grant and field compiles")
	})
	x.check(ctx, configKeys, func(context.Context) []verdict { return append(x.deploymentKey(), x.tokensKey()...) })
}

func (x *examination) deploymentKey() []verdict {
	secret, err := os.ReadFile(x.File.Deployment.KeyFile)
	if err == nil {
		_, err = events.NewKeyer(secret)
	}
	return x.keyVerdict("deployment.keyFile", x.File.Deployment.KeyFile, err)
}

func (x *examination) tokensKey() []verdict {
	var err error
	if x.File.Tokens.KeyFile == "" {
		x.sealErr = errors.New("tokens.keyFile is not set")
	} else {
		x.sealer, err = seal.Load(x.File.Tokens.KeyFile)
		x.sealErr = err
	}
	return x.keyVerdict("tokens.keyFile", x.File.Tokens.KeyFile, err)
}

func (x *examination) keyVerdict(key, path string, err error) []verdict {
	switch {
	case path == "" && x.FileErr == nil && len(x.File.Orgs) == 0:
		// An operator's file: no service starts with it, and nothing here needs it.
		return skipped("%s is not set, and nothing here needs it: the configuration names no org", key)
	case path == "":
		return warn("Set "+key+"; `rollcall up` makes one by itself.", "%s is not set", key)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return warn("If services run here, put the file where the configuration says, readable for them.", "%s cannot be read here: %s", key, err)
	case err != nil:
		return fail("Restore the file from a copy: nothing can replace it.", "%s is not such a key: %s", key, err)
	}
	return ok("%s is in order: %s", key, path)
}
