{{/*
Everything that one service is made of: ServiceAccount, Deployment, Service, NetworkPolicy, PodDisruptionBudget, and a
PersistentVolumeClaim where it keeps files.
Called by each <service>.yaml with a dict:
  root       the chart's context
  name       the service: its component label, image and, after the release, the name of its objects
  values     its block of values.yaml: replicas, image, extraEnv, resources
  port       where it listens
  probe      grpc (default), http or tcp
  callers    components that may reach it; absent: everyone
  service    name of its Service where that differs from name
  front      its Service is the one that clients call, as values.service says
  balanced   its Service has a record for each pod, and callers balance over them; otherwise one address
  env        further environment, YAML
  envFrom    further environment from Secrets, YAML
  volumes    further volumes, YAML
  mounts     their mounts, YAML
  command    of an image that is not Tollway's
  restartOn  what restarts the pods when it changes, beside config
  files      folder of files that outlive the pod, on a volume as values.persistence says; one pod writes them
*/}}
{{- define "tollway.workload" -}}
{{- $root := .root }}
{{- $values := .values }}
{{- $name := include "tollway.name" . }}
apiVersion: v1
kind: ServiceAccount
{{ include "tollway.metadata" . }}
automountServiceAccountToken: false
---
apiVersion: apps/v1
kind: Deployment
{{ include "tollway.metadata" . }}
spec:
  replicas: {{ $values.replicas }}
  strategy:
    {{- if .files }}
    type: Recreate
    {{- else }}
    type: RollingUpdate
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
    {{- end }}
  selector:
    matchLabels: {{- include "tollway.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "tollway.selector" . | nindent 8 }}
      annotations:
        checksum/settings: {{ list $root.Values.config .restartOn | toJson | sha256sum }}
    spec: {{- include "tollway.pod" . | nindent 6 }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ include "tollway.name" (dict "root" $root "name" (.service | default .name)) }}
  labels: {{- include "tollway.labels" . | nindent 4 }}
  {{- if .front }}
  annotations: {{- toYaml $root.Values.service.annotations | nindent 4 }}
  {{- end }}
spec:
  {{- if .front }}
  type: {{ $root.Values.service.type }}
  {{- else if .balanced }}
  clusterIP: None # callers balance over the pods themselves
  # gRPC asks DNS ever less often while a name has no address; a refused connection it tries again within 2 s
  publishNotReadyAddresses: true
  {{- end }}
  selector: {{- include "tollway.selector" . | nindent 4 }}
  ports:
    - name: {{ .probe | default "grpc" }}
      port: {{ ternary $root.Values.service.port .port (hasKey . "front") }}
      targetPort: main
{{- if $root.Values.networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
{{ include "tollway.metadata" . }}
spec:
  podSelector:
    matchLabels: {{- include "tollway.selector" . | nindent 6 }}
  policyTypes: [Ingress]
  ingress:
    - ports: [{protocol: TCP, port: {{ .port }}}]
      {{- if .callers }}
      from:
        - podSelector:
            matchLabels:
              app.kubernetes.io/name: tollway
              app.kubernetes.io/instance: {{ $root.Release.Name }}
            matchExpressions:
              - {key: app.kubernetes.io/component, operator: In, values: {{ toJson .callers }}}
      {{- end }}
{{- end }}
{{- if gt (int $values.replicas) 1 }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
{{ include "tollway.metadata" . }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{- include "tollway.selector" . | nindent 6 }}
{{- end }}
{{- if .files }}
{{- with $values.persistence }}
{{- if .enabled }}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ $name }}
  labels: {{- include "tollway.labels" $ | nindent 4 }}
  {{- if .retain }}
  annotations: {helm.sh/resource-policy: keep}
  {{- end }}
spec:
  accessModes: [ReadWriteOnce]
  {{- with .storageClass }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests: {storage: {{ .size }}}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
