/** Every configuration key, with its default, unit and meaning. The reference page, the JSON Schema and the checks all come from here. */
import { z } from "zod";
import { pipelines, quality, sinks, sources } from "./sections/data.ts";
import { canaries, engine, rules, sigma } from "./sections/detection.ts";
import { access, api, auth, machines, tls } from "./sections/http.ts";
import { audit, heartbeat, logging, telemetry } from "./sections/operations.ts";
import { kafka, openai, opensearch, postgres, prometheus, redis } from "./sections/servers.ts";
import { backup, events, log, metrics, state } from "./sections/storage.ts";

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
  tls,
  api,
  log,
  events,
  metrics,
  state,
  engine,
  rules,
  sigma,
  machines,
  logging,
  telemetry,
  canaries,
  heartbeat,
  audit,
  backup,
  pipelines,
  enrich: z
    .record(z.string(), z.unknown())
    .default({})
    .describe("Settings of enrichers by name, or false to turn one off; all are on, those with a table once it is there."),
  detectors: z.record(z.string(), z.unknown()).default({}).describe("Settings of detectors by name, or false to turn one off."),
  sources,
  endpoints: z.record(z.string(), z.unknown()).default({}).describe("Settings of HTTP endpoints by name."),
  quality,
  sinks,
  auth,
  access,
  kafka,
  redis,
  postgres,
  opensearch,
  prometheus,
  openai,
});

export type Config = z.output<typeof configSchema>;

/** Names of the environment that compose files use, and the key each sets. */
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
