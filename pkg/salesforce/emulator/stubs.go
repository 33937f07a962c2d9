package emulator

import "net/url"

func (c *call) authorize()                               { c.fail(errNotFound()) }
func (c *call) revoke()                                  { c.fail(errNotFound()) }
func (c *call) introspect()                              { c.fail(errNotFound()) }
func (c *call) userinfo()                                { c.fail(errNotFound()) }
func (c *call) identity()                                { c.fail(errNotFound()) }
func (c *call) discovery()                               { c.fail(errNotFound()) }
func (c *call) codeExchange(form url.Values) *oauthError { return grantError("unsupported") }
func (c *call) jwtBearer(form url.Values) *oauthError    { return grantError("unsupported") }
func (c *call) describeGlobal()                          { c.fail(errNotFound()) }
func (c *call) describeObject(name string, full bool)    { c.fail(errNotFound()) }
func (c *call) password(id string)                       { c.fail(errNotFound()) }
func (c *call) jobsRoute(rest []string) route            { return notFoundRoute() }

type bulkStore struct{}

func newBulkStore() *bulkStore { return &bulkStore{} }
