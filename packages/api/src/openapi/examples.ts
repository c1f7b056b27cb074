/** An example of what a JSON Schema describes: what the schema says itself, else a value that people know by the member's name. */

/** The part of JSON Schema that zod writes. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly example?: unknown;
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly minLength?: number;
  readonly minItems?: number;
  readonly properties?: { readonly [name: string]: JsonSchema };
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly propertyNames?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
}

const time = "2026-11-21T06:30:00.000000Z";
const day = "2027-01-31";
const hash = "9f2c4e1ab07d53c8e6f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7";
/** By the member's name; the values are of one little story, so that examples of different routes fit one another. */
const known: { readonly [name: string]: string | number } = {
  id: "01995d2e6b7a",
  time,
  at: time,
  from: "2026-11-21T06:00:00Z",
  to: "2026-11-21T07:00:00Z",
  first: time,
  last: time,
  start: time,
  started: time,
  created: time,
  updated: time,
  retracted: time,
  received: time,
  first_seen: time,
  last_seen: time,
  last_received: time,
  last_sent: time,
  last_used: time,
  oldest: "2026-11-14T00:00:00.000000Z",
  newest: time,
  log_key: "0a1b2c3d4e5f6071",
  needed_by: "raw/0",
  not_in_it: "events on OpenSearch: its own snapshots keep them",
  taken: time,
  begun: time,
  finished: "2026-11-21T06:30:41.000000Z",
  backup: "20261121T063000Z-4f1c",
  expires: "2026-11-22T06:30:00.000000Z",
  day,
  review: day,
  entity_id: "bG9naW4wMToxMjM0",
  pid: "1234",
  executable: "/usr/bin/bash",
  command_line: "bash -i",
  mac: "08:00:27:7f:09:e1",
  event: "ZXZlbnQtMQ",
  user: "ada",
  by: "ada",
  owner: "ada",
  source: "login-nodes",
  host: "login01",
  peer: "192.0.2.7",
  ip: "192.0.2.7",
  rule: "ssh_brute_force",
  title: "Password guessing over SSH",
  summary: "192.0.2.7 failed to log in 40 times as 12 users within a minute.",
  description: "Many failed logins from one address within a short time.",
  note: "A scan of our own; told the team.",
  reason: "seen quiet for a week",
  message: "connection refused",
  detail: "there is no such alert",
  digest: hash,
  ended: time,
  hold: "h3Kd0sPq1Zx",
  problem: "HTTP 503",
  answer: "503 Service Unavailable",
  cause: "no_token",
  fix: "Give the sender the source's token.",
  q: "event.outcome:failure",
  field: "user.name",
  column: "user.name",
  unknown_field: "user.nmae",
  clause: "selection",
  value: "ada",
  class: "linux.auth",
  kind: "linux.auth",
  format: "syslog",
  original: "Nov 21 06:30:00 login01 sshd[1]: Failed password for ada from 192.0.2.7 port 50022 ssh2",
  attack: "T1110",
  what: "acknowledged",
  type: "ip",
  entity: "192.0.2.7",
  token: "the-token-as-it-was-shown",
  cursor: "MTAw",
  newer: "bmV3ZXIgNDE",
  hash,
  program: hash,
  release: hash.slice(0, 12),
  key: "5f1d",
  signature: "MEUCIQDk",
  chain: "01995d2e",
  since: "01995d2e",
  pack: "sigmahq",
  origin: "https://github.com/SigmaHQ/sigma",
  licence: "DRL-1.1",
  file: "rules/linux/ssh.yml",
  text: "title: Password guessing over SSH\n",
  subject: "ssh_brute_force",
  version: 12,
  events: 40,
  matched: 40,
  position: "4096",
  bytes: "Tm92IDIx",
  status: "test",
  state: "enabled",
  level: "high",
  stage: "decode",
  code: "bad_json",
  expected: "a JSON object",
  endpoint: "ingest",
  pseudonym: "pn_4k2mz7",
  author: "Vedette",
  name: "login-nodes",
  does: "drop",
  dropped: "pipeline noise: 1 drop",
  how: "pipeline noise: 1 drop",
  lost: "match",
  held: "more than 100 alerts a day",
  error: "cancelled by a restart",
  falsepositive: "Backup jobs with an old password.",
  reference: "https://attack.mitre.org/techniques/T1110/",
  response: "See whether a login from the address succeeded; block it at the border.",
  sample: "01995d2e6b7a",
  appeared: "user.domain",
  vanished: "user.name",
  blocked: "1 rule loses its data",
  refused: "rules/odd.yml:3:1: expected a mapping",
  refused_serie: "http_requests_total{path=/x}",
  detail_line: "level: medium → high",
  missing: "a case that matches",
  gained: "T1110",
  rules_lost: "ssh_brute_force",
  suggestion: "user.name",
  warning: "no recent event has a field user.nmae",
  function: "avg",
  changed: "assets",
  row: "ada",
  point: time,
  until: "2026-11-22T06:30:00.000000Z",
  renew_after: "2026-11-21T18:30:00.000000Z",
  role: "agent",
  address: "https://node17:9000",
  listening: "https://vedette.example.org:8443",
  trust_domain: "vedette.internal",
  fingerprint: "q3n1pX8hVb0c5l2ZJm7yTg4sKd9wRf6uEa0oNi3vQxA",
  certificate: "-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n",
  authority: "-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n",
  request: "-----BEGIN CERTIFICATE REQUEST-----\nMIIB…\n-----END CERTIFICATE REQUEST-----\n",
  revocation_list: "-----BEGIN X509 CRL-----\nMIIB…\n-----END X509 CRL-----\n",
  masked: "user.name",
  alert: "01995d2e6b7a",
  node: "node17",
  because: "the grant admin holds alerts:read",
  display_name: "Ada Lovelace",
  label: "Single sign-on",
  location: "/sign-in",
  email: "ada@site.example",
  tenant: "main",
  permission: "alerts:read",
  password: "vier gelbe fahrräder",
  new_password: "neun blaue kamele im regen",
  initial_password: "k3qzm-7hd2p-vxo5n-4wtea-2",
  recovery: "k3qz-m7hd-2pvx-o5n4",
  recovery_code: "k3qz-m7hd-2pvx-o5n4",
  secret: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
  uri: "otpauth://totp/Vedette:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Vedette",
  access_token: "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiIwMTk5NWQyZTZiN2EifQ.c2lnbmF0dXJl",
  refresh_token: "vdr_01995d2e6b7a01995.as-it-was-shown",
  issuer: "https://sso.example.org/realms/site",
  last_sign_in: time,
  used: time,
  agent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0",
  kid: "q3n1pX8hVb0c5l2ZJm7yTg",
  kty: "OKP",
  alg: "EdDSA",
};
/** Bounds of how deep an example goes: schemas that name themselves end here. */
const maxDepth = 8;

