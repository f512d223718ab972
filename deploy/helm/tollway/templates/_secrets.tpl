{{/* Which Secret holds what, and the environment variables made of them. */}}

{{- define "tollway.keySecret" -}}
{{ .Values.auth.existingSecret | default (include "tollway.name" (dict "root" . "name" "key")) }}
{{- end }}

{{/* One entry of a Secret of this release that is in the cluster already, or nothing: dict "root" "name" "entry" */}}
{{- define "tollway.kept" -}}
{{- $secret := lookup "v1" "Secret" .root.Release.Namespace (include "tollway.name" .) | default dict }}
{{- get ($secret.data | default dict) .entry | b64dec }}
{{- end }}

{{- define "tollway.simulatorEnv" -}}
{{- if .Values.simulator.enabled }}
- name: SIMULATOR_URL
  value: http://{{ include "tollway.name" (dict "root" . "name" "simulator") }}:8090
{{- end }}
{{- end }}

{{- define "tollway.providerSecrets" -}}
{{- if .Values.providers.keys }}
- secretRef:
    name: {{ include "tollway.name" (dict "root" . "name" "providers") }}
{{- end }}
{{- with .Values.providers.existingSecret }}
- secretRef:
    name: {{ . }}
{{- end }}
{{- end }}
