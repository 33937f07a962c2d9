//go:build containers

package integration

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/modules/compose"
)

const (
	composeFile = "../../deploy/compose/compose.yaml"
	clusterFile = "../../deploy/compose/compose.cluster.yaml"
	impatient   = "testdata/impatient.yaml"
	// upWithin bounds the start of a stack: images are there already.
	upWithin   = 3 * time.Minute
	downWithin = time.Minute
	// kills and alive are as for processes; a container takes a second to start.
	kills = 4
	alive = 4 * time.Second
)

// cluster says whether the stack has three NATS nodes and two of each service.
func cluster() bool { return os.Getenv("ROLLCALL_STACK") == "cluster" }

// parallel lets a test run beside another, which is mostly waiting too: make
// integration says how many stacks a machine bears.
func parallel(t *testing.T) {
	t.Helper()
	t.Parallel()
}

// oneNode skips, in a cluster, what does not depend on how many nodes there are:
// the run with one node has shown it.
func oneNode(t *testing.T) {
	t.Helper()
	if cluster() {
		t.Skip("the same with one node and with three")
	}
}

// programs are what this machine runs itself: the command line.
func programs() map[string]string { return map[string]string{"rollcall": "./services/rollcall"} }

// launch brings the compose file up as a user does, with files and ports of its own.
func launch(r *rig) {
	r.t.Helper()
	bin, err := binaries()
	if err != nil {
		r.t.Fatal(err)
	}
	r.bin = bin
	r.flags = func(string) []string { return nil }
	r.run("keys", "compose", r.secrets())
	r.secret = filepath.Join(r.secrets(), "salesforce-client-secret")
	r.shared(r.secret, clientSecret)
	ports := map[string]string{}
	for _, name := range []string{"NATS_PORT", "NATS_1_PORT", "NATS_2_PORT", "EMULATOR_PORT", "JAEGER_PORT", "OTLP_PORT"} {
		ports[name] = strconv.Itoa(freePort(r.t))
	}
	r.natsURL = "tls://127.0.0.1:" + ports["NATS_PORT"]
	if cluster() {
		r.natsURL += ",tls://127.0.0.1:" + ports["NATS_1_PORT"] + ",tls://127.0.0.1:" + ports["NATS_2_PORT"]
	}
	r.sfURL = "https://127.0.0.1:" + ports["EMULATOR_PORT"]
	r.env = []string{
		"OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:" + ports["OTLP_PORT"],
	}
	r.web = trusting(r.t, filepath.Join(r.secrets(), "ca.crt"))
	r.flags = r.credentials
	r.replacer = strings.NewReplacer(replacements()...)
	r.shared(r.configPath(), "")
	r.writeConfig()
	r.compose(ports)
}

// shared writes a file that a container's own user may read.
func (r *rig) shared(path, text string) {
	r.t.Helper()
	_ = os.Remove(path)
	r.write(path, text)
	if err := os.Chmod(path, 0o644); err != nil { // the folder is the test's own
		r.t.Fatal(err)
	}
}

func (r *rig) secrets() string { return filepath.Join(r.dir, "secrets") }

// credentials are those a publisher or an operator would be given.
func (r *rig) credentials(command string) []string {
	role := "operator"
	switch command {
	case "keys":
		return nil
	case "publish":
		role = "publisher-hr"
	}
	return []string{
		"--nats-url", r.natsURL, "--ca", filepath.Join(r.secrets(), "ca.crt"),
		"--nkey", filepath.Join(r.secrets(), role+".nkey"),
	}
}

// replacements fill in the configuration as containers see the world.
func replacements() []string {
	nats := "url: tls://nats:4222\n  provision: false\n  nkeySeedFile: /run/secrets/nkey\n  caFile: /run/secrets/ca\n  connectTimeout: 60s"
	return []string{
		"url: NATS_URL", nats, "SALESFORCE_URL", "https://emulator:8025", "CLIENT_ID", clientID,
		"allowLoopbackHTTP: true", "hostSuffixes: [emulator]\n      caFile: /run/secrets/ca",
		": deployment.key", ": /run/secrets/deployment-key", ": tokens.key", ": /run/secrets/tokens-key",
		"  acme:", "  demo:", ": client-secret", ": /run/secrets/salesforce-client-secret",
	}
}

func trusting(t testing.TB, ca string) *http.Client {
	t.Helper()
	pem, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("no certificate in %s", ca)
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
}

// compose brings the stack up and finds its containers.
func (r *rig) compose(ports map[string]string) {
	r.t.Helper()
	files := []string{composeFile, impatient}
	if cluster() {
		files = append(files, clusterFile)
	}
	project := "rollcall-test-" + strings.ToLower(rand.Text()[:8])
	up, err := compose.NewDockerComposeWith(compose.WithStackFiles(files...), compose.StackIdentifier(project), compose.WithProfiles("demo"))
	if err != nil {
		r.t.Fatalf("read the compose file: %v", err)
	}
	env := map[string]string{"ROLLCALL_CONFIG": r.configPath(), "ROLLCALL_SECRETS": r.secrets(), "ROLLCALL_TAG": os.Getenv("ROLLCALL_TAG")}
	maps.Copy(env, ports)
	engine, err := testcontainers.NewDockerClientWithOpts(r.t.Context())
	if err != nil {
		r.t.Fatalf("reach the engine: %v", err)
	}
	r.takeDown = func() {
		ctx, cancel := context.WithTimeout(context.Background(), downWithin)
		defer cancel()
		r.removed(engine, project, up.Down(ctx, compose.RemoveOrphans(true), compose.RemoveVolumes(true)))
		_ = up.Close()
		_ = engine.Close()
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), upWithin)
	defer cancel()
	err = up.WithEnv(env).Up(ctx, compose.Wait(true))
	r.find(engine, project)
	if err != nil {
		r.t.Fatalf("bring the rig up: %v", err)
	}
}

// removed wants no container of a project left. A network is not looked at: the
// engine (20.10) now and then counts an endpoint on one where nothing is, for
// ever, and refuses to remove it.
func (r *rig) removed(engine *testcontainers.DockerClient, project string, err error) {
	r.t.Helper()
	if err == nil {
		return
	}
	if left := r.containers(engine, project).Items; len(left) > 0 {
		r.t.Errorf("bring the rig down: %v; %d containers are left", err, len(left))
		return
	}
	r.t.Logf("the rig is down, but: %v", err)
}

// find lists the containers of the project: the first of a service by the
// service's name, others with their number.
func (r *rig) find(engine *testcontainers.DockerClient, project string) {
	r.t.Helper()
	for _, c := range r.containers(engine, project).Items {
		name, number := c.Labels["com.docker.compose.service"], c.Labels["com.docker.compose.container-number"]
		if name == "nats" {
			name = "nats-server"
		}
		if number != "1" {
			name += "-" + number
		}
		r.procs[name] = &container{name: name, id: c.ID, engine: engine}
	}
}

// containers are those of a project, running or not.
func (r *rig) containers(engine *testcontainers.DockerClient, project string) client.ContainerListResult {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), engineTimeout)
	defer cancel()
	list, err := engine.ContainerList(ctx, client.ContainerListOptions{
		All: true, Filters: make(client.Filters).Add("label", "com.docker.compose.project="+project),
	})
	if err != nil {
		r.t.Fatalf("list containers: %v", err)
	}
	return list
}
