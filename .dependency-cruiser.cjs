/** The layering of ARCHITECTURE.md, enforced: a package may import only what stands below it. */
const base = ["condition", "model"];
const kit = [...base, "kit"];
const stages = [
  "vault",
  "kafka",
  "access",
  "machines",
  "cluster",
  "audit",
  "log",
  "store",
  "ingest",
  "pcap",
  "normalise",
  "enrich",
  "detect",
  "triage",
  "egress",
  "backup",
];
const order = {
  condition: [],
  model: ["condition"],
  sigma: ["condition"],
  kit: base,
  vault: kit,
  kafka: kit,
  access: kit,
  machines: kit,
  cluster: kit,
  audit: kit,
  log: [...kit, "kafka"],
  store: kit,
  ingest: [...kit, "kafka"],
  pcap: kit,
  normalise: kit,
  enrich: [...kit, "sigma"],
  detect: [...kit, "sigma"],
  triage: kit,
  egress: [...kit, "kafka"],
  backup: kit,
  simulate: kit,
  pipeline: [...kit, "sigma", ...stages],
  api: [...kit, "sigma", ...stages, "pipeline"],
  // it speaks HTTP to whatever server there is
  client: [],
};
/** Each driver is imported in exactly one file. */
const drivers = {
  "mmdb-lib": "^packages/enrich/src/mmdb\\.ts$",
  "@platformatic/kafka": "^packages/kafka/src/driver\\.ts$",
  "@duckdb/node-api": "^packages/store/src/events/duckdb\\.ts$",
  ioredis: "^packages/cluster/src/redis/connection\\.ts$",
  jose: "^packages/access/src/jwt\\.ts$",
  "openid-client": "^packages/access/src/oidc\\.ts$",
  pg: "^packages/store/src/state/postgres\\.ts$",
  "node:sqlite": "^packages/store/src/state/sqlite\\.ts$",
};
module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    ...Object.entries(order).map(([name, may]) => ({
      name: `${name}-may-import-only-[${may}]`,
      severity: "error",
      from: { path: `^packages/${name}/` },
      to: { path: "^(packages|apps)/", pathNot: `^packages/(${[name, ...may].join("|")})/` },
    })),
    {
      name: "the-console-knows-only-the-http-api",
      severity: "error",
      from: { path: "^apps/web/" },
      to: { path: "^(packages/|apps/vedette/)", pathNot: "^packages/client/" },
    },
    ...Object.entries(drivers).map(([driver, file]) => ({
      name: `${driver}-in-one-file`,
      severity: "error",
      from: { path: "^(packages|apps)/", pathNot: [file, "\\.test\\.ts$"] },
      to: { path: `(^|node_modules/)${driver}` },
    })),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.base.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["source", "import", "default"] },
    exclude: { path: "(^|/)(dist|\\.tmp)/" },
    doNotFollow: { path: "node_modules" },
  },
};
