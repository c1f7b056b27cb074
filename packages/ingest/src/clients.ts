/** What senders are configured with to reach a source or an endpoint of ours, to copy. Knows no running server. */

/** Where a sender is to send, and by what right. */
export interface Target {
  /** The HTTP port, without a slash at the end. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** The token, or a word that stands for it. */
  readonly token: string;
  readonly source: string;
}

export interface ClientConfig {
  /** As `--for` names it. */
  readonly name: string;
  readonly summary: string;
  /** The endpoint or the type of source that it speaks to. */
  readonly speaks: string;
  /** Where the text belongs on the sender's machine. */
  readonly file: string;
  readonly text: (target: Target) => string;
}

const auth = "/var/log/auth.log";
const secure = "/var/log/secure";
const scheme = ({ tls }: Target): string => (tls ? "https" : "http");
const onOff = ({ tls }: Target): string => (tls ? "on" : "off");

const beat = ({ url, token }: Target): string => `output.elasticsearch:
  hosts: ["${url}"]
  # the token is the password; the user's name is of no account
  username: vedette
  password: "${token}"
  compression_level: 3

# what Elasticsearch and Kibana would be set up with means nothing here
setup.template.enabled: false
setup.ilm.enabled: false
`;

const filebeat: ClientConfig = {
  name: "filebeat",
  summary: "Filebeat, by Elasticsearch's protocol",
  speaks: "elasticsearch",
  file: "/etc/filebeat/filebeat.yml",
  text: (target) => `filebeat.inputs:
  - type: filestream
    id: auth
    paths: [${auth}, ${secure}]

${beat(target)}`,
};

const winlogbeat: ClientConfig = {
  name: "winlogbeat",
  summary: "Winlogbeat (Windows events), by Elasticsearch's protocol",
  speaks: "elasticsearch",
  file: "C:\\Program Files\\Winlogbeat\\winlogbeat.yml",
  text: (target) => `winlogbeat.event_logs:
  - name: Security
  - name: System
  - name: Microsoft-Windows-Sysmon/Operational
  - name: Microsoft-Windows-PowerShell/Operational
  - name: Microsoft-Windows-Windows Defender/Operational

${beat(target)}`,
};

const logstash: ClientConfig = {
  name: "logstash",
  summary: "Logstash, by Elasticsearch's protocol",
  speaks: "elasticsearch",
  file: "/etc/logstash/conf.d/vedette.conf",
  text: ({ url, token }) => `input { file { path => ["${auth}", "${secure}"] } }
# an id of the event's own, so that what is sent again after a lost answer is not stored again
filter { uuid { target => "[@metadata][id]" } }
output {
  elasticsearch {
    hosts => ["${url}"]
    user => "vedette"
    password => "${token}"
    index => "logstash"
    document_id => "%{[@metadata][id]}"
    action => "create"
    manage_template => false
    ilm_enabled => false
  }
}
`,
};

/** Both ways that Fluent Bit speaks read the same files. */
const fluentBitInput = `[SERVICE]
    flush            1
    # records wait on disk while Vedette is down
    storage.path     /var/lib/fluent-bit

[INPUT]
    name             tail
    path             ${auth},${secure}
    db               /var/lib/fluent-bit/auth.db
    storage.type     filesystem
`;

const fluentBit: ClientConfig = {
  name: "fluent-bit",
  summary: "Fluent Bit, by Elasticsearch's protocol",
  speaks: "elasticsearch",
  file: "/etc/fluent-bit/fluent-bit.conf",
  text: (target) => `${fluentBitInput}
[OUTPUT]
    name             es
    match            *
    host             ${target.host}
    port             ${target.port}
    tls              ${onOff(target)}
    index            fluent-bit
    suppress_type_name on
    # a document's own id, so that what is sent again after a lost answer is not stored again
    generate_id      on
    http_user        vedette
    http_passwd      ${target.token}
    retry_limit      no_limits
`,
};

const fluentBitForward: ClientConfig = {
  name: "fluent-bit-forward",
  summary: "Fluent Bit, by the forward protocol",
  speaks: "fluent_forward",
  file: "/etc/fluent-bit/fluent-bit.conf",
  text: (target) => `# Start it with FORWARD_KEY in its environment: the first line of the source's shared_key_file.
${fluentBitInput}
[OUTPUT]
    name             forward
    match            *
    host             ${target.host}
    port             ${target.port}
    shared_key       \${FORWARD_KEY}
    self_hostname    \${HOSTNAME}
    # a chunk is sent again until Vedette says that it is on disk, and is then known
    require_ack_response on
    compress         gzip
    tls              ${onOff(target)}
    retry_limit      no_limits
`,
};

const vector: ClientConfig = {
  name: "vector",
  summary: "Vector, by Splunk's collector with acknowledgements",
  speaks: "splunk_hec",
  file: "/etc/vector/vector.yaml",
  text: ({ url, token }) => `sources:
  auth:
    type: file
    include: [${auth}, ${secure}]
sinks:
  vedette:
    type: splunk_hec_logs
    inputs: [auth]
    endpoint: ${url}
    default_token: ${token}
    compression: gzip
    encoding: { codec: text }
    host_key: host
    acknowledgements: { enabled: true }
    # events wait on disk while Vedette is down
    buffer: { type: disk, max_size: 1073741824, when_full: block }
`,
};

const splunk: ClientConfig = {
  name: "splunk",
  summary: "a Splunk forwarder, by the HTTP Event Collector",
  speaks: "splunk_hec",
  file: "$SPLUNK_HOME/etc/system/local/outputs.conf",
  text: ({ url, token }) => `[httpout]
httpEventCollectorToken = ${token}
uri = ${url}
`,
};

