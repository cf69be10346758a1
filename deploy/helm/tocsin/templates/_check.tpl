{{/* Values that contradict each other: one sentence each, before anything is rendered. */}}
{{- define "tocsin.check" -}}
{{- $values := .Values -}}
{{- $distributed := eq $values.mode "distributed" -}}
{{- range list "listen" "tls" "access" "insecure" "ingest_keys" "public_url" "data_dir" "use_cases" "rules" "templates" -}}
{{- if hasKey $values.config . -}}
{{- fail (printf "config.%s is said by a value of the chart's own (tls, access, insecure, publicUrl, useCases, rules, templates): leave it out of config" .) -}}
{{- end -}}
{{- end -}}
{{- range list "url" "path" "database" "user" "password" "token" "cluster" "insert_quorum" "tls" -}}
{{- if hasKey (default dict $values.config.store) . -}}
{{- fail (printf "config.store.%s is said by store: in the values: leave it out of config" .) -}}
{{- end -}}
{{- end -}}
{{- if not (or $values.insecure $values.tls.existingSecret) -}}
{{- fail "expected tls.existingSecret, a Secret of type kubernetes.io/tls for receivers and guard, which others in the cluster reach: make one, or set insecure=true, open to everybody who can reach the pods" -}}
{{- end -}}
{{- if and (eq $values.access.login "none") (not $values.insecure) -}}
{{- fail "expected access.login keys or proxy, since pods reach the API of others: set one, or insecure=true" -}}
{{- end -}}
{{- if and (eq $values.access.login "proxy") (not (and $values.access.roles $values.access.proxies)) -}}
{{- fail "expected access.roles and access.proxies with access.login=proxy: nobody would be let in, since pods' addresses are not the loopback's" -}}
{{- end -}}
{{- if $distributed -}}
{{- if not $values.store.urls -}}
{{- fail "expected store.urls in distributed mode, the ClickHouse servers' addresses: set them, or mode=single for the embedded engine" -}}
{{- end -}}
{{- if and (ne $values.access.login "none") (not $values.access.existingSecret) -}}
{{- fail "expected access.existingSecret, a Secret whose key peer is what parts show each other: without it nobody could set a guard or score an answer in the console" -}}
{{- end -}}
{{- if and (gt (int (include "tocsin.evaluators" .)) 1) (ne (include "tocsin.standby" .) "yes") -}}
{{- fail (printf "evaluator.replicas is %s, but a second evaluator can only wait where the lease is in Keeper, and would refuse to start here: set store.cluster and store.keeper, or evaluator.replicas=1" (include "tocsin.evaluators" .)) -}}
{{- end -}}
{{- $spool := $values.collector.spool -}}
{{- if and (regexMatch "^[0-9]+Gi$" $spool.size) (regexMatch "^[0-9]+GiB$" $spool.limit) -}}
{{- if le (int (trimSuffix "Gi" $spool.size)) (int (trimSuffix "GiB" $spool.limit)) -}}
{{- fail (printf "collector.spool.limit is %s and the volume %s: expected room for more than the limit, since damaged bytes and what is being written come on top" $spool.limit $spool.size) -}}
{{- end -}}
{{- end -}}
{{- $scaling := $values.collector.autoscaling -}}
{{- if and $scaling.enabled (gt (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- fail (printf "collector.autoscaling.minReplicas is %d and maxReplicas %d: expected the first to be at most the second" (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- end -}}
{{- else if $values.store.urls -}}
{{- fail "store.urls is set and mode is single, which keeps its data in its own volume: set mode=distributed, or leave store.urls out" -}}
{{- end -}}
{{- if and $values.networkPolicy.enabled (not $values.networkPolicy.egress) -}}
{{- range $values.config.channels -}}
{{- if ne .type "log" -}}
{{- fail (printf "the channel %s could not be reached, and nobody would be told: say in networkPolicy.egress where messages may go" .name) -}}
{{- end -}}
{{- end -}}
{{- range list "judge" "dead_man" "retraining_actions" -}}
{{- if get $values.config . -}}
{{- fail (printf "config.%s speaks to something outside, which no network policy allows: say in networkPolicy.egress where it may" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $values.ingress.enabled (not $values.ingress.host) -}}
{{- fail "expected ingress.host with ingress.enabled: the name under which people reach the console" -}}
{{- end -}}
{{- if and $values.ingress.enabled $values.networkPolicy.enabled (not $values.networkPolicy.people) -}}
{{- fail "expected networkPolicy.people with ingress.enabled: the pods of the ingress controller, which are kept out otherwise" -}}
{{- end -}}
{{- if $values.serviceMonitor.enabled -}}
{{- if and (ne $values.access.login "none") (not $values.serviceMonitor.existingSecret) -}}
{{- fail "expected serviceMonitor.existingSecret, since /metrics asks for a key: a Secret with one of role viewer (tocsin keys create --role viewer --name prometheus)" -}}
{{- end -}}
{{- if and $values.networkPolicy.enabled (not $values.networkPolicy.scrapers) -}}
{{- fail "expected networkPolicy.scrapers with serviceMonitor.enabled: the pods of Prometheus, which are kept out otherwise" -}}
{{- end -}}
{{- end -}}
{{- end -}}
