{{- define "sluice.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "sluice.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "sluice.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "sluice.selectorLabels" -}}
app.kubernetes.io/name: {{ include "sluice.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "sluice.labels" -}}
{{ include "sluice.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "sluice.image" -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}

{{- define "sluice.secretName" -}}
{{ default (include "sluice.fullname" .) .Values.secrets.existingSecret }}
{{- end -}}

{{/* What Sluice reads: the values' configuration over what Kubernetes needs. */}}
{{- define "sluice.config" -}}
{{- $metrics := printf "%s:%d" .Values.metricsHost (int .Values.metricsPort) -}}
{{- $operator := dict "username" "admin" "password" (dict "file" "/run/secrets/sluice/admin-password") -}}
{{- $config := dict "admin" (dict "users" (list $operator)) "http" (dict "metricsAddress" $metrics) -}}
{{- if eq .Values.mode "tier" -}}
{{- $_ := set $config "listen" (dict "host" "0.0.0.0" "port" 6033) -}}
{{- $_ := set $config "limits" (dict "shutdownDelayMs" 10000 "shutdownGraceMs" 30000) -}}
{{- else -}}
{{- $_ := set $config "listen" (dict "host" "127.0.0.1" "port" 6033) -}}
{{- $_ := set $config "limits" (dict "shutdownDelayMs" 0 "shutdownGraceMs" 5000) -}}
{{- $_ := set $config "workers" 1 -}}
{{- end -}}
{{- if .Values.dataVolume -}}
{{- $_ := set $config "dataDir" "/var/lib/sluice" -}}
{{- end -}}
{{- mergeOverwrite $config (deepCopy .Values.config) | toYaml -}}
{{- end -}}

{{/* In seconds: Sluice's own times and ten more, and thirty for an application that ends before its sidecar. */}}
{{- define "sluice.gracePeriod" -}}
{{- $limits := (include "sluice.config" . | fromYaml).limits -}}
{{- $own := add (int $limits.shutdownDelayMs) (int $limits.shutdownGraceMs) (ternary 10999 40999 (eq .Values.mode "tier")) -}}
{{- if kindIs "invalid" .Values.terminationGracePeriodSeconds -}}
{{- div $own 1000 -}}
{{- else -}}
{{- int .Values.terminationGracePeriodSeconds -}}
{{- end -}}
{{- end -}}

{{- define "sluice.container" -}}
{{- $config := include "sluice.config" . | fromYaml -}}
{{- $isTier := eq .Values.mode "tier" -}}
name: sluice
image: {{ include "sluice.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- if not $isTier }}
restartPolicy: Always
{{- end }}
env:
  - name: SLUICE_CONFIG
    value: /etc/sluice/sluice.yaml
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
ports:
  {{- if $isTier }}
  - name: mysql
    containerPort: {{ int $config.listen.port }}
  {{- end }}
  - name: sluice-metrics
    containerPort: {{ int .Values.metricsPort }}
resources:
  {{- if .Values.resources }}
  {{- toYaml .Values.resources | nindent 2 }}
  {{- else if $isTier }}
  requests: { cpu: 500m, memory: 256Mi }
  limits: { cpu: "2", memory: 1Gi }
  {{- else }}
  requests: { cpu: 50m, memory: 128Mi }
  limits: { cpu: "1", memory: 256Mi }
  {{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
  seccompProfile: { type: RuntimeDefault }
startupProbe:
  httpGet: { path: /readyz, port: sluice-metrics }
  {{- toYaml .Values.probes.startup | nindent 2 }}
readinessProbe:
  httpGet: { path: {{ ternary "/readyz" "/healthz" $isTier }}, port: sluice-metrics }
  {{- toYaml .Values.probes.readiness | nindent 2 }}
livenessProbe:
  httpGet: { path: /healthz, port: sluice-metrics }
  {{- toYaml .Values.probes.liveness | nindent 2 }}
volumeMounts:
  - name: sluice-config
    mountPath: /etc/sluice
    readOnly: true
  - name: sluice-secrets
    mountPath: /run/secrets/sluice
    readOnly: true
  {{- if .Values.dataVolume }}
  - name: sluice-data
    mountPath: /var/lib/sluice
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "sluice.volumes" -}}
- name: sluice-config
  configMap:
    name: {{ include "sluice.fullname" . }}
- name: sluice-secrets
  secret:
    secretName: {{ include "sluice.secretName" . }}
    # Sluice reads it by the group.
    defaultMode: {{ ternary 288 292 (not (kindIs "invalid" .Values.fsGroup)) }}
{{- with .Values.dataVolume }}
- name: sluice-data
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What both kinds of pods have besides containers and volumes. */}}
{{- define "sluice.pod" -}}
terminationGracePeriodSeconds: {{ include "sluice.gracePeriod" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Rolls the pods when the configuration has changed. Not for secrets: a hash is as good as a short password. */}}
{{- define "sluice.podMetadata" -}}
annotations:
  checksum/config: {{ include "sluice.config" . | sha256sum }}
  {{- with .Values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
labels:
  {{- include "sluice.selectorLabels" . | nindent 2 }}
  {{- with .Values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
