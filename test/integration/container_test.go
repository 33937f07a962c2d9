//go:build containers

package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// container is one container of a stack.
type container struct {
	name, id string
	engine   *testcontainers.DockerClient
}

// engineTimeout bounds one call to the engine.
const engineTimeout = 60 * time.Second

func (c *container) ask(t testing.TB, what string, call func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), engineTimeout)
	defer cancel()
	if err := call(ctx); err != nil {
		t.Errorf("%s %s: %v", what, c.name, err)
	}
}

func (c *container) start(t testing.TB) {
	t.Helper()
	c.ask(t, "start", func(ctx context.Context) error {
		_, err := c.engine.ContainerStart(ctx, c.id, client.ContainerStartOptions{})
		return err
	})
}

func (c *container) kill(t testing.TB) {
	t.Helper()
	c.ask(t, "kill", func(ctx context.Context) error {
		if _, err := c.engine.ContainerKill(ctx, c.id, client.ContainerKillOptions{Signal: "KILL"}); err != nil && c.running(ctx) {
			return err
		}
		_, err := c.engine.ContainerStop(ctx, c.id, client.ContainerStopOptions{}) // waits until it has ended
		return err
	})
}

func (c *container) running(ctx context.Context) bool {
	res, err := c.engine.ContainerInspect(ctx, c.id, client.ContainerInspectOptions{})
	return err == nil && res.Container.State.Running
}

func (c *container) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), engineTimeout)
	defer cancel()
	_, _ = c.engine.ContainerStop(ctx, c.id, client.ContainerStopOptions{})
}

func (c *container) pause(t testing.TB) {
	t.Helper()
	c.ask(t, "pause", func(ctx context.Context) error {
		_, err := c.engine.ContainerPause(ctx, c.id, client.ContainerPauseOptions{})
		return err
	})
}

func (c *container) resume(t testing.TB) {
	t.Helper()
	c.ask(t, "resume", func(ctx context.Context) error {
		_, err := c.engine.ContainerUnpause(ctx, c.id, client.ContainerUnpauseOptions{})
		return err
	})
}

// cut disconnects the container from all its networks and returns what connects
// it again, under the names it had.
func (c *container) cut(t testing.TB) (mend func()) {
	t.Helper()
	var mends []func(ctx context.Context) error
	c.ask(t, "cut off", func(ctx context.Context) error {
		res, err := c.engine.ContainerInspect(ctx, c.id, client.ContainerInspectOptions{})
		if err != nil {
			return err
		}
		for network, endpoint := range res.Container.NetworkSettings.Networks {
			if _, err := c.engine.NetworkDisconnect(ctx, network, client.NetworkDisconnectOptions{Container: c.id}); err != nil {
				return fmt.Errorf("network %s: %w", network, err)
			}
			back := endpoint.Copy()
			mends = append(mends, func(ctx context.Context) error {
				_, err := c.engine.NetworkConnect(ctx, network, client.NetworkConnectOptions{Container: c.id, EndpointConfig: back})
				return err
			})
		}
		return nil
	})
	return func() {
		t.Helper()
		for _, m := range slices.Backward(mends) {
			c.ask(t, "connect", m)
		}
	}
}

func (c *container) output() string {
	ctx, cancel := context.WithTimeout(context.Background(), engineTimeout)
	defer cancel()
	logs, err := c.engine.ContainerLogs(ctx, c.id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: "200"})
	if err != nil {
		return err.Error()
	}
	defer logs.Close()
	var text bytes.Buffer
	if _, err := stdcopy.StdCopy(&text, &text, logs); err != nil && !errors.Is(err, io.EOF) {
		return text.String() + err.Error()
	}
	return text.String()
}

// hardened says what a container may that it need not, empty for nothing.
func (c *container) hardened(t testing.TB) (fault string) {
	t.Helper()
	c.ask(t, "inspect", func(ctx context.Context) error {
		res, err := c.engine.ContainerInspect(ctx, c.id, client.ContainerInspectOptions{})
		if err != nil {
			return err
		}
		host, conf := res.Container.HostConfig, res.Container.Config
		switch {
		case conf.User == "" || strings.HasPrefix(conf.User, "0") || strings.HasPrefix(conf.User, "root"):
			fault = "runs as root"
		case !host.ReadonlyRootfs:
			fault = "may write its root file system"
		case host.Privileged || len(host.CapAdd) > 0 || !slices.Contains(host.CapDrop, "ALL"):
			fault = "has capabilities"
		case !slices.Contains(host.SecurityOpt, "no-new-privileges:true"):
			fault = "may gain privileges"
		}
		return nil
	})
	return fault
}

// health is what the container's own health check last said.
func (c *container) health(ctx context.Context) error {
	res, err := c.engine.ContainerInspect(ctx, c.id, client.ContainerInspectOptions{})
	if err != nil {
		return err
	}
	if h := res.Container.State.Health; h == nil || h.Status != "healthy" {
		return fmt.Errorf("%s is not healthy: %+v", c.name, h)
	}
	return nil
}

func (r *rig) healthy(name string) func(ctx context.Context) error {
	return r.procs[name].(*container).health
}

// address is where this machine reaches a port of the container.
func (c *container) address(ctx context.Context, port string) (string, error) {
	res, err := c.engine.ContainerInspect(ctx, c.id, client.ContainerInspectOptions{})
	if err != nil {
		return "", err
	}
	for inside, outside := range res.Container.NetworkSettings.Ports {
		if inside.String() == port && len(outside) > 0 {
			return "127.0.0.1:" + outside[0].HostPort, nil
		}
	}
	return "", fmt.Errorf("%s does not publish %s", c.name, port)
}
