{{/* haproxy.cfg, valid without a warning from HAProxy 2.6 on. */}}

{{- define "wsbalancer.haproxy.hardStopAfter" -}}
{{- .Values.haproxy.hardStopAfter | default (printf "%ds" (sub (int .Values.terminationGracePeriodSeconds) (add (int .Values.agent.drainDelay) (include "wsbalancer.closeOver" . | int) 5))) -}}
{{- end -}}

{{- define "wsbalancer.haproxy.bindOptions" -}}
{{- if .Values.haproxy.acceptProxy }} accept-proxy{{ end -}}
{{- end -}}

{{- define "wsbalancer.haproxy.address" -}}
{{- if .root.Values.haproxy.ipv6 }}:::{{ .port }} v4v6{{ else }}:{{ .port }}{{ end -}}
{{- end -}}

{{/*
Connections beyond haproxy.maxConnections that are accepted, to be closed at once: left in the kernel's queue they
would wait for ever.
*/}}
{{- define "wsbalancer.haproxy.surplus" -}}
{{- add 10 (div (int .Values.haproxy.maxConnections) 100) -}}
{{- end -}}

{{/* The certificates' part of a bind line. */}}
{{- define "wsbalancer.haproxy.certificates" -}}
{{- if .Values.tls.certificates -}}
crt-list /usr/local/etc/haproxy/crt-list.txt
{{- else -}}
crt /etc/haproxy/tls/tls.crt
{{- end -}}
{{- end -}}

{{/* One line for each certificate; the first is for names that none has. */}}
{{- define "wsbalancer.haproxy.crtList" -}}
{{- if .Values.tls.secretName }}
/etc/haproxy/tls/tls.crt
{{- end }}
{{- range .Values.tls.certificates }}
/etc/haproxy/certificates/{{ .secretName }}/tls.crt{{ range .hosts }} {{ . }}{{ end }}
{{- end }}
{{- end -}}

{{/*
Clients that come while the slots are empty, after a restart or reload, wait for the agent to fill them. With DNS, and
where the agent cannot tell, a server is as good a sign.
*/}}
{{- define "wsbalancer.haproxy.wait" -}}
{{- $dns := eq .Values.discovery "dns" }}
    tcp-request inspect-delay {{ .Values.haproxy.waitForServers }}
    tcp-request content accept if { var(proc.synced) -m int gt 0 }
{{- if $dns }}
{{- range .Values.services }}
    tcp-request content accept if { nbsrv({{ include "wsbalancer.backend" (dict "root" $ "service" .) }}) ge 1 }
{{- end }}
{{- else }}
    tcp-request content accept if
{{- range .Values.services }} { nbsrv({{ include "wsbalancer.backend" (dict "root" $ "service" .) }}) ge 1 }{{ end }}
{{- end }}
    tcp-request content accept if WAIT_END
{{- end -}}

{{- define "wsbalancer.haproxy.frontend" -}}
frontend fe_clients
{{- if include "wsbalancer.plainPort" . }}
    bind {{ include "wsbalancer.haproxy.address" (dict "root" . "port" .Values.containerPorts.http) }}{{ include "wsbalancer.haproxy.bindOptions" . }}
{{- end }}
{{- if .Values.tls.enabled }}
    bind {{ include "wsbalancer.haproxy.address" (dict "root" . "port" .Values.containerPorts.https) }}{{ include "wsbalancer.haproxy.bindOptions" . }} ssl {{ include "wsbalancer.haproxy.certificates" . }} alpn {{ .Values.tls.alpn }} ssl-min-ver {{ .Values.tls.minVersion }}
{{- end }}
    # Beyond {{ int .Values.haproxy.maxConnections }} a client is refused at once, and may try another HAProxy.
    maxconn {{ add (int .Values.haproxy.maxConnections) (include "wsbalancer.haproxy.surplus" . | int) }}
    tcp-request connection reject if { fe_conn gt {{ int .Values.haproxy.maxConnections }} }
{{- include "wsbalancer.haproxy.wait" . }}
    {{ with .Values.haproxy.logFormat }}log-format {{ quote . }}{{ else }}option httplog{{ end }}
    # The agent's page: only where asked for, and for addresses inside; what came through another proxy may be from anywhere.
    acl page path {{ include "wsbalancer.metricPath" . }}
{{- if include "wsbalancer.pageForClients" . }}
    acl inside src {{ join " " .Values.balancerMetrics.allowFrom }}
    acl proxied req.hdr(X-Forwarded-For) -m found
    http-request deny deny_status 404 if page !inside
    http-request deny deny_status 404 if page proxied
{{- else }}
    http-request deny deny_status 404 if page
{{- end }}
{{- if .Values.haproxy.denyMetricPath }}
    # However it is spelt.
    http-request deny deny_status 404 if { path,url_dec -m reg -i '^{{ regexQuoteMeta .Values.agent.config.metricPath | replace "/" "/+(\\./+)*" }}/*$' }
{{- end }}
{{- if eq .Values.haproxy.forwardedFor "add" }}
    option forwardfor
{{- else if eq .Values.haproxy.forwardedFor "replace" }}
    http-request set-header X-Forwarded-For %[src]
{{- end }}
{{- include "wsbalancer.haproxy.forwardedProto" . }}
{{- if and .Values.tls.enabled (eq .Values.tls.http "redirect") }}
    http-request redirect scheme https code 301 unless { ssl_fc }
{{- end }}
{{- with .Values.haproxy.extra.frontend }}
    {{- tpl . $ | nindent 4 }}
{{- end }}
{{- if include "wsbalancer.pageForClients" . }}
    use_backend be_agent if page
{{- end }}
{{- include "wsbalancer.haproxy.routes" . }}
{{- end -}}

