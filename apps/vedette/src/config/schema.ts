/** Every configuration key, with its default, unit and meaning. The reference page, the JSON Schema and the checks all come from here. */
import { grantsSchema, roleSchema } from "@vedette/access";
import { kafkaSasl, kafkaTls } from "@vedette/kafka";
import { eventClasses } from "@vedette/model";
import { z } from "zod";

const retention = z.strictObject({
  days: z.number().positive().optional().describe("Sealed partitions older than this are dropped, in days of receive time."),
  gb: z.number().positive().optional().describe("The oldest sealed partitions are dropped beyond this size, in GB."),
});

const oidc = z.strictObject({
  issuer: z.url({ protocol: /^https?$/ }).describe("The provider, as its discovery document names it."),
  client_id: z.string().min(1).describe("What the provider calls this installation."),
  client_secret: z
    .string()
    .min(1)
    .optional()
    .describe("Best by the environment: VEDETTE__ACCESS__OIDC__CLIENT_SECRET. A public client has none."),
  label: z.string().min(1).max(60).default("Single sign-on").describe("What the button of the sign-in page says."),
  scopes: z
    .array(z.string().min(1))
    .default(["openid", "profile", "email"])
    .describe("What is asked for; some providers tell groups by a scope of their own."),
  name_claim: z.string().min(1).default("preferred_username").describe("Claim that is somebody's name here."),
  groups_claim: z.string().min(1).default("groups").describe("Claim that lists somebody's groups."),
  groups: z
    .record(z.string(), grantsSchema)
    .default({})
    .describe("GROUP: [{role: …, rows: …, masks: […]}]; who is in none of them is not let in. Empty: people get their roles here."),
  private_addresses: z.boolean().default(false).describe("Whether the provider may be at a private address of this site, or on this host."),
});

