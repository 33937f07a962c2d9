package chart

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

// What users start from: the least, and everything switched on.
func examples() map[string][]string {
	return map[string][]string{"minimal": {"minimal.yaml"}, "full": {"minimal.yaml", "full.yaml"}}
}

func TestLint(t *testing.T) {
	t.Parallel()
	for name, files := range examples() {
		for _, m := range lint.All(chartDir, values(t, "", files...), "identity", true).Messages {
			if m.Severity > support.InfoSev {
				t.Errorf("%s: %s", name, m)
			}
		}
	}
}

func TestEveryWorkloadIsConfined(t *testing.T) {
	t.Parallel()
	for name, files := range examples() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := install(t, values(t, "", files...))
			if len(r.deployments) != 4 || len(r.jobs) != 1 {
				t.Fatalf("%d Deployments, %d Jobs", len(r.deployments), len(r.jobs))
			}
			for _, d := range r.deployments {
				confined(t, r, d.Name, d.Spec.Template)
				watched(t, r, d.Name, d.Spec.Template)
				if !selects(t, d.Spec.Selector, d.Spec.Template.Labels) {
					t.Errorf("%s does not select its own pods", d.Name)
				}
			}
			confined(t, r, r.jobs[0].Name, r.jobs[0].Spec.Template)
			for _, a := range r.accounts {
				if a.AutomountServiceAccountToken == nil || *a.AutomountServiceAccountToken {
					t.Errorf("ServiceAccount %s hands out its token", a.Name)
				}
			}
		})
	}
}

// confined wants what the Pod Security Standard "restricted" wants, and more.
func confined(t *testing.T, r *release, name string, pod corev1.PodTemplateSpec) {
	t.Helper()
	s, p := pod.Spec, pod.Spec.SecurityContext
	if p == nil || p.RunAsNonRoot == nil || !*p.RunAsNonRoot || p.RunAsUser == nil || *p.RunAsUser != 65532 ||
		p.SeccompProfile == nil || p.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		t.Errorf("%s: the pod's security context is %+v", name, p)
	}
	if s.AutomountServiceAccountToken == nil || *s.AutomountServiceAccountToken {
		t.Errorf("%s mounts a service account's token", name)
	}
	if !slices.ContainsFunc(r.accounts, func(a *corev1.ServiceAccount) bool { return a.Name == s.ServiceAccountName }) {
		t.Errorf("%s: there is no ServiceAccount %q", name, s.ServiceAccountName)
	}
	for _, c := range s.Containers {
		x := c.SecurityContext
		if x == nil || x.AllowPrivilegeEscalation == nil || *x.AllowPrivilegeEscalation || x.ReadOnlyRootFilesystem == nil ||
			!*x.ReadOnlyRootFilesystem || x.Capabilities == nil || !slices.Equal(x.Capabilities.Drop, []corev1.Capability{"ALL"}) || x.Capabilities.Add != nil {
			t.Errorf("%s: the container's security context is %+v", name, x)
		}
		if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
			t.Errorf("%s: has no memory limit or asks for no CPU", name)
		}
		for _, m := range c.VolumeMounts {
			if !m.ReadOnly || !slices.ContainsFunc(s.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name }) {
				t.Errorf("%s: mount %s may be written, or has no volume", name, m.Name)
			}
		}
	}
	one(t, r, name, pod, "NetworkPolicy", len(policiesOf(t, r, pod)))
}

// watched wants probes that answer, a disruption budget and an even spread.
func watched(t *testing.T, r *release, name string, pod corev1.PodTemplateSpec) {
	t.Helper()
	c := pod.Spec.Containers[0]
	for probe, path := range map[*corev1.Probe]string{c.StartupProbe: "/healthz", c.LivenessProbe: "/healthz", c.ReadinessProbe: "/readyz"} {
		if probe == nil || probe.HTTPGet == nil || probe.HTTPGet.Path != path || probe.HTTPGet.Port.String() != "probes" {
			t.Errorf("%s: the probe of %s is %+v", name, path, probe)
		}
	}
	if !slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.Name == "probes" && p.ContainerPort == 9464 }) {
		t.Errorf("%s: no port is named probes", name)
	}
	n := 0
	for _, b := range r.budgets {
		if selects(t, b.Spec.Selector, pod.Labels) {
			n++
		}
	}
	one(t, r, name, pod, "PodDisruptionBudget", n)
	for _, c := range pod.Spec.TopologySpreadConstraints {
		if !selects(t, c.LabelSelector, pod.Labels) {
			t.Errorf("%s is spread against others", name)
		}
	}
}

func one(t *testing.T, _ *release, name string, pod corev1.PodTemplateSpec, kind string, n int) {
	t.Helper()
	if n != 1 {
		t.Errorf("%s (%v): %d objects of kind %s select it, want 1", name, pod.Labels, n, kind)
	}
}

