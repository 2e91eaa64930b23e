{{/* Names, labels, and the one place where each value that several files need is worked out. */}}

{{- define "wsbalancer.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* 55 characters, so that "-metrics" still fits into a name. A release's name may have dots, a Service's not. */}}
{{- define "wsbalancer.fullname" -}}
{{- $name := include "wsbalancer.name" . -}}
{{- $release := .Release.Name | replace "." "-" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 55 | trimSuffix "-" -}}
{{- else if contains $name $release -}}
{{- $release | trunc 55 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" $release $name | trunc 55 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "wsbalancer.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{- define "wsbalancer.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "wsbalancer.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "wsbalancer.selectorLabels" -}}
app.kubernetes.io/name: {{ include "wsbalancer.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: balancer
{{- end -}}

{{- define "wsbalancer.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "wsbalancer.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: {{ .Chart.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The metadata of an object. Takes a dict: root; suffix (of the name) or name, namespace, labels, annotations: optional. */}}
{{- define "wsbalancer.metadata" -}}
name: {{ .name | default (include "wsbalancer.fullname" .root) }}{{ with .suffix }}-{{ . }}{{ end }}
namespace: {{ .namespace | default (include "wsbalancer.namespace" .root) }}
labels:
  {{- include "wsbalancer.labels" .root | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) (.annotations | default dict) (.root.Values.commonAnnotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* An image's full name. Takes a dict: root, image, appVersion. */}}
{{- define "wsbalancer.image" -}}
{{- with (.root.Values.global | default dict).imageRegistry | default .image.registry }}{{ . }}/{{ end -}}
{{ .image.repository }}:{{ .image.tag | default .appVersion }}
{{- with .image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{/* "true" where the agent is a native sidecar, else empty. */}}
{{- define "wsbalancer.nativeSidecar" -}}
{{- $want := toString .Values.agent.nativeSidecar -}}
{{- if or (eq $want "true") (and (eq $want "auto") (semverCompare ">=1.29-0" .Capabilities.KubeVersion.Version)) -}}
true
{{- end -}}
{{- end -}}

{{/* "true" where more than one HAProxy pod of a Deployment can run, else empty. */}}
{{- define "wsbalancer.several" -}}
{{- if eq .Values.kind "DaemonSet" -}}
{{- else if .Values.autoscaling.enabled -}}
{{- if gt (int .Values.autoscaling.maxReplicas) 1 }}true{{ end -}}
{{- else if .Values.keda.enabled -}}
{{- if gt (int .Values.keda.maxReplicas) 1 }}true{{ end -}}
{{- else if gt (int .Values.replicaCount) 1 -}}
true
{{- end -}}
{{- end -}}

{{/*
"true" where the agent's page may be shown on the clients' port: without a token, a Service that replaces the
clients' addresses by the nodes' would show it to everybody.
*/}}
{{- define "wsbalancer.pageForClients" -}}
{{- $hides := dict -}}
{{- range list .Values.service (ternary .Values.internalService dict .Values.internalService.enabled) -}}
{{- if and (ne (.type | default "ClusterIP") "ClusterIP") (ne .externalTrafficPolicy "Local") -}}
{{- $_ := set $hides "true" true -}}
{{- end -}}
{{- end -}}
{{- if and .Values.balancerMetrics.enabled (or (not $hides) .Values.agent.access.tokenSecret.name) -}}
true
{{- end -}}
{{- end -}}

{{- define "wsbalancer.metricPath" -}}
{{ .Values.agent.config.balancerMetricPath }}
{{- end -}}

{{/* The namespaces whose EndpointSlices the agent reads, as a JSON list: its own (to count HAProxies) and the Services'. */}}
{{- define "wsbalancer.watchedNamespaces" -}}
{{- $own := include "wsbalancer.namespace" . -}}
{{- $all := list $own -}}
{{- range .Values.services -}}
{{- $all = append $all (.namespace | default $own) -}}
{{- end -}}
{{- $all | uniq | toJson -}}
{{- end -}}

{{/* The Services of a namespace that the agent may read, as a list; empty: none. Takes a dict: root, namespace. */}}
{{- define "wsbalancer.readServices" -}}
{{- $own := include "wsbalancer.namespace" .root -}}
{{- $names := list -}}
{{- range .root.Values.services -}}
{{- if eq (.namespace | default $own) $.namespace -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- end -}}
{{- if and .root.Values.rbac.readServices $names -}}
{{- $names | uniq | toYaml -}}
{{- end -}}
{{- end -}}

{{/*
The name of the Role in a namespace and of its binding. In a namespace of somebody else's it carries the release's,
or two releases of one name would share it; no namespace has a dot in it. Takes a dict: root, namespace.
*/}}
{{- define "wsbalancer.roleName" -}}
{{- $own := include "wsbalancer.namespace" .root -}}
{{- include "wsbalancer.fullname" .root }}{{ if ne .namespace $own }}.{{ $own }}{{ end -}}
{{- end -}}

{{/* Seconds over which the agent closes WebSockets while it holds the hook. Not set: what the grace period leaves. */}}
{{- define "wsbalancer.closeOver" -}}
{{- $set := toString (ternary "" .Values.agent.closeOver (kindIs "invalid" .Values.agent.closeOver)) -}}
{{- if ne $set "" -}}
{{ $set }}
{{- else -}}
{{ sub (int .Values.terminationGracePeriodSeconds) (add (int .Values.agent.drainDelay) 10) }}
{{- end -}}
{{- end -}}

{{/* "true" where the plain port takes clients, else empty. */}}
{{- define "wsbalancer.plainPort" -}}
{{- if or (not .Values.tls.enabled) (ne .Values.tls.http "off") }}true{{ end -}}
{{- end -}}

{{/* The scheme of the agent's port, as probes and hooks name it. */}}
{{- define "wsbalancer.agentScheme" -}}
{{ ternary "HTTPS" "HTTP" (ne .Values.agent.access.tlsSecret "") }}
{{- end -}}