export const configSchema = z.strictObject({
  name: z.string().default("Vedette").describe("Shown in the console's title. Environment: PROJECT_NAME."),
  version: z
    .string()
    .optional()
    .describe("Version this installation calls itself; the program's own by default. Environment: PROJECT_VERSION."),
  tenant: z
    .string()
    .regex(/^[a-z0-9_-]{1,32}$/)
    .default("main")
    .describe("Tenant that everything taken in belongs to."),
  data_dir: z.string().default("./data").describe("Where the log, events and state live. Environment: VEDETTE_DATA."),
  listen: z
    .string()
    .default("127.0.0.1:8080")
    .describe("HOST:PORT of console, API and ingest. Off loopback only with tls and a named administrator."),
  tls: z
    .strictObject({
      certificate: z.string().min(1).describe("File of the certificate and those that signed it, PEM."),
      key: z.string().min(1).describe("File of its private key, PEM; best readable by this user only."),
      min_version: z
        .enum(["TLSv1.2", "TLSv1.3"])
        .default("TLSv1.3")
        .describe("Older clients are refused; TLSv1.2 is for collectors that cannot do better."),
    })
    .optional()
    .describe("TLS of console, API and ingest; without it they speak plain HTTP, on loopback."),
  api: z
    .strictObject({
      prefix: z.string().startsWith("/").default("/api/v1").describe("Path of the API. Environment: API_V1_STR."),
      requests_per_minute: z
        .int()
        .min(60)
        .default(6_000)
        .describe("Requests of one principal, half of them at once; an address without one has a tenth. Ingest is not counted."),
    })
    .prefault({})
    .describe("HTTP API."),
  log: z
    .strictObject({
      driver: z.enum(["segments", "kafka"]).default("segments").describe("Where the log lives: segment files on the local disk, or Kafka."),
      encryption: z
        .enum(["off", "on"])
        .default("off")
        .describe("Whether batches are sealed from now on; what is sealed is read in any case. Needed where the volume is not encrypted."),
      segment_mb: z.int().min(1).max(1024).default(64).describe("Size at which a segment file is closed, in MiB."),
    })
    .prefault({})
    .describe("The append-only log."),
  events: z
    .strictObject({
      driver: z
        .enum(["local", "opensearch"])
        .default("local")
        .describe("Where events live: files in the data directory (Parquet, read by DuckDB), or OpenSearch."),
      shared: z
        .string()
        .min(1)
        .optional()
        .describe(
          "With driver local: a folder that all processes of the installation have mounted; events are there instead of in the data directory.",
        ),
      memory_mb: z.int().min(64).default(160).describe("Memory the event store may use, in MiB."),
      retention: z
        .strictObject({
          authentication: retention.default({ days: 400 }).describe("Log-ins; kept longest: investigations ask for them."),
          process: retention.default({ days: 90 }).describe("Process starts and ends."),
          network: retention.default({ days: 30 }).describe("Connections, DNS, TLS."),
          web: retention.default({ days: 90 }).describe("HTTP requests."),
          cloud: retention.default({ days: 400 }).describe("Cloud control planes."),
          host: retention.default({ days: 90 }).describe("Other host logs."),
          audit: retention.default({ days: 400 }).describe("Audit records."),
          other: retention.default({ days: 30 }).describe("What no class fits."),
        })
        .prefault({})
        .describe("How long and how much, by source class."),
    })
    .prefault({})
    .describe("The event store."),
  metrics: z
    .strictObject({
      series_per_source: z
        .int()
        .min(1)
        .max(2_000_000)
        .default(100_000)
        .describe(
          "Series that one source may have at a time; samples of further ones are counted and not kept. Each costs some 200 bytes of memory.",
        ),
      fine_days: z.number().positive().default(3).describe("How long values per ten seconds are kept, in days."),
      days: z.number().positive().default(90).describe("How long values per minute are kept, in days."),
    })
    .prefault({})
    .describe("Metrics: values of series."),
  state: z
    .strictObject({
      driver: z
        .enum(["sqlite", "postgres"])
        .default("sqlite")
        .describe("Where alerts, checkpoints, people, keys and settings live: state.db in the data directory, or PostgreSQL."),
    })
    .prefault({})
    .describe("The state store."),
  engine: z
    .strictObject({
      workers: z.int().min(1).max(64).optional().describe("Analysis threads; one per core by default, at most 8."),
      lateness_s: z
        .int()
        .min(0)
        .max(86_400)
        .default(30)
        .describe("How much later than its host's newest event an event may come and still be folded in order, in seconds."),
    })
    .prefault({})
    .describe("Detection."),
  rules: z
    .strictObject({
      starter: z.boolean().default(true).describe("Whether the bundled starter rules are on."),
      directories: z.array(z.string()).default([]).describe("Folders of further Sigma rules (*.yml, read recursively)."),
      watch: z.boolean().default(true).describe("Whether these folders are read again when a file in them changes."),
      budget_per_day: z
        .number()
        .positive()
        .default(100)
        .describe(
          "Alerts a day beyond which a new rule is held back: one rule that asks for a look each quarter of an hour is read by nobody.",
        ),
    })
    .prefault({})
    .describe("Sigma rules."),
  sigma: z
    .strictObject({
      placeholders: z
        .record(z.string().regex(/^[\w.-]{1,100}$/), z.array(z.string().min(1)).min(1).max(1_000))
        .default({})
        .describe("What %NAME% stands for in rules with |expand, as NAME: [values]; a rule that names another is refused."),
    })
    .prefault({})
    .describe("What Sigma rules leave to the site."),
  machines: z
    .strictObject({
      listen: z
        .string()
        .optional()
        .describe("HOST:PORT where machines come in with certificates, over TLS 1.3; nowhere when absent. E.g. 0.0.0.0:8443."),
      trust_domain: z
        .string()
        .regex(/^[a-z0-9][a-z0-9._-]{0,252}$/, "expected a lower case name such as cluster.example.org")
        .default("vedette.internal")
        .describe("SPIFFE trust domain of the certificates; it stays as it was when the authority was made."),
      hosts: z
        .array(z.string().min(1).max(253))
        .default([])
        .describe("Names and addresses by which machines reach this server, besides its own host name and loopback."),
      certificate_hours: z.number().min(0.1).max(24).default(24).describe("Life of a machine's certificate, in hours."),
    })
    .prefault({})
    .describe("Machines: processes and agents known by certificates."),
  logging: z
    .strictObject({
      format: z
        .enum(["auto", "text", "json"])
        .default("auto")
        .describe("How Vedette says what it does: in words on a terminal, else as JSON lines in ECS."),
      level: z.enum(["debug", "info", "warn", "error"]).default("info").describe("The least that is said."),
    })
    .prefault({})
    .describe("Vedette's own log, on standard error."),
  telemetry: z
    .strictObject({
      otlp: z
        .url({ protocol: /^https?$/ })
        .optional()
        .describe(
          "Where traces of Vedette's own work are sent: the root of an OTLP/HTTP receiver, such as http://127.0.0.1:4318. None are made without it.",
        ),
      ratio: z.number().min(0).max(1).default(0.01).describe("Part of the batches that are traced."),
      token_file: z.string().min(1).optional().describe("File whose first line is sent as `Authorization: Bearer …`."),
    })
    .prefault({})
    .describe("Traces of batches on their way from intake to alert."),
  canaries: z
    .strictObject({
      enabled: z.boolean().default(true).describe("Whether rules are proved able to fire without being asked."),
      every_s: z.int().min(60).default(3_600).describe("How often each rule is proved, in seconds; spread evenly over that time."),
    })
    .prefault({})
    .describe("Proof that rules fire: each rule's case goes through production as a marked canary."),
  heartbeat: z
    .strictObject({
      url: z
        .url({ protocol: /^https?$/ })
        .describe("Told by POST while canaries come through from end to end; who hears nothing raises the alarm."),
      stopped_url: z
        .url({ protocol: /^https?$/ })
        .optional()
        .describe("Told at once, with the reason, when none comes through."),
      token_file: z.string().min(1).optional().describe("File whose first line is sent as `Authorization: Bearer …`."),
      every_s: z.int().min(5).max(30).default(20).describe("How often, in seconds; the receiver's grace is best three times that."),
    })
    .optional()
    .describe("A second path, beside Vedette's own alerts: a dead man's switch that somebody else's service watches."),
  audit: z
    .strictObject({
      heads: z
        .array(z.string().min(1))
        .default([])
        .describe(
          "Files that signed heads of the audit trail are appended to, within a second; best where root of this host cannot write over them.",
        ),
    })
    .prefault({})
    .describe("The audit trail: who signed in, changed or read what."),
  backup: z
    .strictObject({
      to: z.string().min(1).optional().describe("Folder that backups go to, best on another disk or host; none are made without it."),
      every_min: z
        .number()
        .min(1)
        .max(10_080)
        .default(1)
        .describe("How often, in minutes: what was accepted since the last one is lost with the disk. Only what changed is read."),
      keep: z.int().min(1).max(100_000).default(60).describe("The newest so many are kept."),
      keep_days: z.int().min(0).max(36_500).default(30).describe("And the last of each of so many days."),
      drill_every_days: z
        .number()
        .min(0)
        .max(366)
        .default(7)
        .describe("How often the newest is restored beside and looked at, in days; 0 for never. It needs room for all but sealed events."),
      max_mb_per_s: z.number().positive().default(50).describe("What a backup may read, in MB a second, so that it slows nothing down."),
      key_file: z
        .string()
        .min(1)
        .optional()
        .describe(
          "File of a further key that opens the backups, one a line, newest first: kept elsewhere, it is the way back when this host is gone.",
        ),
    })
    .prefault({})
    .describe("Backups of the data directory, made while it is in use."),
  pipelines: z
    .strictObject({
      directories: z.array(z.string()).default([]).describe("Folders of event pipelines (*.yml, read recursively), or single files."),
      watch: z.boolean().default(true).describe("Whether they are read again when one of them changes."),
    })
    .prefault({})
    .describe("What is done to events before rules see them: drop, sample, route, redact, rename, compute, pseudonymise."),
  enrich: z
    .record(z.string(), z.unknown())
    .default({})
    .describe("Settings of enrichers by name, or false to turn one off; all are on, those with a table once it is there."),
  detectors: z.record(z.string(), z.unknown()).default({}).describe("Settings of detectors by name, or false to turn one off."),
  sources: z
    .record(z.string(), z.record(z.string(), z.unknown()))
    .default({})
    .describe(
      "NAME: {TYPE: {…}}; `format: NAME` beside TYPE fixes the format that is otherwise detected; with settings, `format: {NAME: {…}}`. " +
        "`quota: {events_per_second, bytes_per_second}` beside TYPE: what is over waits where the protocol can wait, and is lost and counted where it cannot (UDP). " +
        "`historical: true` beside TYPE, or alone for a sender over HTTP: its events are of the past, so what they give is listed apart and calls nobody.",
    ),
  endpoints: z.record(z.string(), z.unknown()).default({}).describe("Settings of HTTP endpoints by name."),
  quality: z
    .strictObject({
      hosts_file: z
        .string()
        .min(1)
        .optional()
        .describe("File with one host name a line, of hosts that must be heard of; # begins a comment."),
      host_silence_s: z.int().min(60).max(2_592_000).default(900).describe("How long a host of that file may be silent, in seconds."),
      maintenance: z
        .array(
          z.strictObject({
            names: z.array(z.string().min(1)).min(1).describe("Hosts or sources; * stands for any run of characters."),
            from: z.iso.datetime({ offset: true }).optional().describe("Beginning, as RFC 3339; from the first day on when absent."),
            to: z.iso.datetime({ offset: true }).optional().describe("End, as RFC 3339; for ever when absent."),
            days: z
              .array(z.enum(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]))
              .min(1)
              .optional()
              .describe("Only on these days of the week, in UTC."),
            between: z
              .string()
              .regex(/^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/)
              .optional()
              .describe("Only between these times of day in UTC, as HH:MM-HH:MM; an end before the start is the next day's."),
          }),
        )
        .default([])
        .describe("When nobody is told that a host or source is silent."),
    })
    .prefault({})
    .describe("The watch over how well data comes in."),
  sinks: z
    .record(z.string(), z.record(z.string(), z.unknown()))
    .default({})
    .describe(
      "NAME: {TYPE: {…}}: where alerts, findings or events are sent; beside TYPE `select: alerts|findings|events`, `when: QUERY`, `format: ecs|ocsf`, `from: now|start`.",
    ),
  auth: z
    .strictObject({
      secret_key: z
        .string()
        .min(16)
        .optional()
        .describe("Key that everything at rest is sealed by; environment SECRET_KEY. Never write it into a file that is shared."),
      secret_key_file: z
        .string()
        .min(1)
        .optional()
        .describe("File of such keys, one a line, newest first: the newest seals, all of them open. Environment: VEDETTE_SECRET_KEY_FILE."),
      key_command: z
        .array(z.string().min(1))
        .default([])
        .describe("Program and arguments that prints keys in the same way, such as a client of a key service; no shell reads it."),
      algorithm: z.enum(["HS256", "EdDSA"]).default("HS256").describe("Signature of access tokens. Environment: ALGORITHM."),
      access_token_expire_minutes: z
        .int()
        .positive()
        .default(30)
        .describe("Life of an access token, in minutes. Environment: ACCESS_TOKEN_EXPIRE_MINUTES."),
    })
    .prefault({})
    .describe("Authentication."),
  access: z
    .strictObject({
      url: z
        .url({ protocol: /^https?$/, normalize: true })
        .transform((url) => url.replace(/\/$/, ""))
        .optional()
        .describe(
          "Where people reach console and API from outside, e.g. https://vedette.example.org; issuer of access tokens, and where an OpenID provider sends people back to.",
        ),
      idle_minutes: z.int().min(1).max(1_440).default(60).describe("A browser's session that nobody uses ends after so long, in minutes."),
      session_hours: z.int().min(1).max(720).default(24).describe("Any browser's session ends after so long, in hours."),
      refresh_days: z
        .int()
        .min(1)
        .max(90)
        .default(7)
        .describe("A program that was signed in by name must sign in anew after so long, in days."),
      totp_required: z.array(roleSchema).default([]).describe("Who has one of these roles sets up one-time codes before anything else."),
      oidc: oidc.optional().describe("Signing in by an OpenID provider."),
      breached_passwords: z
        .string()
        .min(1)
        .optional()
        .describe(
          "File of leaked passwords as the downloader of haveibeenpwned.com writes it: SHA-1:count, one a line, sorted; none of them is taken.",
        ),
    })
    .prefault({})
    .describe("People: how long they stay signed in, and what they sign in with."),
  kafka: z
    .strictObject({
      server: z
        .string()
        .optional()
        .describe("Brokers to ask first, each HOST:PORT, with commas between; used when log.driver is kafka. Environment: KAFKA_SERVER."),
      topic: z
        .string()
        .regex(/^[\w.-]{1,200}$/, "expected at most 200 letters, digits, dots, dashes and underscores")
        .default("vedette")
        .describe("Prefix of topic names. Environment: KAFKA_TOPIC."),
      partitions: z.int().min(1).max(1_024).default(1).describe("Partitions of raw: as many processes can analyse at the same time."),
      replicas: z
        .int()
        .min(1)
        .max(32)
        .optional()
        .describe("Copies of each partition where topics are made; three without it, or as many as there are brokers."),
      timeout_s: z
        .int()
        .min(1)
        .max(300)
        .default(10)
        .describe("How long what is sent in waits for brokers before it is refused, in seconds; the sender then sends it again."),
      tls: kafkaTls,
      sasl: kafkaSasl,
    })
    .prefault({})
    .describe("Kafka; read only by its driver."),
  redis: z
    .strictObject({
      host: z
        .string()
        .min(1)
        .optional()
        .describe("Host of Redis 7; with it, several processes of one installation share rates, leases and news. Environment: REDIS_HOST."),
      port: z.int().min(1).max(65_535).default(6379).describe("Environment: REDIS_PORT."),
      username: z.string().min(1).optional().describe("User of an access control list; the default user without it."),
      password: z.string().min(1).optional().describe("Best by the environment: REDIS_PASSWORD."),
      db: z.int().min(0).default(0).describe("Number of the database."),
      prefix: z
        .string()
        .regex(/^[\w.:-]{1,50}$/, "expected at most 50 letters, digits and . _ : -")
        .default("vedette")
        .describe("What all keys and channels begin with; another for each installation on one server."),
      tls: z
        .strictObject({
          ca: z.string().min(1).optional().describe("PEM file of certificate authorities to trust instead of the system's."),
        })
        .optional()
        .describe("TLS to Redis; without it connections are plain."),
    })
    .prefault({})
    .describe("Redis: what processes of one installation tell one another. Without a host each process is alone."),
  postgres: z
    .strictObject({
      host: z.string().optional().describe("Environment: POSTGRES_HOST."),
      port: z.int().default(5432).describe("Environment: POSTGRES_PORT."),
      db: z.string().default("vedette").describe("Environment: POSTGRES_DB."),
      user: z.string().default("vedette").describe("Environment: POSTGRES_USER."),
      password: z.string().optional().describe("Environment: POSTGRES_PASSWORD."),
      schema: z
        .string()
        .regex(/^[a-z_][a-z0-9_]{0,62}$/, "expected a lower case name")
        .default("vedette")
        .describe("Schema of its tables, made when it is not there."),
      connections: z.int().min(2).max(200).default(8).describe("Connections of one process."),
      connect_timeout_s: z.number().positive().max(300).default(5).describe("How long a connection may take to be made, in seconds."),
      statement_timeout_s: z.number().positive().max(3_600).default(30).describe("How long one statement may take, in seconds."),
      tls: z
        .strictObject({
          ca: z
            .string()
            .min(1)
            .optional()
            .describe("File of the authorities that the server's certificate is checked by, PEM; the system's by default."),
          certificate: z.string().min(1).optional().describe("File of this program's own certificate, PEM, where the server asks for one."),
          key: z.string().min(1).optional().describe("File of its private key, PEM."),
        })
        .optional()
        .describe(
          "TLS to the server, whose certificate and name are checked; without it nothing is encrypted. {} takes the system's authorities.",
        ),
    })
    .prefault({})
    .describe("PostgreSQL; read only where state.driver is postgres."),
  opensearch: z
    .strictObject({
      url: z
        .union([z.url({ protocol: /^https?$/ }), z.array(z.url({ protocol: /^https?$/ })).min(1)])
        .optional()
        .describe("A node of the cluster, or a list of several, such as https://search1:9200."),
      username: z.string().min(1).optional().describe("User; what it must be allowed to do is in docs/guide/events-on-opensearch.md."),
      password: z.string().optional().describe("Best by the environment: VEDETTE__OPENSEARCH__PASSWORD."),
      ca_file: z.string().min(1).optional().describe("PEM file of certificate authorities to trust instead of the system's."),
      prefix: z
        .string()
        .regex(/^[a-z0-9][a-z0-9_.-]{0,80}$/, "expected a lower case name")
        .default("vedette")
        .describe("What the names of its indices begin with; nothing else in the cluster may begin so."),
      shards: z.int().min(1).max(128).default(1).describe("Primary shards of an index; some 30 GB each are comfortable."),
      replicas: z.int().min(0).max(8).default(1).describe("Copies of each shard on other nodes."),
      bucket_hours: z
        .partialRecord(z.enum(eventClasses), z.int().min(1).max(8_784))
        .default({})
        .describe("CLASS: time that one index of a class spans, in hours; by default 24, 168 or 720, the longer a class is kept the more."),
      timeout_s: z.number().positive().max(600).default(30).describe("How long one request may take, in seconds."),
    })
    .prefault({})
    .describe("OpenSearch; read only where events.driver is opensearch."),
  prometheus: z
    .strictObject({ port: z.int().default(9090).describe("Port of the compose file's Prometheus. Environment: PROMETHEUS_PORT.") })
    .prefault({})
    .describe("Prometheus."),
  openai: z
    .strictObject({ api_key: z.string().optional().describe("Environment: OPENAI_API_KEY.") })
    .prefault({})
    .describe("Language model; read only by the analyser that uses one."),
});

