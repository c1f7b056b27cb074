/** Made-up answers about data on its way in and out: quality, series, tables, pipelines, sinks, tokens, refusals. */
import type {
  DataLoss,
  Enricher,
  Pipeline,
  PipelinePreview,
  Quality,
  Refusal,
  SenderConfig,
  SeriesPoints,
  SeriesSource,
  Sink,
  SourceToken,
} from "../src/api/data.ts";
import type { Hpc } from "../src/hpc/data.ts";
import { stamp } from "./events.ts";
import { makeHpc, noHpc } from "./hpc.ts";

export interface FakeData {
  quality: Quality;
  hpc: Hpc;
  series: SeriesPoints[];
  series_sources: SeriesSource[];
  enrichers: Enricher[];
  pipelines: Pipeline[];
  losses: DataLoss[];
  preview: PipelinePreview;
  sinks: Sink[];
  tokens: SourceToken[];
  refusals: Refusal[];
}

export const no_data: FakeData = {
  quality: { sources: [], hosts: { known: 0, unwatched: 0, silent: [], clocks: [] } },
  hpc: noHpc(0),
  series: [],
  series_sources: [],
  enrichers: [],
  pipelines: [],
  losses: [],
  preview: { events: 0, dropped: {}, changed: 0, examples: [], refused: [], losses: [] },
  sinks: [],
  tokens: [],
  refusals: [],
};

function makeQuality(now_ms: number): Quality {
  const base = { formats: [], unknown_fields: [], drift: [] };
  const last = stamp(now_ms - 400);
  const syslog = { format: "syslog", records: 12_040, flaws: 0, failing: false };
  return {
    at: stamp(now_ms),
    sources: [
      { ...base, name: "sshd", state: "ok", last, silence_allowed_s: 90, formats: [syslog] },
      {
        ...base,
        name: "nginx",
        state: "ok",
        last,
        silence_allowed_s: 45,
        formats: [{ format: "nginx_access", records: 900, flaws: 310, failing: true }],
        drift: [{ kind: "nginx.access", appeared: ["http.request.id"], vanished: ["user_agent.original"], at: stamp(now_ms - 4_000_000) }],
        unknown_fields: [{ field: "upstream_time", sampled: 412 }],
      },
      { ...base, name: "winlogbeat", state: "silent", last: stamp(now_ms - 900_000), silence_allowed_s: 180 },
      { ...base, name: "zeek", state: "learning", last },
    ],
    hosts: {
      known: 412,
      unwatched: 0,
      silent: [{ name: "node-0117", last: stamp(now_ms - 3_000_000) }, { name: "node-0300" }],
      clocks: [{ host: "web-1", source: "nginx", lead_s: 48.2 }],
    },
  };
}

function makeSeries(now_ms: number): SeriesPoints[] {
  const wave = (phase: number, size: number) =>
    Array.from({ length: 180 }, (_, at): [string, number] => [
      stamp(now_ms - (180 - at) * 20_000),
      Math.round(size * (2 + Math.sin(at / 14 + phase)) * 1_000) / 1_000,
    ]);
  const hosts = ["login-1", "login-2", "node-0117", "node-0244", "web-1"];
  return [
    ...hosts.map((host, at) => ({
      source: "nodes",
      name: "node_load1",
      kind: "gauge" as const,
      labels: { "host.name": host, job: "node" },
      points: wave(at, 4 + at).filter((_, time) => at !== 2 || time < 60 || time > 90),
    })),
    {
      source: "otel",
      name: "http.server.request.duration_count",
      kind: "counter",
      labels: { "service.name": "portal" },
      points: wave(0, 120_000),
    },
  ];
}

function makeEnrichers(now_ms: number): Enricher[] {
  const since = stamp(now_ms - 7_200_000);
  return [
    { name: "network_zones", summary: "In which zone an address is.", state: "running", inventory: false },
    {
      name: "assets",
      summary: "Who owns a host and what it is for.",
      state: "running",
      inventory: true,
      table: { hash: "5b1c0d2f9ab44e11", bytes: 2_400_000, rows: 5_120, at: since, by: "ann" },
    },
    {
      name: "identities",
      summary: "Who a user is.",
      state: "waiting",
      inventory: true,
      reason: "no inventory yet: vedette enrich put identities FILE",
    },
    {
      name: "geoip",
      summary: "Where an address is registered.",
      state: "broken",
      inventory: false,
      reason: "/var/lib/geo/city.mmdb: the file ends early, at byte 81,200",
      table: { hash: "00ff11ee22dd33cc", bytes: 61_000_000, rows: 4_100_000, at: since, by: "vedette", file: "/var/lib/geo/city.mmdb" },
    },
    { name: "user_agent", summary: "Browser and system by the header.", state: "off", inventory: false },
  ];
}

