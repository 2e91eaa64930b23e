{{/* wsbalancer.yaml, as a document of the agent's own keys. */}}

{{- define "wsbalancer.agent.replicas" -}}
{{- if eq .Values.discovery "endpointslices" -}}
service: {{ include "wsbalancer.fullname" . }}
{{- else if .Values.autoscaling.enabled -}}
{{ .Values.autoscaling.minReplicas }}
{{- else if .Values.keda.enabled -}}
{{ .Values.keda.minReplicas }}
{{- else -}}
{{ .Values.replicaCount }}
{{- end -}}
{{- end -}}

{{- define "wsbalancer.agent.yaml" -}}
haproxy:
  socket: /run/haproxy/admin.sock
{{- if and .Values.tls.enabled .Values.tls.reload }}
  reloadCertificates: true
{{- end }}
{{- if eq .Values.discovery "endpointslices" }}
  # The HAProxy pods, counted from this release's own Service.
  replicas:
    {{- include "wsbalancer.agent.replicas" . | nindent 4 }}
{{- else }}
  replicas: {{ include "wsbalancer.agent.replicas" . }}
{{- end }}
  backends:
{{- range .Values.services }}
    {{- $backend := include "wsbalancer.backend" (dict "root" $ "service" .) }}
    {{- if .metric }}
    - name: {{ $backend }}
      {{- toYaml .metric | nindent 6 }}
    {{- else }}
    - {{ $backend }}
    {{- end }}
{{- end }}
{{- if eq .Values.discovery "endpointslices" }}
kubernetes:
{{- range .Values.services }}
  - service: {{ .name }}{{ with .port }}:{{ . }}{{ end }}
    {{- with .namespace }}
    namespace: {{ . }}
    {{- end }}
    backend: {{ include "wsbalancer.backend" (dict "root" $ "service" .) }}
    serverOptions: {{ include "wsbalancer.haproxy.server" (dict "root" $ "service" .) }}
{{- end }}
{{- end }}
listen: "*:{{ .Values.agent.port }}"
{{- if .Values.agent.access.tokenSecret.name }}
listenTokenFile: /etc/wsbalancer-access/token
{{- end }}
{{- if .Values.agent.access.tlsSecret }}
listenTLSCert: /etc/wsbalancer-access/tls.crt
listenTLSKey: /etc/wsbalancer-access/tls.key
{{- end }}
{{- if .Values.agent.agentCheck.enabled }}
agentCheck:
  listen: 127.0.0.1:{{ .Values.agent.agentCheck.port }}
{{- end }}
{{- range $key, $value := .Values.agent.config }}
{{- if not (or (eq (toString $value) "") (eq (toString $value) "map[]")) }}
{{ toYaml (dict $key $value) }}
{{- end }}
{{- end }}
drainDelay: {{ int .Values.agent.drainDelay }}s
drainFile: /run/haproxy/drain
closeOver: {{ include "wsbalancer.closeOver" . }}s
closeRate: {{ int .Values.agent.closeRate }}
{{- with .Values.agent.extraConfig }}
{{ toYaml . }}
{{- end }}
{{- end -}}
