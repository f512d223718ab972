{{/* The pod of a workload; takes the dict of "tollway.workload". Fits Pod Security `restricted`. */}}
{{- define "tollway.pod" -}}
{{- $root := .root }}
{{- $hasConfig := and $root.Values.config (not .command) }}
{{- $hasTls := include "tollway.hasTls" . }}
serviceAccountName: {{ include "tollway.name" . }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: 30
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  - topologyKey: kubernetes.io/hostname
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "tollway.selector" . | nindent 8 }}
containers:
  - name: {{ .name }}
    {{- with $root.Values.image }}
    image: {{ $.values.image | default (printf "%s/%s:%s" .registry $.name .tag) }}
    imagePullPolicy: {{ .pullPolicy }}
    {{- end }}
    {{- if .command }}
    command: {{- toYaml .command | nindent 6 }}
    {{- else }}
    env: {{- include "tollway.env" . | trim | nindent 6 }}
    {{- end }}
    {{- with .envFrom | default "" | trim }}
    envFrom: {{- . | nindent 6 }}
    {{- end }}
    ports:
      - {name: main, containerPort: {{ .port }}}
      {{- if eq $hasTls "served" }}
      - {name: health, containerPort: {{ include "tollway.healthPort" . }}}
      {{- end }}
    {{- include "tollway.probes" . | nindent 4 }}
    {{- if .front }}
    lifecycle:
      preStop: # new connections still come until every node has heard that this pod ends
        exec: {command: [sleep, "5"]}
    {{- end }}
    resources: {{- toYaml .values.resources | nindent 6 }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: {drop: [ALL]}
    volumeMounts:
      - {name: tmp, mountPath: /tmp}
      {{- if $hasConfig }}
      - {name: config, mountPath: /etc/tollway, readOnly: true}
      {{- end }}
      {{- if $hasTls }}
      - {name: tls, mountPath: /etc/tollway-tls, readOnly: true}
      {{- end }}
      {{- with .files }}
      - {name: files, mountPath: {{ . }}}
      {{- end }}
      {{- with .mounts | default "" | trim }}
      {{- . | nindent 6 }}
      {{- end }}
volumes:
  - {name: tmp, emptyDir: {}}
  {{- if $hasConfig }}
  - name: config
    configMap: {name: {{ include "tollway.name" (dict "root" $root "name" "config") }}}
  {{- end }}
  {{- if $hasTls }}
  - name: tls
    secret: {secretName: {{ $root.Values.tls.existingSecret }}}
  {{- end }}
  {{- if .files }}
  - name: files
    {{- if .values.persistence.enabled }}
    persistentVolumeClaim: {claimName: {{ include "tollway.name" . }}}
    {{- else }}
    emptyDir: {}
    {{- end }}
  {{- end }}
  {{- with .volumes | default "" | trim }}
  {{- . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "tollway.env" -}}
- name: LISTEN_ADDRESS
  value: 0.0.0.0:{{ .port }}
- name: LOG_LEVEL
  value: {{ .root.Values.logLevel }}
{{- if .root.Values.config }}
- name: TOLLWAY_CONFIG
  value: /etc/tollway/config.yaml
{{- end }}
{{- include "tollway.tlsEnv" . }}
{{ .env | default "" | trim }}
{{ with .values.extraEnv }}{{ toYaml . }}{{ end }}
{{- end }}

{{/* Alive is what the startup and liveness probes ask, able to serve what the readiness probe asks. */}}
{{- define "tollway.probes" -}}
{{- $alive := toJson (dict "tcpSocket" (dict "port" "main")) }}
{{- $ready := $alive }}
{{- if eq (.probe | default "grpc") "grpc" }}
{{- $port := .port }}
{{- if eq (include "tollway.hasTls" .) "served" }}{{ $port = include "tollway.healthPort" . | int }}{{ end }}
{{- $alive = toJson (dict "grpc" (dict "port" $port)) }}
{{- $ready = $alive }}
{{- else if eq .probe "http" }}
{{- $alive = toJson (dict "httpGet" (dict "port" "main" "path" (.alivePath | default "/health"))) }}
{{- $ready = toJson (dict "httpGet" (dict "port" "main" "path" "/health")) }}
{{- end }}
startupProbe: {{ merge (dict "periodSeconds" 1 "timeoutSeconds" 5 "failureThreshold" 120) (fromJson $alive) | toJson }}
livenessProbe: {{ merge (dict "periodSeconds" 10 "timeoutSeconds" 5 "failureThreshold" 6) (fromJson $alive) | toJson }}
readinessProbe: {{ merge (dict "periodSeconds" 2 "timeoutSeconds" 5 "failureThreshold" 3) (fromJson $ready) | toJson }}
{{- end }}
