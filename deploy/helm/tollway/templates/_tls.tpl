{{/* mTLS between services, as values.tls says; all take the dict of "tollway.workload". */}}

{{/* "served" for a service that is called over gRPC, "shown" for one that only calls others so; empty without TLS. */}}
{{- define "tollway.hasTls" -}}
{{- if and .root.Values.tls.enabled (not .command) (ne .name "simulator") }}
{{- eq (.probe | default "grpc") "grpc" | ternary "served" "shown" }}
{{- end }}
{{- end }}

{{/* The kubelet's gRPC probe speaks no TLS: health has a port of its own. */}}
{{- define "tollway.healthPort" -}}
50060
{{- end }}

{{- define "tollway.tlsEnv" -}}
{{- with include "tollway.hasTls" . }}
- name: TLS_CERT_FILE
  value: /etc/tollway-tls/tls.crt
- name: TLS_KEY_FILE
  value: /etc/tollway-tls/tls.key
- name: TLS_CA_FILE
  value: /etc/tollway-tls/ca.crt
{{- if eq . "served" }}
- name: HEALTH_LISTEN_ADDRESS
  value: 0.0.0.0:{{ include "tollway.healthPort" $ }}
{{- end }}
{{- end }}
{{- end }}
