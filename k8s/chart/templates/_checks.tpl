{{/* What the schema cannot say about the values. Called where the first templates are rendered, so that its words come before any other fault. */}}
{{- define "wsbalancer.checkValues" -}}
{{- include "wsbalancer.checkServices" . -}}
{{- include "wsbalancer.checkScaling" . -}}
{{- include "wsbalancer.checkKind" . -}}
{{- include "wsbalancer.checkFamilies" . -}}
{{- include "wsbalancer.checkMonitoring" . -}}
{{- include "wsbalancer.checkTLS" . -}}
{{- include "wsbalancer.checkTimes" . -}}
{{- include "wsbalancer.checkNetworkPolicy" . -}}
{{- include "wsbalancer.checkAgentConfig" . -}}
{{- include "wsbalancer.checkPage" . -}}
{{- include "wsbalancer.checkPorts" . -}}
{{- include "wsbalancer.checkSizes" . -}}
{{- end -}}

{{- define "wsbalancer.checkServices" -}}
{{- if not .Values.services -}}
{{- fail "services is empty: name the Service of your WebSocket pods, e.g. --set services[0].name=my-app" -}}
{{- end -}}
{{- $backends := list -}}
{{- range .Values.services -}}
{{- $backend := include "wsbalancer.backend" (dict "root" $ "service" .) -}}
{{- if has $backend $backends -}}
{{- fail (printf "services: %s is there twice with the same port: an entry takes several hosts and paths" .name) -}}
{{- end -}}
{{- $backends = append $backends $backend -}}
{{- if and (eq $.Values.discovery "dns") (not (regexMatch "^[0-9]+$" (toString (.port | default "")))) -}}
{{- fail (printf "services: %s needs port, as the pods' port number: discovery by DNS finds addresses only" .name) -}}
{{- end -}}
{{- end -}}
{{- $_ := include "wsbalancer.routes" . -}}
{{- end -}}