type Schemas = { readonly [name: string]: JsonSchema };

export function exampleOf(schema: JsonSchema, schemas: Schemas, name = "", depth = 0): unknown {
  if (schema.$ref !== undefined) return exampleOf(schemas[schema.$ref.split("/").at(-1)!] ?? {}, schemas, name, depth + 1);
  const [given] = schema.examples ?? [];
  if (given !== undefined) return given;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices !== undefined) return exampleOf(choices.find((one) => one.type !== "null") ?? {}, schemas, name, depth);
  if (schema.allOf !== undefined) return Object.assign({}, ...schema.allOf.map((one) => exampleOf(one, schemas, name, depth)));
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type) {
    case "object":
      return objectOf(schema, schemas, name, depth);
    case "array":
      return arrayOf(schema, schemas, name, depth);
    case "string":
      return textOf(schema, name);
    case "number":
    case "integer":
      return numberOf(schema, name);
    case "boolean":
      return schema.default ?? false;
    case "null":
      return null;
    default:
      return schema.default ?? {};
  }
}

function objectOf(
  { properties = {}, required = [], additionalProperties, propertyNames }: JsonSchema,
  schemas: Schemas,
  name: string,
  depth: number,
) {
  const members = Object.entries(properties).filter(([member]) => depth < maxDepth || required.includes(member));
  const found = Object.fromEntries(members.map(([member, one]) => [member, exampleOf(one, schemas, member, depth + 1)]));
  if (members.length > 0 || typeof additionalProperties !== "object") return found;
  const keys = propertyNames?.enum ?? schemas[propertyNames?.$ref?.split("/").at(-1) ?? ""]?.enum;
  if (keys !== undefined)
    return Object.fromEntries(keys.map((key) => [key, exampleOf(additionalProperties, schemas, String(key), depth + 1)]));
  return name === "fields" || name === "before" || name === "after" ? { "user.name": "ada", "event.outcome": "failure" } : found;
}

function arrayOf({ items, prefixItems, minItems = 0 }: JsonSchema, schemas: Schemas, name: string, depth: number): unknown[] {
  if (prefixItems !== undefined) return prefixItems.map((one) => exampleOf(one, schemas, name, depth + 1));
  if (items === undefined || (depth >= maxDepth && minItems === 0)) return [];
  return [exampleOf(items, schemas, name.replace(/(?<!s)s$/, ""), depth + 1)];
}

function textOf({ default: standard, format, minLength = 0 }: JsonSchema, name: string): unknown {
  if (standard !== undefined && standard !== "") return standard;
  if (format === "date") return day;
  if (format === "date-time") return time;
  const word = known[name] ?? (name === "" ? "text" : name);
  return String(word).padEnd(minLength, "x");
}

function numberOf({ default: standard, minimum }: JsonSchema, name: string): unknown {
  if (standard !== undefined) return standard;
  const word = known[name];
  const value = typeof word === "number" ? word : 1;
  return minimum !== undefined && minimum > value ? minimum : value;
}
