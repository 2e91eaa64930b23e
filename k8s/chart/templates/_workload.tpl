{{/* What the pod is made of. */}}

{{/*
replicas, where the chart says it. With an autoscaler the live value stays, for leaving it out lets the API set 1; a
first installation begins with the fewest. Where there is no cluster to look at, it is left out: see checkValues.
*/}}
{{- define "wsbalancer.replicas" -}}
{{- if eq .Values.kind "DaemonSet" -}}
{{- else if or .Values.autoscaling.enabled .Values.keda.enabled -}}
{{- $live := include "wsbalancer.liveReplicas" . -}}
{{- if $live }}
replicas: {{ $live }}
{{- end }}
{{- else }}
replicas: {{ .Values.replicaCount }}
{{- end }}
{{- end -}}

{{/* The number that an autoscaler's Deployment has now, or begins with; empty where no cluster can be seen. */}}
{{- define "wsbalancer.liveReplicas" -}}
{{- $namespace := include "wsbalancer.namespace" . -}}
{{- $live := lookup "apps/v1" "Deployment" $namespace (include "wsbalancer.fullname" .) -}}
{{- if $live -}}
{{ $live.spec.replicas }}
{{- else if lookup "v1" "ConfigMap" $namespace "kube-root-ca.crt" -}}
{{- /* Every namespace has it, and who installs a chart may read ConfigMaps. */ -}}
{{ ternary .Values.autoscaling.minReplicas .Values.keda.minReplicas .Values.autoscaling.enabled }}
{{- end -}}
{{- end -}}

{{/* hostPort of a port, where it has one. Takes a dict: root, name. */}}
{{- define "wsbalancer.hostPort" -}}
{{- if eq .root.Values.kind "DaemonSet" -}}
{{- if .root.Values.daemonset.useHostNetwork -}}
hostPort: {{ get .root.Values.containerPorts .name }}
{{- else if .root.Values.daemonset.useHostPort -}}
{{- with get .root.Values.daemonset.hostPorts .name -}}
hostPort: {{ . }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Certificates, for HAProxy, and for the agent where it renews them. */}}
{{- define "wsbalancer.certificateMounts" -}}
{{- if .Values.tls.enabled -}}
{{- if .Values.tls.secretName }}
- name: tls
  mountPath: /etc/haproxy/tls
  readOnly: true
{{- end }}
{{- range $n, $certificate := .Values.tls.certificates }}
- name: certificate-{{ $n }}
  mountPath: /etc/haproxy/certificates/{{ .secretName }}
  readOnly: true
{{- end }}
{{- end -}}
{{- end -}}

{{- define "wsbalancer.certificateVolumes" -}}
{{- if .Values.tls.enabled -}}
{{- if .Values.tls.secretName }}
{{- include "wsbalancer.certificateVolume" (dict "name" "tls" "secret" .Values.tls.secretName) }}
{{- end }}
{{- range $n, $certificate := .Values.tls.certificates }}
{{- include "wsbalancer.certificateVolume" (dict "name" (printf "certificate-%d" $n) "secret" .secretName) }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* HAProxy looks for the key beside the certificate, under its name. Takes a dict: name, secret. */}}
{{- define "wsbalancer.certificateVolume" }}
- name: {{ .name }}
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
    items:
      - key: tls.crt
        path: tls.crt
      - key: tls.key
        path: tls.crt.key
{{- end -}}

{{/* The token and the certificate of the agent's own port. */}}
{{- define "wsbalancer.accessVolume" -}}
{{- with .Values.agent.access -}}
{{- if or .tokenSecret.name .tlsSecret -}}
- name: access
  projected:
    defaultMode: 0440
    sources:
      {{- if .tokenSecret.name }}
      - secret:
          name: {{ .tokenSecret.name }}
          items:
            - key: {{ .tokenSecret.key }}
              path: token
      {{- end }}
      {{- if .tlsSecret }}
      - secret:
          name: {{ .tlsSecret }}
          items:
            - key: tls.crt
              path: tls.crt
            - key: tls.key
              path: tls.key
      {{- end }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
The hook before a container is told to stop. It makes a file in the folder of HAProxy's socket, which the agent removes
when HAProxy may stop; nothing goes over the network. Should the agent be gone, it waits a little longer than that takes.
*/}}
{{- define "wsbalancer.drainHook" -}}
exec:
  command:
    - sh
    - -c
    - ': >/run/haproxy/drain; n=0; while [ -e /run/haproxy/drain ] && [ $n -lt {{ add (int .Values.agent.drainDelay) (include "wsbalancer.closeOver" . | int) 5 }} ]; do sleep 1; n=$((n + 1)); done'
{{- end -}}
