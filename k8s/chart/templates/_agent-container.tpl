{{/* The agent's container, the same as native sidecar and as plain container but for a few lines. */}}
{{- define "wsbalancer.agentContainer" -}}
- name: wsbalancer
  image: {{ include "wsbalancer.image" (dict "root" . "image" .Values.agent.image "appVersion" .Chart.AppVersion) }}
  imagePullPolicy: {{ .Values.agent.image.pullPolicy }}
  {{- if include "wsbalancer.nativeSidecar" . }}
  restartPolicy: Always
  {{- end }}
  args:
    - -c
    - /etc/wsbalancer/wsbalancer.yaml
    {{- with .Values.agent.extraArgs }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.agent.extraEnvs }}
  env:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.agent.extraEnvFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  ports:
    - name: agent
      containerPort: {{ .Values.agent.port }}
    {{- if and (eq .Values.kind "DaemonSet") .Values.daemonset.useHostNetwork .Values.agent.agentCheck.enabled }}
    # On the node's loopback, which others may use: the scheduler keeps pods with the same one apart.
    - name: agent-check
      containerPort: {{ .Values.agent.agentCheck.port }}
    {{- end }}
  {{- with .Values.agent.startupProbe }}
  startupProbe:
    httpGet:
      path: /startz
      port: agent
      {{- if $.Values.agent.access.tlsSecret }}
      scheme: HTTPS
      {{- end }}
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.agent.livenessProbe }}
  livenessProbe:
    httpGet:
      path: /healthz
      port: agent
      {{- if $.Values.agent.access.tlsSecret }}
      scheme: HTTPS
      {{- end }}
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if not (include "wsbalancer.nativeSidecar" .) }}
  # A plain container is told to stop together with HAProxy: this hook keeps the agent until HAProxy has drained.
  lifecycle:
    preStop:
      {{- include "wsbalancer.drainHook" . | nindent 6 }}
  {{- end }}
  {{- with .Values.agent.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- toYaml (.Values.agent.securityContext | default dict) | nindent 4 }}
  volumeMounts:
    - name: run
      mountPath: /run/haproxy
    - name: agent-config
      mountPath: /etc/wsbalancer
      readOnly: true
    {{- if eq .Values.discovery "endpointslices" }}
    - name: token
      mountPath: /var/run/secrets/kubernetes.io/serviceaccount
      readOnly: true
    {{- end }}
    {{- if or .Values.agent.access.tokenSecret.name .Values.agent.access.tlsSecret }}
    - name: access
      mountPath: /etc/wsbalancer-access
      readOnly: true
    {{- end }}
    {{- if .Values.tls.reload }}
    {{- with include "wsbalancer.certificateMounts" . | trim }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- end }}
    {{- with .Values.agent.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
