package config_test

import (
	"testing"

	"github.com/rollcall-sync/rollcall/services/internal/config"
)

func TestCallbackFaults(t *testing.T) {
	t.Parallel()
	_, err := config.Parse([]byte(`
callback: {listen: "8080", loopbackURL: "https://rollcall.example.com/oauth/callback"}
`), ".")
	wantLines(t, err, "callback.listen: must be host:port", "callback.url: is required", "callback.loopbackURL: must be http on a loopback address")
	_, err = config.Parse([]byte(`
callback: {listen: ":8080", url: "http://rollcall.example.com/oauth/callback"}
`), ".")
	wantLines(t, err, "callback.url: must begin with https://")
	_, err = config.Parse([]byte(`
callback: {listen: ":8080", url: "https://rollcall.example.com/back"}
`), ".")
	wantLines(t, err, "callback.url: must be like https://rollcall.example.com/oauth/callback")
	_, err = config.Parse([]byte(`
callback: {access: everybody}
`), ".")
	wantLines(t, err, "callback.access: must be one of")
}

// Nobody gets to the login without a link unless that was asked for.
func TestCallbackIsClosedByDefault(t *testing.T) {
	t.Parallel()
	file, err := config.Parse([]byte("nats: {url: \"nats://127.0.0.1:4222\"}\n"), ".")
	if err != nil || file.Callback.Access != config.AccessLink {
		t.Errorf("access %q, %v", file.Callback.Access, err)
	}
}