func selects(t *testing.T, s *metav1.LabelSelector, on map[string]string) bool {
	t.Helper()
	sel, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		t.Fatal(err)
	}
	return !sel.Empty() && sel.Matches(labels.Set(on))
}

func policiesOf(t *testing.T, r *release, pod corev1.PodTemplateSpec) []*networkingv1.NetworkPolicy {
	t.Helper()
	var out []*networkingv1.NetworkPolicy
	for _, p := range r.policies {
		if selects(t, &p.Spec.PodSelector, pod.Labels) {
			out = append(out, p)
		}
	}
	return out
}

// Only the two that talk to Salesforce get out, and only the callback gets in.
func TestWhoMayTalkToWhom(t *testing.T) {
	t.Parallel()
	r := install(t, values(t, "", "minimal.yaml", "full.yaml"))
	pods := map[string]corev1.PodTemplateSpec{"provisioner": r.jobs[0].Spec.Template}
	for _, d := range r.deployments {
		pods[d.Spec.Template.Labels["app.kubernetes.io/name"]] = d.Spec.Template
	}
	want := map[string]string{
		"assignment":        "in 9464; out 53 53 4222 4318",
		"retry-scheduler":   "in 9464; out 53 53 4222 4318",
		"salesforce-pusher": "in 9464; out 53 53 4222 4318 443",
		"token-refresher":   "in 9464 8080; out 53 53 4222 4318 443",
		"provisioner":       "in; out 53 53 4222",
	}
	for name, pod := range pods {
		if got := summary(t, policiesOf(t, r, pod)[0]); got != want[name] {
			t.Errorf("%s: %s, want %s", name, got, want[name])
		}
	}
}

// summary names the ports; a rule without peers or ports would be open to all.
func summary(t *testing.T, p *networkingv1.NetworkPolicy) string {
	t.Helper()
	if !slices.Equal(p.Spec.PolicyTypes, []networkingv1.PolicyType{"Ingress", "Egress"}) {
		t.Errorf("%s denies nothing by default: %v", p.Name, p.Spec.PolicyTypes)
	}
	var b strings.Builder
	b.WriteString("in")
	for _, rule := range p.Spec.Ingress {
		ports(t, &b, p.Name, len(rule.From), rule.Ports)
	}
	b.WriteString("; out")
	for _, rule := range p.Spec.Egress {
		ports(t, &b, p.Name, len(rule.To), rule.Ports)
	}
	return b.String()
}

func ports(t *testing.T, b *strings.Builder, name string, peers int, list []networkingv1.NetworkPolicyPort) {
	t.Helper()
	if peers == 0 || len(list) == 0 {
		t.Errorf("%s: a rule is open to everybody or to every port", name)
	}
	for _, port := range list {
		fmt.Fprintf(b, " %s", port.Port)
	}
}

// Each program gets its own seed, and only the keys it works with.
func TestWhoGetsWhichSecret(t *testing.T) {
	t.Parallel()
	r := install(t, values(t, "", "minimal.yaml"))
	got := map[string]string{"provisioner": secretsOf(r.jobs[0].Spec.Template.Spec)}
	for _, d := range r.deployments {
		got[d.Spec.Template.Labels["app.kubernetes.io/name"]] = secretsOf(d.Spec.Template.Spec)
	}
	for name, want := range map[string]string{
		"assignment":        "rollcall-nkey-assignment rollcall-nats-ca rollcall-deployment-key",
		"retry-scheduler":   "rollcall-nkey-retry-scheduler rollcall-nats-ca",
		"salesforce-pusher": "rollcall-nkey-salesforce-pusher rollcall-nats-ca rollcall-tokens-key",
		"token-refresher":   "rollcall-nkey-token-refresher rollcall-nats-ca rollcall-tokens-key rollcall-salesforce",
		"provisioner":       "rollcall-nkey-provisioner rollcall-nats-ca",
	} {
		if got[name] != want {
			t.Errorf("%s gets %q, want %q", name, got[name], want)
		}
	}
}

func secretsOf(pod corev1.PodSpec) string {
	var out []string
	for _, v := range pod.Volumes {
		if v.Secret != nil {
			out = append(out, v.Secret.SecretName)
		}
		if v.Projected != nil {
			for _, s := range v.Projected.Sources {
				out = append(out, s.Secret.Name)
			}
		}
	}
	return strings.Join(out, " ")
}

// The rendered rollcall.yaml is read by the program it is for.
func TestRollcallReadsTheConfiguration(t *testing.T) {
	t.Parallel()
	dir, bin := t.TempDir(), program(t)
	for name, files := range examples() {
		r := install(t, values(t, "", files...))
		if len(r.configs) != 2 || r.configs[0].Data["rollcall.yaml"] != r.configs[1].Data["rollcall.yaml"] {
			t.Fatalf("%s: services and provisioner read different files", name)
		}
		file := filepath.Join(dir, name+".yaml")
		if err := os.WriteFile(file, []byte(r.configs[0].Data["rollcall.yaml"]), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), bin, "permissions", "--config", file).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "pusher-sales-leaver") {
			t.Errorf("%s: %v\n%.500s", name, err, out)
		}
	}
}

