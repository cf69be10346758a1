{{/* The store section of tocsin.yaml. Called with root and user. Passwords are in the variables that the product reads before it. */}}
{{- define "tocsin.store" -}}
{{- $said := .root.Values.store -}}
{{- $store := dict "url" $said.urls "database" $said.database "user" .user -}}
{{- with $said.cluster -}}{{- $store = merge $store (dict "cluster" . "insert_quorum" $said.insertQuorum) -}}{{- end -}}
{{- if $said.tls.existingSecret -}}{{- $store = merge $store (dict "tls" (dict "ca" (printf "/run/tocsin/store-ca/%s" $said.tls.caKey))) -}}{{- end -}}
{{- toYaml $store -}}
{{- end -}}

{{/* tocsin.yaml: what the values say of listeners, store and access, over what config says of everything else. */}}
{{- define "tocsin.yaml" -}}
{{- $values := .Values -}}
{{- $said := deepCopy $values.config -}}
{{- $listen := dict "grpc" (printf "%s:4317" $values.listenHost) "http" (printf "%s:4318" $values.listenHost) "api" (printf "%s:8317" $values.listenHost) "guard" (printf "%s:8015" $values.listenHost) -}}
{{- $own := dict "listen" $listen -}}
{{- $access := dict "login" $values.access.login -}}
{{- if eq $values.access.login "proxy" -}}
{{- $access = merge $access (dict "header" $values.access.header "roles" $values.access.roles) -}}
{{- with $values.access.proxies -}}{{- $access = merge $access (dict "proxies" .) -}}{{- end -}}
{{- end -}}
{{- $own = merge $own (dict "access" $access) -}}
{{- if $values.insecure -}}
{{- $own = merge $own (dict "insecure" true) -}}
{{- else -}}
{{- $own = merge $own (dict "ingest_keys" "required") -}}
{{- end -}}
{{- if $values.tls.existingSecret -}}
{{- $tls := dict "certificate" "/run/tocsin/tls/tls.crt" "private_key" "/run/tocsin/tls/tls.key" -}}
{{- with $values.tls.clientCaKey -}}{{- $tls = merge $tls (dict "client_ca" (printf "/run/tocsin/tls/%s" .)) -}}{{- end -}}
{{- $own = merge $own (dict "tls" $tls) -}}
{{- end -}}
{{- with $values.publicUrl -}}{{- $own = merge $own (dict "public_url" .) -}}{{- end -}}
{{- if eq $values.mode "distributed" -}}
{{- $store := include "tocsin.store" (dict "root" . "user" $values.store.user) | fromYaml -}}
{{- $collector := dict "api" (printf "%s-collector-pods:8317" (include "tocsin.fullname" .)) "drain_s" $values.collector.drainSeconds "spool_max" $values.collector.spool.limit -}}
{{- $own = merge $own (dict "store" $store "collector" $collector) -}}
{{- end -}}
{{- toYaml (mergeOverwrite $said $own) -}}
{{- end -}}

{{/* Keys of the ConfigMap, and where each file lies below /etc/tocsin. */}}
{{- define "tocsin.files" -}}
{{- range $folder, $files := dict "use_cases" .Values.useCases "rules" .Values.rules "templates" .Values.templates }}
{{- range $name, $_ := $files }}
- {key: {{ printf "%s.%s" $folder $name | quote }}, path: {{ printf "%s/%s" $folder $name | quote }}}
{{- end }}
{{- end }}
{{- end -}}

{{- define "tocsin.volumes" -}}
- name: config
  projected:
    sources:
      - configMap:
          name: {{ include "tocsin.fullname" . }}
          items:
            - {key: tocsin.yaml, path: tocsin.yaml}
            {{- with include "tocsin.files" . | trim }}
            {{- . | nindent 12 }}
            {{- end }}
- name: tmp
  emptyDir: {sizeLimit: 1Gi}
{{- with .Values.tls.existingSecret }}
- name: tls
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- with .Values.store.tls.existingSecret }}
- name: store-ca
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- end -}}

{{- define "tocsin.mounts" -}}
- {name: config, mountPath: /etc/tocsin, readOnly: true}
- {name: data, mountPath: /var/lib/tocsin}
- {name: tmp, mountPath: /tmp}
{{- if .Values.tls.existingSecret }}
- {name: tls, mountPath: /run/tocsin/tls, readOnly: true}
{{- end }}
{{- if .Values.store.tls.existingSecret }}
- {name: store-ca, mountPath: /run/tocsin/store-ca, readOnly: true}
{{- end }}
{{- end -}}

{{/* Called with root and part: only what tells people gets the secrets of channels. */}}
{{- define "tocsin.env" -}}
- {name: TOCSIN_CONFIG, value: /etc/tocsin/tocsin.yaml}
- {name: TOCSIN_DATA_DIR, value: /var/lib/tocsin}
- {name: HOME, value: /tmp}
{{- $values := .root.Values }}
{{- if and (eq $values.mode "distributed") $values.store.existingSecret }}
- name: TOCSIN_CLICKHOUSE_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ $values.store.existingSecret }}, key: {{ $values.store.passwordKey }}}}
{{- end }}
{{- if and (ne .part "single") $values.access.existingSecret }}
- name: TOCSIN_PEER_SECRET
  valueFrom: {secretKeyRef: {name: {{ $values.access.existingSecret }}, key: {{ $values.access.peerKey }}}}
{{- end }}
{{- if ne .part "collector" }}
{{- range $values.secretEnv }}
- name: {{ .name }}
  valueFrom: {secretKeyRef: {name: {{ .secret }}, key: {{ .key }}}}
{{- end }}
{{- end }}
{{- end -}}

{{/* A change of configuration rolls the pods. */}}
{{- define "tocsin.podAnnotations" -}}
checksum/config: {{ printf "%s%s" (include "tocsin.yaml" .) (list .Values.useCases .Values.rules .Values.templates | toJson) | sha256sum }}
{{- with .Values.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}