export type Config = z.output<typeof configSchema>;

/** The names the mission's compose file uses, and where each goes. */
export const environmentNames: { readonly [name: string]: string } = {
  PROJECT_NAME: "name",
  PROJECT_VERSION: "version",
  API_V1_STR: "api.prefix",
  KAFKA_SERVER: "kafka.server",
  KAFKA_TOPIC: "kafka.topic",
  REDIS_HOST: "redis.host",
  REDIS_PORT: "redis.port",
  REDIS_PASSWORD: "redis.password",
  PROMETHEUS_PORT: "prometheus.port",
  OPENAI_API_KEY: "openai.api_key",
  SECRET_KEY: "auth.secret_key",
  VEDETTE_SECRET_KEY_FILE: "auth.secret_key_file",
  ALGORITHM: "auth.algorithm",
  ACCESS_TOKEN_EXPIRE_MINUTES: "auth.access_token_expire_minutes",
  POSTGRES_HOST: "postgres.host",
  POSTGRES_PORT: "postgres.port",
  POSTGRES_DB: "postgres.db",
  POSTGRES_USER: "postgres.user",
  POSTGRES_PASSWORD: "postgres.password",
  VEDETTE_DATA: "data_dir",
};

/** Keys whose values are never printed. */
export const secretKeys: ReadonlySet<string> = new Set([
  // with many receivers, who knows the address may send
  "heartbeat.url",
  "heartbeat.stopped_url",
  "access.oidc.client_secret",
  "auth.secret_key",
  "postgres.password",
  "redis.password",
  "opensearch.password",
  "openai.api_key",
]);
const driverSections: ReadonlySet<string> = new Set(["kafka", "redis", "postgres", "opensearch", "prometheus", "openai"]);
/** Whether only a driver reads the section that is not selected: `config show` says so. */
export const isUnused = (section: string, { log, state, events, redis }: Config): boolean =>
  driverSections.has(section) &&
  section !== state.driver &&
  section !== events.driver &&
  section !== log.driver &&
  (section !== "redis" || redis.host === undefined);
