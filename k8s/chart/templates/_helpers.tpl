{{/* Names, labels, and the one place where each value that several files need is worked out. */}}

{{- define "wsbalancer.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* 55 characters, so that "-metrics" still fits into a name. */}}
{{- define "wsbalancer.fullname" -}}
{{- $name := include "wsbalancer.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 55 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 55 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 55 | trimSuffix "-" -}}
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

{{/* The metadata of an object. Takes a dict: root; suffix (of the name), labels, annotations: optional. */}}
{{- define "wsbalancer.metadata" -}}
name: {{ include "wsbalancer.fullname" .root }}{{ with .suffix }}-{{ . }}{{ end }}
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

{{/* An image's full name. Takes a dict: image, appVersion. */}}
{{- define "wsbalancer.image" -}}
{{- with .image.registry }}{{ . }}/{{ end -}}
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

{{/* "true" where more than one HAProxy pod can run, else empty. */}}
{{- define "wsbalancer.several" -}}
{{- if .Values.autoscaling.enabled -}}
{{- if gt (int .Values.autoscaling.maxReplicas) 1 }}true{{ end -}}
{{- else if .Values.keda.enabled -}}
{{- if gt (int .Values.keda.maxReplicas) 1 }}true{{ end -}}
{{- else if gt (int .Values.replicaCount) 1 -}}
true
{{- end -}}
{{- end -}}

{{/*
"true" where the agent's page may be shown on the clients' port: a Service that replaces the clients'
addresses by the nodes' would show it to everybody.
*/}}
{{- define "wsbalancer.pageForClients" -}}
{{- if .Values.balancerMetrics.enabled -}}
{{- if or (eq .Values.service.type "ClusterIP") (eq .Values.service.externalTrafficPolicy "Local") -}}
true
{{- end -}}
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

{{/* What the schema cannot say. Called once, by the Deployment. */}}
{{- define "wsbalancer.checkValues" -}}
{{- if not .Values.services -}}
{{- fail "services is empty: name the Service of your WebSocket pods, e.g. --set services[0].name=my-app" -}}
{{- end -}}
{{- $names := list -}}
{{- $rest := list -}}
{{- range .Values.services -}}
{{- if has .name $names -}}
{{- fail (printf "services: %s is there twice: an entry takes several hosts and paths" .name) -}}
{{- end -}}
{{- $names = append $names .name -}}
{{- if not (or .hosts .paths) -}}
{{- $rest = append $rest .name -}}
{{- end -}}
{{- if and (eq $.Values.discovery "dns") (not (regexMatch "^[0-9]+$" (toString (.port | default "")))) -}}
{{- fail (printf "services: %s needs port, as the pods' port number: discovery by DNS finds addresses only" .name) -}}
{{- end -}}
{{- end -}}
{{- if gt (len $rest) 1 -}}
{{- fail (printf "services: %s have neither hosts nor paths: only one can take the rest" (join " and " $rest)) -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled .Values.keda.enabled -}}
{{- fail "autoscaling.enabled and keda.enabled: both would set the number of pods; choose one" -}}
{{- end -}}
{{- if and .Values.podMonitor.enabled .Values.serviceMonitor.enabled -}}
{{- fail "podMonitor.enabled and serviceMonitor.enabled: every pod would be scraped twice; choose one" -}}
{{- end -}}
{{- if and (or .Values.serviceMonitor.enabled .Values.keda.enabled) (not .Values.metricsService.enabled) -}}
{{- fail "metricsService.enabled is false: serviceMonitor and keda need the metrics Service" -}}
{{- end -}}
{{- if and .Values.tls.enabled (not .Values.tls.secretName) -}}
{{- fail "tls.secretName is empty: tls.enabled needs a Secret of type kubernetes.io/tls" -}}
{{- end -}}
{{- if ge (add (int .Values.agent.drainDelay) 10) (int .Values.terminationGracePeriodSeconds) -}}
{{- fail (printf "terminationGracePeriodSeconds %d leaves no time after agent.drainDelay %d: set it at least 11 s longer" (int .Values.terminationGracePeriodSeconds) (int .Values.agent.drainDelay)) -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.allowExternal) (not .Values.networkPolicy.from) (not .Values.networkPolicy.extraIngress) -}}
{{- fail "networkPolicy would let no client in: name peers in networkPolicy.from, or set networkPolicy.allowExternal" -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled (eq .Values.discovery "endpointslices") (not .Values.networkPolicy.extraEgress) (not (and .Values.networkPolicy.apiServerCIDRs .Values.networkPolicy.apiServerPorts)) -}}
{{- fail "networkPolicy would keep the agent from the Kubernetes API: name networkPolicy.apiServerCIDRs and apiServerPorts, or set discovery=dns" -}}
{{- end -}}
{{- range $key, $_ := .Values.agent.extraConfig -}}
{{- if hasKey $.Values.agent.config $key -}}
{{- fail (printf "agent.extraConfig.%s: set agent.config.%s" $key $key) -}}
{{- else if has $key (list "haproxy" "kubernetes" "listen" "agentCheck" "drainDelay") -}}
{{- fail (printf "agent.extraConfig.%s: the chart writes this key from its own values" $key) -}}
{{- end -}}
{{- end -}}
{{- $ports := list (int .Values.containerPorts.http) (int .Values.containerPorts.https) (int .Values.containerPorts.stat) (int .Values.agent.port) (int .Values.agent.agentCheck.port) -}}
{{- if lt (len (uniq $ports)) (len $ports) -}}
{{- fail (printf "containerPorts, agent.port and agent.agentCheck.port must differ: %s" (join " " $ports)) -}}
{{- end -}}
{{- end -}}
