{{/* Names, labels and addresses that templates share. */}}

{{- define "tollway.name" -}}
{{ .root.Release.Name | trunc 45 | trimSuffix "-" }}-{{ .name }}
{{- end }}

{{- define "tollway.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: tollway
{{ include "tollway.selector" . }}
{{- end }}

{{- define "tollway.selector" -}}
app.kubernetes.io/name: tollway
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "tollway.metadata" -}}
metadata:
  name: {{ include "tollway.name" . }}
  labels: {{- include "tollway.labels" . | nindent 4 }}
{{- end }}

{{/* Where callees are, and how they are called: include "tollway.addresses" (dict "root" . "of" (list "cache" "metering")) */}}
{{- define "tollway.addresses" -}}
{{- $ports := dict "cache" 50051 "classifier" 50052 "provider-dispatch" 50053 "metering" 50054 "prompt-registry" 50055 }}
- name: USE_LINKS
  value: {{ .root.Values.useLinks | quote }}
{{- range .of }}
- name: {{ . | upper | replace "-" "_" }}_ADDRESS
  value: {{ include "tollway.name" (dict "root" $.root "name" .) }}:{{ get $ports . }}
{{- end }}
{{- end }}