{{/*
X-Forwarded-Proto says how the client came. On the plain port a proxy in front may know better, but where
X-Forwarded-For is not believed either.
*/}}
{{- define "wsbalancer.haproxy.forwardedProto" -}}
{{- $plain := .Values.haproxy.forwardedProto | default "http" -}}
{{- if .Values.tls.enabled }}
    http-request set-header X-Forwarded-Proto https if { ssl_fc }
{{- end }}
{{- if and (include "wsbalancer.plainPort" .) (ne .Values.haproxy.forwardedFor "off") }}
    http-request set-header X-Forwarded-Proto {{ $plain }}
{{- if .Values.tls.enabled }} if !{ ssl_fc }{{ if eq .Values.haproxy.forwardedFor "add" }} !{ req.hdr(X-Forwarded-Proto) -m found }{{ end }}
{{- else if eq .Values.haproxy.forwardedFor "add" }} unless { req.hdr(X-Forwarded-Proto) -m found }
{{- end }}
{{- end }}
{{- end -}}

{{/*
What a server of a Service has in any case, in haproxy.cfg and when the agent adds it. Takes a dict: root, service.
*/}}
{{- define "wsbalancer.haproxy.server" -}}
{{- $check := merge (dict) (.service.check | default dict) .root.Values.check -}}
check inter {{ $check.interval }} fall {{ $check.fall }} rise {{ $check.rise }}
{{- with .service.serverOptions }} {{ . }}{{ end -}}
{{- end -}}

{{/* One backend. Takes a dict: root, service. */}}
{{- define "wsbalancer.haproxy.backend" -}}
{{- $root := .root -}}
{{- $service := .service -}}
{{- $values := .root.Values -}}
{{- $check := merge (dict) ($service.check | default dict) $values.check -}}
{{- $slots := int ($service.slots | default $values.slots) -}}
{{- $name := include "wsbalancer.backend" (dict "root" $root "service" $service) -}}
backend {{ $name }}
    balance {{ $service.balance | default $values.balance }}
{{- with $check.path }}
    option httpchk
    http-check send meth GET uri {{ . }} ver HTTP/1.1 hdr Host {{ $service.name }}
    http-check expect status 200-399
{{- end }}
    # Weight 100, so that the agent's N% means N.
    default-server weight 100 {{ include "wsbalancer.haproxy.server" . }}
{{- if $values.agent.agentCheck.enabled }} agent-check agent-addr 127.0.0.1 agent-port {{ $values.agent.agentCheck.port }} agent-inter {{ $values.agent.agentCheck.interval }}{{ end }}
{{- with $values.haproxy.extra.backend }}
    {{- tpl . $root | nindent 4 }}
{{- end }}
{{- if eq $values.discovery "dns" }}
    # The agent gives each server its own agent-send; until then the answer to this one is empty.
    server-template pod 1-{{ $slots }} {{ $service.name }}.{{ $service.namespace | default (include "wsbalancer.namespace" $root) }}.svc.{{ $values.dns.clusterDomain }}:{{ $service.port }} resolvers kubernetes resolve-prefer {{ ternary "ipv6" "ipv4" $values.haproxy.ipv6 }} init-addr none
{{- if $values.agent.agentCheck.enabled }} agent-send "{{ $name }}/\n"{{ end }}
{{- else }}
    # Filled by the agent with the pods' addresses.
{{- range $i := until $slots }}
    server pod{{ add1 $i }} 127.0.0.1:1 disabled{{ if $values.agent.agentCheck.enabled }} agent-send "{{ $name }}/pod{{ add1 $i }}\n"{{ end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "wsbalancer.haproxy.whole" -}}
{{- $root := . -}}
global
    log stdout format raw local0 info
    # More than clients may have: probes and metrics are answered by a full HAProxy too.
    maxconn {{ add (int .Values.haproxy.maxConnections) (include "wsbalancer.haproxy.surplus" . | int) 100 }}
{{- with int .Values.haproxy.threads }}
    nbthread {{ . }}
{{- end }}
    tune.bufsize {{ int .Values.haproxy.bufsize }}
    stats socket unix@/run/haproxy/admin.sock mode 660 level admin
    stats timeout 1m
    hard-stop-after {{ include "wsbalancer.haproxy.hardStopAfter" . }}
{{- with .Values.haproxy.extra.global }}
    {{- tpl . $root | nindent 4 }}
{{- end }}

