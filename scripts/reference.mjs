/** `npm run reference`: writes docs/reference from the schemas and component specifications; the pages are not kept in git. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describedMetrics } from "@vedette/api";
import { detectors } from "@vedette/detect";
import { sinks } from "@vedette/egress";
import { enrichers } from "@vedette/enrich";
import { clients, endpoints, sources } from "@vedette/ingest";
import "../apps/vedette/src/own_metrics.ts";
import { errorCodes, membersTable, reference } from "@vedette/kit";
import { formats } from "@vedette/normalise";
import { parse } from "yaml";
import { configSchema } from "../apps/vedette/src/config/schema.ts";

const folder = new URL("../docs/reference/", import.meta.url);
mkdirSync(folder, { recursive: true });
const page = (name, title, ...parts) => {
  writeFileSync(new URL(`${name}.md`, folder), `# ${title}\n\n${parts.join("\n").trimEnd()}\n`);
};
const all = (found) => [...found.values()].map(reference);

page(
  "configuration",
  "Configuration",
  "Keys of `vedette.yaml`; docs/guide/configuration.md says how they combine.\n",
  membersTable(configSchema),
);
page("sources", "Sources", ...all(await sources()));
const target = { url: "http://127.0.0.1:8080", host: "127.0.0.1", port: 8080, tls: false, token: "TOKEN", source: "NAME" };
page(
  "clients",
  "Clients",
  "What `vedette source config NAME --for CLIENT` prints, with the address and port of the running server.\n",
  ...clients.map(
    (c) =>
      `## ${c.name}\n\n${c.summary[0].toUpperCase()}${c.summary.slice(1)} (\`${c.speaks}\`), in \`${c.file}\`.\n\n\`\`\`\n${c.text(target)}\`\`\`\n`,
  ),
);
page("endpoints", "HTTP endpoints for ingest", ...all(await endpoints()));
page("formats", "Formats", ...all(await formats()));
page("enrichers", "Enrichers", ...all(await enrichers()));
page("sinks", "Sinks", ...all(await sinks()));
page("detectors", "Detectors", ...all(await detectors()));
page(
  "errors",
  "Errors",
  "| code | meaning |\n|---|---|",
  ...Object.entries(errorCodes).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`),
);
const bar = (text) => text.replaceAll("|", "\\|");
page(
  "metrics",
  "Metrics",
  "What `GET /metrics` tells, from the descriptions beside what counts it; `vedette_process_*` and `vedette_nodejs_*` besides.\n",
  "| metric | type | labels | meaning |\n|---|---|---|---|",
  ...(await describedMetrics()).map(
    ({ name, type, labels, help }) => `| \`${name}\` | ${type} | ${labels.map((one) => `\`${one}\``).join(" ")} | ${bar(help)} |`,
  ),
);
const asvs = parse(readFileSync(new URL("../docs/security/asvs.yaml", import.meta.url), "utf8"));
const heldBy = ({ test = [], because, later }) =>
  [
    ...test.map((name) =>
      asvs.tests[name]
        .split(" > ")
        .map((part, i) => (i === 0 ? `\`${part}\`` : part))
        .join(": "),
    ),
    because,
    later && `later: ${later}`,
  ]
    .filter(Boolean)
    .join("<br>")
    .replaceAll("|", "\\|");
page(
  "asvs",
  "OWASP ASVS 5.0.0, levels 1 and 2",
  "| id | requirement | held by |\n|---|---|---|",
  ...Object.entries(asvs.requirements).map(([id, one]) => `| ${id} | ${one.what} | ${heldBy(one)} |`),
);
process.stdout.write(`wrote ${fileURLToPath(folder)}\n`);