// A section of rollcall.yaml that the chart neither writes nor takes over is one
// that nobody has on Kubernetes.
func TestTheChartHasEverySection(t *testing.T) {
	t.Parallel()
	var file map[string]any
	if err := yaml.Unmarshal([]byte(install(t, values(t, "", "minimal.yaml", "full.yaml")).configs[0].Data["rollcall.yaml"]), &file); err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(read(t, "../../docs/configuration.md"), "\n## The file\n")
	table, _, _ = strings.Cut(table, "\n## ")
	sections := regexp.MustCompile("(?m)^\\| `(\\w+)` ").FindAllStringSubmatch(table, -1)
	if len(sections) < 9 {
		t.Fatalf("%d sections in docs/configuration.md", len(sections))
	}
	for _, section := range sections {
		if _, ok := file[section[1]]; !ok {
			t.Errorf("the chart's rollcall.yaml has no %s", section[1])
		}
	}
}

func TestBadValuesAreRefused(t *testing.T) {
	t.Parallel()
	for bad, want := range map[string]string{
		"nats: {url: ''}": "url",
		"nats: {url: 'tls://user:secret@nats:4222'}":        "url",
		"nats: {replicas: 2}":                               "replicas",
		"replicas: 3":                                       "replicas",
		"services: {assignment: {replica: 3}}":              "replica",
		"services: {pusher: {replicas: 3}}":                 "pusher",
		"secrets: {tokensKey: ''}":                          "tokensKey",
		"config: {nats: {url: 'nats://elsewhere:4222'}}":    "nats",
		"callback: {enabled: true}":                         "callback",
		"callback: {url: 'http://rollcall.example.com/cb'}": "callback",
		"networkPolicy: {salesforce: []}":                   "salesforce",
	} {
		_, err := render(values(t, bad, "minimal.yaml"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := render(map[string]any{}); err == nil {
		t.Error("a chart without nats.url is installed")
	}
}

func TestOptionalParts(t *testing.T) {
	t.Parallel()
	least, most := install(t, values(t, "", "minimal.yaml")), install(t, values(t, "", "minimal.yaml", "full.yaml"))
	if len(least.services)+len(least.ingresses)+len(least.scalers)+len(least.custom) != 0 {
		t.Error("something optional is in the minimal release")
	}
	if len(most.services) != 1 || len(most.ingresses) != 1 || len(most.scalers) != 1 || len(most.custom) != 2 {
		t.Error("something optional is missing from the full release")
	}
	for _, d := range most.deployments {
		if scaled := strings.HasSuffix(d.Name, "pusher"); (d.Spec.Replicas == nil) != scaled {
			t.Errorf("%s: replicas and the autoscaler are at odds", d.Name)
		}
	}
	if host := most.ingresses[0].Spec.Rules[0].Host; host != "rollcall.example.com" {
		t.Errorf("the ingress is for %q", host)
	}
	if !strings.Contains(least.notes, "orgs: sales") {
		t.Errorf("notes: %s", least.notes)
	}
}

// The chart's alerts are compose's: Helm reads nothing outside a chart.
func TestAlertsAreTheSameEverywhere(t *testing.T) {
	t.Parallel()
	if read(t, chartDir+"/files/alerts.yml") != read(t, "../../deploy/compose/prometheus/alerts.yml") {
		t.Error("they differ: cp deploy/compose/prometheus/alerts.yml deploy/helm/rollcall/files/")
	}
}

// Every value is in the page's table with its default, and no other.
func TestValuesTable(t *testing.T) {
	t.Parallel()
	var all map[string]any
	if err := yaml.Unmarshal([]byte(read(t, chartDir+"/values.yaml")), &all); err != nil {
		t.Fatal(err)
	}
	var want []string
	flatten("", all, &want)
	slices.Sort(want)
	var got []string
	for _, line := range strings.Split(read(t, chartDir+"/README.md"), "\n") {
		if strings.HasPrefix(line, "| `") {
			got = append(got, line)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("README.md has not this table:\n%s", strings.Join(want, "\n"))
	}
}

func flatten(path string, v any, rows *[]string) {
	m, ok := v.(map[string]any)
	if !ok || len(m) == 0 {
		text, err := yaml.Marshal(v)
		short := strings.Join(strings.Fields(string(text)), " ")
		if list, isList := v.([]any); err != nil || isList && len(list) > 0 {
			short = "see values.yaml"
		}
		*rows = append(*rows, fmt.Sprintf("| `%s` | `%s` |", path, short))
		return
	}
	for key, child := range m {
		flatten(strings.TrimPrefix(path+"."+key, "."), child, rows)
	}
}
