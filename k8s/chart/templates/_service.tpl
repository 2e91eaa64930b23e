{{/* A Service of the clients' ports. Takes a dict: root, service (the values), name: optional. */}}
{{- define "wsbalancer.service" -}}
{{- $root := .root -}}
{{- $service := .service -}}
{{- $outside := ne $service.type "ClusterIP" -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "wsbalancer.metadata" (dict "root" .root "name" .name "labels" $service.labels "annotations" $service.annotations) | nindent 2 }}
spec:
  type: {{ $service.type }}
  {{- with $service.clusterIP }}
  clusterIP: {{ . | quote }}
  {{- end }}
  {{- with $service.ipFamilyPolicy }}
  ipFamilyPolicy: {{ . }}
  {{- end }}
  {{- with $service.ipFamilies }}
  ipFamilies:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $service.externalIPs }}
  externalIPs:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $service.internalTrafficPolicy }}
  internalTrafficPolicy: {{ . }}
  {{- end }}
  {{- with $service.trafficDistribution }}
  trafficDistribution: {{ . }}
  {{- end }}
  {{- if $outside }}
  externalTrafficPolicy: {{ $service.externalTrafficPolicy }}
  {{- end }}
  {{- if eq $service.type "LoadBalancer" }}
  {{- with $service.loadBalancerIP }}
  loadBalancerIP: {{ . | quote }}
  {{- end }}
  {{- with $service.loadBalancerClass }}
  loadBalancerClass: {{ . }}
  {{- end }}
  {{- with $service.loadBalancerSourceRanges }}
  loadBalancerSourceRanges:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  selector:
    {{- include "wsbalancer.selectorLabels" $root | nindent 4 }}
  ports:
    {{- if include "wsbalancer.plainPort" $root }}
    - name: http
      port: {{ $service.ports.http }}
      targetPort: http
      {{- if and $outside $service.nodePorts.http }}
      nodePort: {{ $service.nodePorts.http }}
      {{- end }}
    {{- end }}
    {{- if $root.Values.tls.enabled }}
    - name: https
      port: {{ $service.ports.https }}
      targetPort: https
      {{- if and $outside $service.nodePorts.https }}
      nodePort: {{ $service.nodePorts.https }}
      {{- end }}
    {{- end }}
{{- end -}}