defaults
    mode http
    log global
    option dontlognull
    option redispatch
    retries 3
    timeout connect {{ .Values.haproxy.timeouts.connect }}
    timeout client {{ .Values.haproxy.timeouts.client }}
    timeout server {{ .Values.haproxy.timeouts.server }}
    # From a WebSocket's opening on this one counts, in place of client and server.
    timeout tunnel {{ .Values.haproxy.timeouts.tunnel }}
    timeout client-fin {{ .Values.haproxy.timeouts.fin }}
    timeout server-fin {{ .Values.haproxy.timeouts.fin }}
    timeout http-request {{ .Values.haproxy.timeouts.httpRequest }}
    timeout queue {{ .Values.haproxy.timeouts.queue }}
    timeout check 2s
{{- with .Values.haproxy.extra.defaults }}
    {{- tpl . $root | nindent 4 }}
{{- end }}
{{- if eq .Values.discovery "dns" }}

resolvers kubernetes
{{- range $n, $server := .Values.dns.nameservers }}
    nameserver dns{{ add1 $n }} {{ $server }}
{{- else }}
    parse-resolv-conf
{{- end }}
    accepted_payload_size {{ int .Values.dns.payloadSize }}
    timeout resolve 1s
    timeout retry 1s
    hold obsolete {{ .Values.dns.holdObsolete }}
{{- end }}

frontend fe_stat
    bind {{ include "wsbalancer.haproxy.address" (dict "root" . "port" .Values.containerPorts.stat) }}
    maxconn 100
    no log
{{- with .Values.haproxy.unreadyWhenFull }}
{{- if .enabled }}
    # Full at the one mark, and until there are fewer than at the other.
    tcp-request connection set-var(proc.full) int(1) if { fe_conn(fe_clients) ge {{ div (mul (int $root.Values.haproxy.maxConnections) (int .mark)) 100 | max 1 }} }
    tcp-request connection set-var(proc.full) int(0) if { fe_conn(fe_clients) lt {{ div (mul (int $root.Values.haproxy.maxConnections) (int .backMark)) 100 | max 1 }} }
{{- end }}
{{- end }}
    # Ready: not stopping{{ if .Values.haproxy.readyWithoutServers }}{{ else if ne .Values.discovery "dns" }}, and the agent has filled the slots, for Services that are rightly named{{ else }}, and a usable pod is known{{ end }}.
    monitor-uri /ready
    monitor fail if { var(proc.stopping) -m int gt 0 }
{{- if .Values.haproxy.unreadyWhenFull.enabled }}
    monitor fail if { var(proc.full) -m int gt 0 }
{{- end }}
{{- if .Values.haproxy.readyWithoutServers }}
{{- else if ne .Values.discovery "dns" }}
    monitor fail if !{ var(proc.synced) -m int gt 0 }
{{- else }}
    monitor fail if{{ range .Values.services }} { nbsrv({{ include "wsbalancer.backend" (dict "root" $root "service" .) }}) lt 1 }{{ end }}
{{- end }}
    http-request return status 200 content-type text/plain string "live\n" if { path /live }
    http-request use-service prometheus-exporter if { path /metrics }
    stats enable
    stats uri /stats
    stats refresh 5s

{{ include "wsbalancer.haproxy.frontend" . }}

backend be_agent
    server agent 127.0.0.1:{{ .Values.agent.port }}{{ if .Values.agent.access.tlsSecret }} ssl verify none{{ end }}
{{- range .Values.services }}

{{ include "wsbalancer.haproxy.backend" (dict "root" $root "service" .) }}
{{- end }}
{{- with .Values.haproxy.extra.sections }}

{{ tpl . $root }}
{{- end }}
{{- end -}}

{{- define "wsbalancer.haproxy.cfg" -}}
{{- if .Values.config -}}
{{ tpl .Values.config . | trim }}
{{- else -}}
{{ include "wsbalancer.haproxy.whole" . | trim }}
{{- end -}}
{{- end -}}
