package emulator

import (
	"net/http"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/call"
)

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.env.Late.ApplyDue("")
	c := call.New(s.env, w, r)
	if !strings.HasPrefix(c.Path, "/_emulator") || s.adminOff {
		c.Serve(s.route(c))
		return
	}
	if err := c.Read(); err != nil {
		c.JSON(http.StatusBadRequest, map[string]string{"error": err.Error()})
	} else {
		admin{c, s}.serve()
	}
	c.Send()
}

// route finds the work for a path.
func (s *Server) route(c *call.Call) call.Route {
	if rest, ok := strings.CutPrefix(c.Path, "/services/data"); ok && (rest == "" || rest[0] == '/') {
		return s.rest.Route(c)
	}
	return s.oauth.Route(c)
}
