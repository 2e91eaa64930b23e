{{/* What the pod of `helm test` asks. */}}

{{/* A host whose requests at tests.websocketPath reach a Service: that of the most specific route that takes the path. */}}
{{- define "wsbalancer.testHost" -}}
{{- $path := .Values.tests.websocketPath -}}
{{- $found := "" -}}
{{- range include "wsbalancer.routes" . | fromJsonArray -}}
{{- if and (not $found) (or (eq .path "") (eq .path $path) (hasPrefix (printf "%s/" .path) $path)) -}}
{{- $found = .host | default (include "wsbalancer.fullname" $) -}}
{{- end -}}
{{- end -}}
{{- .Values.tests.host | default ($found | default (include "wsbalancer.fullname" .) | replace "*" "test") -}}
{{- end -}}

{{/*
Each address that a name has is asked, for after an upgrade the old pods are still there: one that answers as it should
is enough.
*/}}
{{- define "wsbalancer.testScript" -}}
{{- $fullname := include "wsbalancer.fullname" . -}}
{{- $host := include "wsbalancer.testHost" . -}}
{{- $service := .Values.service.ports -}}
host={{ $host }}
upgrade=('Connection: Upgrade' 'Upgrade: websocket' 'Sec-WebSocket-Version: 13' 'Sec-WebSocket-Key: d3NiYWxhbmNlci10ZXN0MQ==')
close=('Connection: close')

addresses() {
  getent ahosts "$1" | while read -r address _; do echo "$address"; done | sort -u
}

# request PATH [HEADER...]
request() {
  printf 'GET %s HTTP/1.1\r\nHost: %s\r\n' "$1" "$host"
  shift
  printf '%s\r\n' "$@" ''
}

# plain ADDRESS PORT PATH [HEADER...]: the first line of the answer.
plain() {
  local line=
  exec 3<>"/dev/tcp/$1/$2" || return
  shift 2
  printf '%s' "${preface:-}" >&3
  request "$@" >&3
  read -r -t 5 line <&3 || true
  exec 3>&-
  printf '%s' "$line"
}

# tls ADDRESS PORT PATH [HEADER...]: the same, inside TLS. Nobody waits for the end of a connection that stays open.
tls() {
  local address=$1 port=$2 line=
  shift 2
  case $address in *:*) address="[$address]" ;; esac
  read -r -t 5 line < <(
    exec 2>/dev/null
    request "$@" | timeout 5 openssl s_client -quiet -connect "$address:$port" -servername "$host"
  ) || true
  printf '%s' "$line"
}

{{- if and .Values.tls.enabled .Values.haproxy.acceptProxy }}

# handshake ADDRESS PORT: "TLS" where a server answers a ClientHello behind a PROXY line, which no client here can send. It
# offers TLS 1.2 and 1.3, no name, and 32 letters as nonce and as key.
handshake() {
  local byte= letters=wsbalancer-helm-test-ClientHello
  exec 3<>"/dev/tcp/$1/$2" || return
  {
    printf 'PROXY UNKNOWN\r\n\x16\x03\x01\x00\x98\x01\x00\x00\x94\x03\x03%s\x00' "$letters"
    # Cipher suites, no compression.
    printf '\x00\x12\x13\x01\x13\x02\x13\x03\xc0\x2b\xc0\x2f\xc0\x2c\xc0\x30\xcc\xa9\xcc\xa8\x01\x00\x00\x59'
    # Groups, point formats, signatures, versions, key.
    printf '\x00\x0a\x00\x06\x00\x04\x00\x1d\x00\x17\x00\x0b\x00\x02\x01\x00\x00\x0d\x00\x12\x00\x10'
    printf '\x04\x03\x08\x04\x04\x01\x05\x03\x08\x05\x05\x01\x08\x06\x06\x01\x00\x2b\x00\x05\x04\x03\x04\x03\x03'
    printf '\x00\x33\x00\x26\x00\x24\x00\x1d\x00\x20%s' "$letters"
  } >&3
  LC_ALL=C read -r -N 1 -t 5 byte <&3 || true
  exec 3>&-
  # A record of the handshake; an alert begins with another byte.
  if [ "$byte" = $'\x16' ]; then printf TLS; else printf 'no TLS handshake'; fi
}
{{- end }}

# ask plain|tls|handshake NAME PORT PATH STATUS [HEADER...]
ask() {
  local how=$1 name=$2 port=$3 path=$4 want=$5 line= try address
  shift 5
  for try in 1 2 3 4 5 6 7 8 9 10; do
    for address in $(addresses "$name"); do
      line=$("$how" "$address" "$port" "$path" "$@" || true)
      case $line in "HTTP/1.1 "$want*) echo "ok: $how $name:$port$path ${line:9:3}"; return ;;
      "$want") echo "ok: $how $name:$port$path"; return ;; esac
    done
    sleep 1
  done
  echo "FAILED: $how $name:$port$path: wanted $want, got: $line"
  exit 1
}
{{- if .Values.metricsService.enabled }}
{{- $agent := ternary "tls" "plain" (ne .Values.agent.access.tlsSecret "") }}

ask plain {{ $fullname }}-metrics {{ .Values.containerPorts.stat }} /ready 200 "${close[@]}"
ask {{ $agent }} {{ $fullname }}-metrics {{ .Values.agent.port }} /readyz 200 "${close[@]}"
ask {{ $agent }} {{ $fullname }}-metrics {{ .Values.agent.port }} '{{ include "wsbalancer.metricPath" . }}?format=json' 200 "${close[@]}"
{{- if .Values.agent.access.tokenSecret.name }} "Authorization: Bearer $(head -n 1 /etc/wsbalancer-access/token)"{{ end }}
{{- end }}
{{- if .Values.tls.enabled }}
{{- if .Values.haproxy.acceptProxy }}
ask handshake {{ $fullname }} {{ $service.https }} '' TLS
{{- else }}
ask tls {{ $fullname }} {{ $service.https }} /live '[2-5]' "${close[@]}"
{{- if .Values.tests.websocketPath }}
ask tls {{ $fullname }} {{ $service.https }} '{{ .Values.tests.websocketPath }}' 101 "${upgrade[@]}"
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.tests.websocketPath (or (not .Values.tls.enabled) (eq .Values.tls.http "serve")) }}
{{- if .Values.haproxy.acceptProxy }}
preface=$'PROXY UNKNOWN\r\n'
{{- end }}
ask plain {{ $fullname }} {{ $service.http }} '{{ .Values.tests.websocketPath }}' 101 "${upgrade[@]}"
{{- end }}
{{- end -}}
