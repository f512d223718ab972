{{/*
A Redis of one role, and the Secret that says where it is and how to open it.
Called by redis-<role>.yaml with a dict:
  root      the chart's context
  role      what it is for, in the name of its objects
  values    its block of values.yaml
  callers   components that may reach it
  eviction  what it does when its memory is full, in Redis' words
  files     folder of the file that every write is appended to; absent: nothing is written to a disk
*/}}
{{- define "tollway.redis" -}}
{{- $component := printf "redis-%s" .role }}
{{- $name := include "tollway.name" (dict "root" .root "name" $component) }}
{{- $settings := include "tollway.redisSettings" . }}
{{- with .values }}
{{- if and (or .enabled .url) (not .existingSecret) }}
apiVersion: v1
kind: Secret
{{ include "tollway.metadata" (dict "root" $.root "name" $component) }}
stringData:
  {{- if .enabled }}
  {{- $kept := include "tollway.kept" (dict "root" $.root "name" $component "entry" "password") }}
  {{- $password := $kept | default (randAlphaNum 32) }}
  password: {{ $password }}
  url: redis://:{{ $password }}@{{ $name }}:6379/0
  redis.conf: |
    requirepass {{ $password }}
    {{- $settings | nindent 4 }}
  {{- else }}
  url: {{ .url | quote }}
  {{- end }}
---
{{- end }}
{{- if .enabled }}
{{ include "tollway.workload" (dict
  "root" $.root "name" $component "port" 6379 "probe" "tcp" "callers" $.callers "files" $.files
  "values" (dict "replicas" 1 "image" .image "resources" .resources "persistence" .persistence)
  "command" (list "redis-server" "/etc/redis/redis.conf") "mounts" "- {name: redis, mountPath: /etc/redis, readOnly: true}"
  "volumes" (printf "- {name: redis, secret: {secretName: %s, items: [{key: redis.conf, path: redis.conf}]}}" $name)
  "restartOn" $settings) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "tollway.redisSettings" -}}
port 6379
dir {{ .files | default "/tmp" }}
save ""
appendonly {{ ternary "yes" "no" (not (empty .files)) }}
maxmemory {{ .values.maxMemory }}
maxmemory-policy {{ .eviction }}
{{- end }}

{{/* The variable that says where the Redis of a role is; dict "root" "role" "values" */}}
{{- define "tollway.redisEnv" -}}
{{- with .values }}
{{- if or .enabled .url .existingSecret }}
- name: {{ $.role | upper }}_REDIS_URL
  valueFrom:
    secretKeyRef:
      name: {{ .existingSecret | default (include "tollway.name" (dict "root" $.root "name" (printf "redis-%s" $.role))) }}
      key: url
{{- end }}
{{- end }}
{{- end }}

{{- define "tollway.cacheRedisEnv" -}}
{{- include "tollway.redisEnv" (dict "root" . "role" "cache" "values" .Values.redis) }}
{{- end }}

{{- define "tollway.stateRedisEnv" -}}
{{- include "tollway.redisEnv" (dict "root" . "role" "state" "values" .Values.stateRedis) }}
{{- end }}
