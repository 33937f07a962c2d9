{{- define "rollcall.name" -}}
{{- if contains "rollcall" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-rollcall" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* rollcall.selector of (dict "root" $ "name" SERVICE) */}}
{{- define "rollcall.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{- define "rollcall.labels" -}}
{{ include "rollcall.selector" . }}
app.kubernetes.io/part-of: rollcall
app.kubernetes.io/version: {{ .root.Values.image.tag | default .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "rollcall.image" -}}
{{ .root.Values.image.prefix }}/{{ .name }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{/* rollcall.config is rollcall.yaml, the same for all: what differs from pod to pod is which secrets are mounted. */}}
{{- define "rollcall.config" -}}
{{- $v := .Values -}}
{{- $own := dict
  "deployment" (dict "keyFile" "/run/secrets/rollcall/deployment.key")
  "tokens" (dict "keyFile" "/run/secrets/rollcall/tokens.json")
  "nats" (dict "url" $v.nats.url "replicas" (int $v.nats.replicas) "connectTimeout" $v.nats.connectTimeout "provision" false "nkeySeedFile" "/run/secrets/rollcall/nkey")
  "serve" (dict "listen" ":9464") -}}
{{- if $v.secrets.natsCA }}{{ $_ := set $own.nats "caFile" "/run/secrets/rollcall/ca.crt" }}{{ end -}}
{{- if $v.callback.enabled }}{{ $_ := set $own "callback" (dict "listen" (printf ":%d" (int $v.callback.port)) "url" $v.callback.url "access" $v.callback.access) }}{{ end -}}
{{- toYaml (merge $own $v.config) -}}
{{- end }}

{{- define "rollcall.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{- define "rollcall.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{/* rollcall.volumes of (dict "root" $ "name" PROGRAM "config" CONFIGMAP) */}}
{{- define "rollcall.volumes" -}}
{{- $s := .root.Values.secrets -}}
- name: config
  configMap:
    name: {{ .config }}
- name: secrets
  projected:
    defaultMode: 288 # 0440: the group is fsGroup
    sources:
      - secret:
          name: {{ index $s.nkeys .name }}
          items: [{key: {{ .name }}.nkey, path: nkey}]
      {{- with $s.natsCA }}
      - secret:
          name: {{ . }}
          items: [{key: ca.crt, path: ca.crt}]
      {{- end }}
      {{- if eq .name "assignment" }}
      - secret:
          name: {{ $s.deploymentKey }}
          items: [{key: deployment.key, path: deployment.key}]
      {{- end }}
      {{- if has .name (list "token-refresher" "salesforce-pusher") }}
      - secret:
          name: {{ $s.tokensKey }}
          items: [{key: tokens.json, path: tokens.json}]
      {{- end }}
{{- if and (eq .name "token-refresher") $s.salesforce }}
- name: salesforce
  secret:
    secretName: {{ $s.salesforce }}
    defaultMode: 288
{{- end }}
{{- if and (has .name (list "token-refresher" "salesforce-pusher")) $s.salesforceCA }}
- name: salesforce-ca
  secret:
    secretName: {{ $s.salesforceCA }}
    defaultMode: 288
{{- end }}
{{- end }}

{{- define "rollcall.mounts" -}}
{{- $s := .root.Values.secrets -}}
- {name: config, mountPath: /etc/rollcall, readOnly: true}
- {name: secrets, mountPath: /run/secrets/rollcall, readOnly: true}
{{- if and (eq .name "token-refresher") $s.salesforce }}
- {name: salesforce, mountPath: /run/secrets/salesforce, readOnly: true}
{{- end }}
{{- if and (has .name (list "token-refresher" "salesforce-pusher")) $s.salesforceCA }}
- {name: salesforce-ca, mountPath: /run/secrets/salesforce-ca, readOnly: true}
{{- end }}
{{- end }}

{{/* What every policy allows out: names, and NATS. */}}
{{- define "rollcall.egress" -}}
- to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: kube-system
  ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
- to:
    {{- toYaml .Values.nats.peers | nindent 4 }}
  ports:
    - {port: {{ .Values.nats.port }}, protocol: TCP}
{{- end }}