{{- define "wsbalancer.checkScaling" -}}
{{- $scaled := or .Values.autoscaling.enabled .Values.keda.enabled -}}
{{- if and .Values.autoscaling.enabled .Values.keda.enabled -}}
{{- fail "autoscaling.enabled and keda.enabled: both would set the number of pods; choose one" -}}
{{- end -}}
{{- if not (or $scaled (eq .Values.kind "DaemonSet")) -}}
{{- include "wsbalancer.checkUnscaling" . -}}
{{- end -}}
{{- if and $scaled (not .Values.autoscaling.adopted) (not (include "wsbalancer.liveReplicas" .)) -}}
{{- fail (include "wsbalancer.adoption" .) -}}
{{- end -}}
{{- range $name := list "autoscaling" "keda" -}}
{{- with get $.Values $name -}}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) -}}
{{- fail (printf "%s.minReplicas %d is more than maxReplicas %d" $name (int .minReplicas) (int .maxReplicas)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $most := int .Values.haproxy.maxConnections -}}
{{- if and .Values.autoscaling.enabled (ge (int .Values.autoscaling.targetConnections) $most) -}}
{{- fail (printf "autoscaling.targetConnections %d: HAProxies are full at haproxy.maxConnections %d, before there are more of them" (int .Values.autoscaling.targetConnections) $most) -}}
{{- end -}}
{{- if and .Values.keda.enabled (not .Values.keda.triggers) -}}
{{- if ge (int .Values.keda.targetConnections) $most -}}
{{- fail (printf "keda.targetConnections %d: HAProxies are full at haproxy.maxConnections %d, before there are more of them" (int .Values.keda.targetConnections) $most) -}}
{{- end -}}
{{- if not .Values.keda.version -}}
{{- fail "keda.version is empty: the trigger on connections needs KEDA 2.20, an older one takes one HAProxy's connections for all; set keda.version to yours (kubectl get crd scaledobjects.keda.sh --show-labels), or keda.triggers" -}}
{{- else if semverCompare "<2.20.0-0" .Values.keda.version -}}
{{- fail (printf "keda.version %s: the trigger on connections needs KEDA 2.20, an older one takes one HAProxy's connections for all; set keda.triggers" .Values.keda.version) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* An autoscaler that is turned off leaves more HAProxies than replicaCount says: the rest would end at once. */}}
{{- define "wsbalancer.checkUnscaling" -}}
{{- $name := include "wsbalancer.fullname" . -}}
{{- $namespace := include "wsbalancer.namespace" . -}}
{{- $live := 0 -}}
{{- with lookup "apps/v1" "Deployment" $namespace $name -}}
{{- $live = int .spec.replicas -}}
{{- end -}}
{{- $count := int .Values.replicaCount -}}
{{- if gt $live $count -}}
{{- range list $name (printf "keda-hpa-%s" $name) -}}
{{- if lookup "autoscaling/v2" "HorizontalPodAutoscaler" $namespace . -}}
{{- fail (printf "without its autoscaler the release has replicaCount %d HAProxies, of %d that there are: the rest would end at once; set replicaCount=%d, and less in steps afterwards" $count $live $live) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Where no cluster can be looked at, nobody knows how many HAProxies would end. */}}
{{- define "wsbalancer.adoption" -}}
{{- $name := include "wsbalancer.fullname" . -}}
{{- $namespace := include "wsbalancer.namespace" . }}
an autoscaler needs the Deployment without replicas. Where that goes from what was applied, the API sets 1, and all HAProxies but one end.
Here no cluster can be looked at. For a first installation, or after the command for how you apply, set autoscaling.adopted=true.

With kubectl apply (and Argo CD without ServerSideApply):
  kubectl -n {{ $namespace }} apply view-last-applied deployment/{{ $name }} -o yaml | sed '/^  replicas:/d' | kubectl -n {{ $namespace }} apply set-last-applied -f -

With server-side apply (also Flux, and Argo CD with ServerSideApply):
  kubectl -n {{ $namespace }} get deployment/{{ $name }} -o jsonpath='[{.spec.replicas}]' | sed 's/.*\[\(.*\)\]/{"apiVersion":"apps\/v1","kind":"Deployment","metadata":{"name":"{{ $name }}"},"spec":{"replicas":\1}}/' | kubectl -n {{ $namespace }} apply --server-side --field-manager=autoscaler -f -
{{- end -}}

{{- define "wsbalancer.checkKind" -}}
{{- if eq .Values.kind "DaemonSet" -}}
{{- if or .Values.autoscaling.enabled .Values.keda.enabled -}}
{{- fail "kind is DaemonSet: it has a pod on every node, and neither autoscaling nor keda can change that" -}}
{{- end -}}
{{- else if or .Values.daemonset.useHostNetwork .Values.daemonset.useHostPort -}}
{{- fail "daemonset.useHostNetwork and useHostPort need kind: DaemonSet: two pods of a Deployment could meet on a node" -}}
{{- end -}}
{{- end -}}

{{/* A Service leads to the pods' addresses of each of its families. */}}
{{- define "wsbalancer.checkFamilies" -}}
{{- range $name := list "service" "internalService" -}}
{{- with get $.Values $name -}}
{{- if and (or (has "IPv6" (.ipFamilies | default list)) (hasSuffix "DualStack" (.ipFamilyPolicy | default ""))) (not $.Values.haproxy.ipv6) -}}
{{- fail (printf "%s.ipFamilies and ipFamilyPolicy: its clients come by IPv6 too, and HAProxy would refuse them; set haproxy.ipv6=true" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "wsbalancer.checkMonitoring" -}}
{{- if and .Values.podMonitor.enabled .Values.serviceMonitor.enabled -}}
{{- fail "podMonitor.enabled and serviceMonitor.enabled: every pod would be scraped twice; choose one" -}}
{{- end -}}
{{- if and (or .Values.serviceMonitor.enabled .Values.keda.enabled) (not .Values.metricsService.enabled) -}}
{{- fail "metricsService.enabled is false: serviceMonitor and keda need the metrics Service" -}}
{{- end -}}
{{- end -}}

{{- define "wsbalancer.checkTLS" -}}
{{- if and .Values.tls.reload (not .Values.tls.enabled) -}}
{{- fail "tls.reload: HAProxy has no certificates to reload before tls.enabled is true" -}}
{{- end -}}
{{- if and .Values.tls.enabled (not .Values.tls.secretName) (not .Values.tls.certificates) -}}
{{- fail "tls.secretName is empty: tls.enabled needs a Secret of type kubernetes.io/tls" -}}
{{- end -}}
{{- $names := list -}}
{{- range .Values.tls.certificates -}}
{{- if or (has .secretName $names) (eq .secretName $.Values.tls.secretName) -}}
{{- fail (printf "tls.certificates: %s is there twice" .secretName) -}}
{{- end -}}
{{- $names = append $names .secretName -}}
{{- end -}}
{{- end -}}

{{- define "wsbalancer.checkTimes" -}}
{{- if ge (add (int .Values.agent.drainDelay) 10) (int .Values.terminationGracePeriodSeconds) -}}
{{- fail (printf "terminationGracePeriodSeconds %d leaves no time after agent.drainDelay %d: set it at least 11 s longer" (int .Values.terminationGracePeriodSeconds) (int .Values.agent.drainDelay)) -}}
{{- end -}}
{{- if gt (add (int .Values.agent.drainDelay) (include "wsbalancer.closeOver" . | int) 10) (int .Values.terminationGracePeriodSeconds) -}}
{{- fail (printf "agent.closeOver %s: with agent.drainDelay %d and 10 s it must fit into terminationGracePeriodSeconds %d" (include "wsbalancer.closeOver" .) (int .Values.agent.drainDelay) (int .Values.terminationGracePeriodSeconds)) -}}
{{- end -}}
{{- if and .Values.haproxy.unreadyWhenFull.enabled (ge (int .Values.haproxy.unreadyWhenFull.backMark) (int .Values.haproxy.unreadyWhenFull.mark)) -}}
{{- fail (printf "haproxy.unreadyWhenFull.backMark %d must be below mark %d, or a HAProxy would come and go with each connection" (int .Values.haproxy.unreadyWhenFull.backMark) (int .Values.haproxy.unreadyWhenFull.mark)) -}}
{{- end -}}
{{- end -}}

{{- define "wsbalancer.checkNetworkPolicy" -}}
{{- $policy := .Values.networkPolicy -}}
{{- if $policy.enabled -}}
{{- if and (not $policy.allowExternal) (not $policy.from) (not $policy.extraIngress) -}}
{{- fail "networkPolicy would let no client in: name peers in networkPolicy.from, or set networkPolicy.allowExternal" -}}
{{- end -}}
{{- if and (eq .Values.discovery "endpointslices") (not $policy.extraEgress) (not (and $policy.apiServerCIDRs $policy.apiServerPorts)) -}}
{{- fail "networkPolicy would keep the agent from the Kubernetes API: name networkPolicy.apiServerCIDRs and apiServerPorts, or set discovery=dns" -}}
{{- end -}}
{{- if and (or .Values.keda.enabled .Values.podMonitor.enabled .Values.serviceMonitor.enabled) (not $policy.metricsFrom) -}}
{{- fail "networkPolicy.metricsFrom is empty: name the namespaces of Prometheus and KEDA, e.g. [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]; [{podSelector: {}}] is the release's own" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "wsbalancer.checkAgentConfig" -}}
{{- with .Values.agent.config -}}
{{- if ne (empty .tlsCert) (empty .tlsKey) -}}
{{- fail "agent.config.tlsCert and tlsKey: set both, or neither" -}}
{{- end -}}
{{- end -}}
{{- range $key, $_ := .Values.agent.extraConfig -}}
{{- if hasKey $.Values.agent.config $key -}}
{{- fail (printf "agent.extraConfig.%s: set agent.config.%s" $key $key) -}}
{{- else if hasPrefix "listenT" $key -}}
{{- fail (printf "agent.extraConfig.%s: set agent.access, which probes and monitors know of" $key) -}}
{{- else if has $key (list "haproxy" "kubernetes" "listen" "agentCheck" "drainDelay" "drainFile" "closeOver" "closeRate") -}}
{{- fail (printf "agent.extraConfig.%s: the chart writes this key from its own values" $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "wsbalancer.checkPage" -}}
{{- $reserved := list "/metrics" "/healthz" "/readyz" "/startz" "/drain" -}}
{{- if has (include "wsbalancer.metricPath" .) $reserved -}}
{{- fail (printf "agent.config.balancerMetricPath %s is another page of the agent's: use any path but %s" (include "wsbalancer.metricPath" .) (join ", " $reserved)) -}}
{{- end -}}
{{- if and .Values.balancerMetrics.enabled (not .Values.agent.access.tokenSecret.name) -}}
{{- range .Values.balancerMetrics.allowFrom -}}
{{- if hasSuffix "/0" . -}}
{{- fail (printf "balancerMetrics.allowFrom %s shows the page to everybody: name a token in agent.access.tokenSecret" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "wsbalancer.checkPorts" -}}
{{- $ports := list (int .Values.containerPorts.http) (int .Values.containerPorts.https) (int .Values.containerPorts.stat) (int .Values.agent.port) (int .Values.agent.agentCheck.port) -}}
{{- if lt (len (uniq $ports)) (len $ports) -}}
{{- fail (printf "containerPorts, agent.port and agent.agentCheck.port must differ: %s" (join " " $ports)) -}}
{{- end -}}
{{- end -}}

{{- define "wsbalancer.checkSizes" -}}
{{- $size := len (include "wsbalancer.haproxy.cfg" .) -}}
{{- if gt $size 1000000 -}}
{{- fail (printf "haproxy.cfg has %d bytes, and a ConfigMap takes 1 MiB: fewer slots will do, for the agent adds servers beyond them at run time" $size) -}}
{{- end -}}
{{- end -}}
