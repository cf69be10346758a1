{{/*
The pod of one part. Called with root, part, command (the arguments), more (container fields), ends_s, resources, place
(nodeSelector and tolerations), data (an emptyDir's size, where the data is in no claim), ports (by name).
*/}}
{{- define "tocsin.pod" -}}
metadata:
  labels:
    {{- include "tocsin.labels" . | nindent 4 }}
    {{- with .root.Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations: {{- include "tocsin.podAnnotations" .root | nindent 4 }}
spec:
  {{- include "tocsin.podSecurity" .root | nindent 2 }}
  terminationGracePeriodSeconds: {{ .ends_s }}
  {{- include "tocsin.spread" . | nindent 2 }}
  {{- with .place.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .place.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: tocsin
      image: {{ include "tocsin.image" .root | quote }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args: {{- toYaml .command | nindent 8 }}
      env:
        {{- include "tocsin.env" . | nindent 8 }}
        - name: POD_IP
          valueFrom: {fieldRef: {fieldPath: status.podIP}}
      ports:
        {{- range $name, $port := .ports }}
        - {name: {{ $name }}, containerPort: {{ $port }}, protocol: TCP}
        {{- end }}
      # Its first start may read a full spool or a large journal before it answers.
      startupProbe:
        httpGet: {path: /healthz, port: api}
        periodSeconds: 2
        failureThreshold: 150
      livenessProbe:
        httpGet: {path: /healthz, port: api}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: {path: {{ .ready }}, port: api}
        periodSeconds: 5
        timeoutSeconds: 5
      {{- with .more }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
      resources: {{- toYaml .resources | nindent 8 }}
      securityContext: {{- include "tocsin.containerSecurity" . | nindent 8 }}
      volumeMounts: {{- include "tocsin.mounts" .root | nindent 8 }}
  volumes:
    {{- include "tocsin.volumes" .root | nindent 4 }}
    {{- with .data }}
    - name: data
      emptyDir: {sizeLimit: {{ . }}}
    {{- end }}
{{- end -}}

{{/* The claim of a StatefulSet's pods. Called with its size and storageClass. */}}
{{- define "tocsin.claim" -}}
- metadata: {name: data}
  spec:
    accessModes: [ReadWriteOnce]
    {{- with .storageClass }}
    storageClassName: {{ . }}
    {{- end }}
    resources: {requests: {storage: {{ .size }}}}
{{- end -}}