function makePreview(now_ms: number): PipelinePreview {
  return {
    events: 1_000,
    from: stamp(now_ms - 60_000),
    to: stamp(now_ms),
    dropped: { "tidy: health checks": 212 },
    changed: 31,
    examples: [
      {
        id: "evt000001Q",
        time: stamp(now_ms),
        source: "nginx",
        dropped: "tidy: health checks",
        before: { "url.path": "/healthz" },
        after: {},
      },
      {
        id: "evt000002Q",
        time: stamp(now_ms),
        source: "sshd",
        before: { "user.name": "Maria" },
        after: { "user.name": "maria" },
        original: ["Failed password for Maria", "Failed password for maria"],
      },
    ],
    refused: [],
    losses: [],
  };
}

function makeSinks(now_ms: number): Sink[] {
  const base = { refused: {}, skipped: 0, missed: 0, pending: 0, lag_ms: 0, last_sent: stamp(now_ms - 2_000) };
  return [
    { ...base, name: "siem", type: "splunk_hec", select: "alerts", format: "ocsf", state: "idle", read: 5_210, sent: 5_210 },
    {
      ...base,
      name: "archive",
      type: "elastic_bulk",
      select: "events",
      format: "ecs",
      state: "waiting",
      read: 1_204_000,
      sent: 1_180_000,
      refused: { mapping: 3_000 },
      skipped: 21_000,
      pending: 14,
      lag_ms: 42_000,
      problem: "archive.example.net:9200 does not answer: connection refused; trying again in 8 s",
      answer: "mapper_parsing_exception: failed to parse field [labels.port]",
    },
  ];
}

function makeRefusals(now_ms: number): Refusal[] {
  return [
    {
      first: stamp(now_ms - 600_000),
      last: stamp(now_ms - 1_000),
      count: 61,
      peer: "192.0.2.40",
      endpoint: "elasticsearch",
      source: "winlogbeat",
      cause: "wrong_version",
      message: "Winlogbeat 9.2 does not send to Elasticsearch 8.17.0, which this server calls itself",
      fix: "set endpoints.elasticsearch.version to the sender's version, or allow_older_versions: true at the sender",
    },
    {
      first: stamp(now_ms - 60_000),
      last: stamp(now_ms - 30_000),
      count: 2,
      peer: "192.0.2.41",
      cause: "tls_to_plain",
      message: "TLS on a port without it",
      fix: "the sender speaks TLS to a port without it: write http:// in its configuration, or put a TLS proxy in front",
    },
  ];
}

export function makeData(now_ms: number): FakeData {
  const base = { series: 0, limit: 100_000, repeated: 0, refused: 0, refused_series: [] };
  return {
    quality: makeQuality(now_ms),
    hpc: makeHpc(now_ms),
    series: makeSeries(now_ms),
    series_sources: [
      { ...base, source: "nodes", series: 41_200, kept: 9_120_400 },
      { ...base, source: "otel", series: 100_000, kept: 812_000, refused: 90, refused_series: ['queue.length{pod="a-81"}'] },
    ],
    enrichers: makeEnrichers(now_ms),
    pipelines: [
      {
        name: "tidy",
        file: "/etc/vedette/pipelines/tidy.yml",
        steps: [
          { name: "health checks", does: "drop", dropped: 81_220 },
          { name: "names away", does: "pseudonymise", dropped: 0 },
        ],
        cases: 4,
        failing: 0,
      },
    ],
    losses: [{ id: "web_path_traversal", title: "Path traversal in a web request", how: "tidy: health checks drops its event" }],
    preview: makePreview(now_ms),
    sinks: makeSinks(now_ms),
    tokens: [{ id: "tk_7Q2", source: "nginx", created: stamp(now_ms - 86_400_000), events_per_second: 2_000 }],
    refusals: makeRefusals(now_ms),
  };
}

export function makeSenders(source: string, url: string): SenderConfig[] {
  const hec = `url: ${url}/services/collector\ntoken: TOKEN\nsource: ${source}\n`;
  return [
    {
      name: "curl",
      summary: "anything that can send HTTP",
      file: "a shell",
      text: `curl -sf -H "Authorization: Bearer TOKEN" --data-binary @events.ndjson "${url}/ingest/${source}"\n`,
    },
    { name: "splunk", summary: "Splunk's HTTP event collector", file: "outputs.conf", text: hec },
  ];
}
