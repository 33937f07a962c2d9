package chart

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

const chartDir = "../../deploy/helm/rollcall"

// release is what one set of values renders to.
type release struct {
	deployments []*appsv1.Deployment
	jobs        []*batchv1.Job
	configs     []*corev1.ConfigMap
	accounts    []*corev1.ServiceAccount
	services    []*corev1.Service
	budgets     []*policyv1.PodDisruptionBudget
	policies    []*networkingv1.NetworkPolicy
	ingresses   []*networkingv1.Ingress
	scalers     []*autoscalingv2.HorizontalPodAutoscaler
	custom      map[string]map[string]any // by kind: what Kubernetes itself has no type for
	notes       string
}

// values reads the chart's example files, the later over the earlier, and lays
// extra over them.
func values(t *testing.T, extra string, files ...string) map[string]any {
	t.Helper()
	all := map[string]any{}
	for _, name := range files {
		v, err := chartutil.ReadValuesFile(filepath.Join(chartDir, "examples", name))
		if err != nil {
			t.Fatal(err)
		}
		all = chartutil.CoalesceTables(v, all)
	}
	over, err := chartutil.ReadValues([]byte(extra))
	if err != nil {
		t.Fatal(err)
	}
	return chartutil.CoalesceTables(over, all)
}

// render does what helm install does before it talks to a cluster.
func render(vals map[string]any) (map[string]string, error) {
	c, err := loader.Load(chartDir)
	if err != nil {
		return nil, err
	}
	opts := chartutil.ReleaseOptions{Name: "rollcall", Namespace: "identity", IsInstall: true}
	all, err := chartutil.ToRenderValues(c, vals, opts, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	return engine.Engine{Strict: true}.Render(c, all)
}

func install(t *testing.T, vals map[string]any) *release {
	t.Helper()
	texts, err := render(vals)
	if err != nil {
		t.Fatal(err)
	}
	r := &release{custom: map[string]map[string]any{}}
	for name, text := range texts {
		if strings.HasSuffix(name, "NOTES.txt") {
			r.notes = text
			continue
		}
		for _, doc := range strings.Split("\n"+text, "\n---") {
			r.add(t, name, doc)
		}
	}
	return r
}

// add decodes one object into its own type; a field that type has not is an
// error.
func (r *release) add(t *testing.T, name, doc string) {
	t.Helper()
	var head metav1.TypeMeta
	if err := yaml.Unmarshal([]byte(doc), &head); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, doc)
	}
	if head.Kind == "" {
		return // comments only
	}
	switch head.APIVersion + " " + head.Kind {
	case "apps/v1 Deployment":
		decode(t, name, doc, &r.deployments)
	case "batch/v1 Job":
		decode(t, name, doc, &r.jobs)
	case "v1 ConfigMap":
		decode(t, name, doc, &r.configs)
	case "v1 ServiceAccount":
		decode(t, name, doc, &r.accounts)
	case "v1 Service":
		decode(t, name, doc, &r.services)
	case "policy/v1 PodDisruptionBudget":
		decode(t, name, doc, &r.budgets)
	case "networking.k8s.io/v1 NetworkPolicy":
		decode(t, name, doc, &r.policies)
	case "networking.k8s.io/v1 Ingress":
		decode(t, name, doc, &r.ingresses)
	case "autoscaling/v2 HorizontalPodAutoscaler":
		decode(t, name, doc, &r.scalers)
	case "monitoring.coreos.com/v1 PodMonitor", "monitoring.coreos.com/v1 PrometheusRule":
		var v map[string]any
		if err := yaml.UnmarshalStrict([]byte(doc), &v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		r.custom[head.Kind] = v
	default:
		t.Fatalf("%s: renders %s %s, of which nobody knows here (a Secret never belongs in it)", name, head.APIVersion, head.Kind)
	}
}

func decode[T any](t *testing.T, name, doc string, into *[]*T) {
	t.Helper()
	v := new(T)
	if err := yaml.UnmarshalStrict([]byte(doc), v); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, doc)
	}
	*into = append(*into, v)
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