const otelCollector: ClientConfig = {
  name: "otel-collector",
  summary: "the OpenTelemetry collector, by OTLP over HTTP",
  speaks: "otlp",
  file: "/etc/otelcol/config.yaml",
  text: ({ url, token }) => `extensions:
  # batches wait on disk while Vedette is down
  file_storage: { directory: /var/lib/otelcol }
receivers:
  otlp:
    protocols:
      grpc: { endpoint: 127.0.0.1:4317 }
      http: { endpoint: 127.0.0.1:4318 }
exporters:
  otlphttp/vedette:
    endpoint: ${url}
    headers: { authorization: "Bearer ${token}" }
    compression: gzip
    sending_queue: { enabled: true, storage: file_storage }
    # for ever, rather than 5 minutes
    retry_on_failure: { enabled: true, max_elapsed_time: 0s }
service:
  extensions: [file_storage]
  pipelines:
    logs: { receivers: [otlp], exporters: [otlphttp/vedette] }
    metrics: { receivers: [otlp], exporters: [otlphttp/vedette] }
    traces: { receivers: [otlp], exporters: [otlphttp/vedette] }
`,
};

const kubernetes: ClientConfig = {
  name: "kubernetes",
  summary: "a kube-apiserver's audit webhook",
  speaks: "kubernetes_audit",
  file: "the file that --audit-webhook-config-file names",
  text: ({ url, token }) => `# Beside it: --audit-policy-file=… --audit-webhook-mode=batch --audit-webhook-initial-backoff=5s
apiVersion: v1
kind: Config
clusters:
  - name: vedette
    cluster: { server: "${url}/kubernetes/audit" }
users:
  - name: apiserver
    user: { token: ${token} }
contexts:
  - name: vedette
    context: { cluster: vedette, user: apiserver }
current-context: vedette
`,
};

const prometheus: ClientConfig = {
  name: "prometheus",
  summary: "Prometheus, by remote write",
  speaks: "prometheus_write",
  file: "/etc/prometheus/prometheus.yml",
  text: ({ url, token }) => `remote_write:
  - url: ${url}/api/v1/write
    authorization: { credentials: "${token}" }
`,
};

const slurm: ClientConfig = {
  name: "slurm",
  summary: "Slurm's job records, by its Elasticsearch plugin",
  speaks: "elasticsearch",
  file: "/etc/slurm/slurm.conf",
  text: (target) => `# Debian: slurm-wlm-elasticsearch-plugin. The token is the password within the address.
JobCompType=jobcomp/elasticsearch
JobCompLoc=${scheme(target)}://vedette:${target.token}@${target.host}:${target.port}/slurm/_doc
JobCompParams=timeout=5,connect_timeout=5
`,
};

const journald: ClientConfig = {
  name: "journald",
  summary: "the systemd journal, by systemd-journal-upload",
  speaks: "journald",
  file: "/etc/systemd/journal-upload.conf.d/vedette.conf",
  text: (target) => `# Debian: systemd-journal-remote, then: systemctl enable --now systemd-journal-upload
# The token is the password of the address, so this file is for root alone (chmod 600).
[Upload]
URL=${scheme(target)}://vedette:${target.token}@${target.host}:${target.port}
`,
};

const rsyslog: ClientConfig = {
  name: "rsyslog",
  summary: "rsyslog, by syslog over TCP or TLS",
  speaks: "syslog",
  file: "/etc/rsyslog.d/60-vedette.conf",
  text: (target) => `auth,authpriv.*;cron.*;daemon.notice action(
    type="omfwd"
    target="${target.host}"
    port="${target.port}"
    protocol="tcp"
${target.tls ? '    # Debian: rsyslog-gnutls; the authority goes to global(defaultNetstreamDriverCAFile="…")\n    StreamDriver="gtls"\n    StreamDriverMode="1"\n    StreamDriverAuthMode="x509/name"\n' : ""}    template="RSYSLOG_SyslogProtocol23Format"   # RFC 5424: with year, zone and microseconds
    TCP_Framing="octet-counted"                 # a line feed within a message stays in it
    # while Vedette is down, wait on disk instead of losing messages
    queue.type="LinkedList"
    queue.filename="vedette"
    queue.maxDiskSpace="1g"
    queue.saveOnShutdown="on"
    action.resumeRetryCount="-1"
)
`,
};

const softflowd: ClientConfig = {
  name: "softflowd",
  summary: "softflowd on a Linux router, by IPFIX",
  speaks: "netflow",
  file: "/etc/softflowd/default.conf",
  text: ({ host, port }) => `interface="eth0"
options="-v 10 -n ${host}:${port} -t maxlife=60s"
`,
};

const curl: ClientConfig = {
  name: "curl",
  summary: "anything that can send HTTP",
  speaks: "ingest",
  file: "a shell",
  text: ({
    url,
    token,
    source,
  }) => `# NDJSON, a JSON array, JSON documents or lines; with the key the same request may be sent again after a lost answer
curl -sf -H "Authorization: Bearer ${token}" -H "Idempotency-Key: $(uuidgen)" --data-binary @events.ndjson "${url}/ingest/${source}"
`,
};

export const clients: readonly ClientConfig[] = [
  ...[curl, filebeat, fluentBit, fluentBitForward, journald, kubernetes, logstash],
  ...[otelCollector, prometheus, rsyslog, slurm, softflowd, splunk, vector, winlogbeat],
];
