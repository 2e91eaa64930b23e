{{/* Which Service takes which requests. */}}

{{/*
The backend of an entry of services: the Service's name, and where several entries have that, with namespace and port.
No name of a Service has a dot in it. Takes a dict: root, service.
*/}}
{{- define "wsbalancer.backend" -}}
{{- $own := include "wsbalancer.namespace" .root -}}
{{- $same := 0 -}}
{{- range .root.Values.services -}}
{{- if eq .name $.service.name }}{{ $same = add1 $same }}{{ end -}}
{{- end -}}
{{- .service.name -}}
{{- if gt (int $same) 1 -}}
.{{ .service.namespace | default $own }}{{ with .service.port }}.{{ . }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* The hosts of an entry as a JSON list: in small letters, each once; "" is any. */}}
{{- define "wsbalancer.hosts" -}}
{{- $hosts := list -}}
{{- range .hosts }}{{ $hosts = append $hosts (lower .) }}{{ end -}}
{{- $hosts | default (list "") | uniq | toJson -}}
{{- end -}}

{{/* The paths of an entry as a JSON list: without the slash at the end, each once; "" is any. */}}
{{- define "wsbalancer.paths" -}}
{{- $paths := list -}}
{{- range .paths }}{{ $paths = append $paths (trimSuffix "/" .) }}{{ end -}}
{{- $paths | default (list "") | uniq | toJson -}}
{{- end -}}

{{/*
All pairs of host and path, the most specific first, as a JSON list of {host, path, backend, service}: a host before
a wildcard (the longest first) before any, then the longest path. One pair has one taker.
*/}}
{{- define "wsbalancer.routes" -}}
{{- $routes := dict -}}
{{- range $service := .Values.services -}}
{{- $backend := include "wsbalancer.backend" (dict "root" $ "service" $service) -}}
{{- range $host := include "wsbalancer.hosts" $service | fromJsonArray -}}
{{- range $path := include "wsbalancer.paths" $service | fromJsonArray -}}
{{- $class := ternary 2 (ternary 1 0 (hasPrefix "*." $host)) (eq $host "") -}}
{{- $key := printf "%d %03d %s %04d %s" $class (sub 999 (len $host)) $host (sub 9999 (len $path)) $path -}}
{{- with get $routes $key -}}
{{- if not (or $host $path) -}}
{{- fail (printf "services: %s and %s have neither hosts nor paths: only one can take the rest" .backend $backend) -}}
{{- end -}}
{{- fail (printf "services: %s and %s both take %s%s: the second would get nothing" .backend $backend ($host | default "any host, ") $path) -}}
{{- end -}}
{{- $_ := set $routes $key (dict "host" $host "path" $path "backend" $backend) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $sorted := list -}}
{{- range keys $routes | sortAlpha -}}
{{- $sorted = append $sorted (get $routes .) -}}
{{- end -}}
{{- $sorted | toJson -}}
{{- end -}}

{{/* The lines of the frontend that choose a backend. */}}
{{- define "wsbalancer.haproxy.routes" -}}
{{- $routes := include "wsbalancer.routes" . | fromJsonArray -}}
{{- $hosts := list -}}
{{- $paths := list -}}
{{- range $routes -}}
{{- $hosts = append $hosts .host -}}
{{- $paths = append $paths .path -}}
{{- end -}}
{{- $hosts = without ($hosts | uniq) "" -}}
{{- $paths = without ($paths | uniq) "" -}}
{{- range $n, $host := $hosts }}
    acl host_{{ $n }} req.hdr(host),field(1,:) -i {{ if hasPrefix "*" $host }}-m end {{ trimPrefix "*" $host }}{{ else }}{{ $host }}{{ end }}
{{- end }}
{{- range $n, $path := $paths }}
    acl path_{{ $n }} path {{ $path }}
    acl path_{{ $n }} path_beg {{ $path }}/
{{- end }}
{{- $rest := "be_none" }}
{{- range $route := $routes }}
{{- if or .host .path }}
    use_backend {{ .backend }} if
{{- range $n, $host := $hosts }}{{ if eq $host $route.host }} host_{{ $n }}{{ end }}{{ end }}
{{- range $n, $path := $paths }}{{ if eq $path $route.path }} path_{{ $n }}{{ end }}{{ end }}
{{- else }}
{{- $rest = .backend }}
{{- end }}
{{- end }}
    default_backend {{ $rest }}
{{- if eq $rest "be_none" }}

backend be_none
    http-request deny deny_status 404
{{- end }}
{{- end -}}
