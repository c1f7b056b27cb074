/** `vedette rule new`: writes a rule that is valid at once, with cases to be replaced by real lines. Asks on a terminal for what no option gave. */
import { randomUUID } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline/promises";
import { ConfigError, makeFolder } from "@vedette/kit";
import { type Template, templates } from "./templates.ts";

interface Options {
  readonly source?: string;
  readonly title?: string;
  readonly level?: string;
  readonly technique?: string;
  readonly author?: string;
  readonly correlation?: boolean;
  readonly out?: string;
}

export async function create(options: Options): Promise<void> {
  const asked = await ask(options);
  const template = templates[asked.source];
  if (template === undefined)
    throw new ConfigError("config_invalid", `--source ${asked.source}: known sources are ${Object.keys(templates).join(", ")}`);
  if (asked.technique !== undefined && !/^t\d{4}(\.\d{3})?$/i.test(asked.technique))
    throw new ConfigError("config_invalid", `--technique ${asked.technique}: expected an ATT&CK id, e.g. T1059.004`);
  const file = options.out?.endsWith(".yml") ? options.out : join(options.out ?? ".", `${fileName(asked.title)}.yml`);
  if (existsSync(file)) throw new ConfigError("config_invalid", `${file} is there already; name another with --out`);
  makeFolder(dirname(file), 0o777);
  writeFileSync(file, options.correlation ? renderCorrelation(template, asked) : render(template, asked), { flag: "wx" });
  process.stdout.write(`${file}\n`);
  process.stderr.write(`Next: put real lines into its cases, then  vedette rule test ${file}  and  vedette rule lint ${file}\n`);
}

interface Asked {
  readonly source: string;
  readonly title: string;
  readonly level: string;
  readonly technique: string | undefined;
  readonly author: string;
}

async function ask({ source, title, level = "medium", technique, author }: Options): Promise<Asked> {
  const missing = [source === undefined ? "--source" : "", title === undefined ? "--title" : ""].filter((o) => o !== "");
  if (missing.length === 0 || !process.stdin.isTTY) {
    if (missing.length > 0)
      throw new ConfigError("config_invalid", `missing ${missing.join(" and ")}; known sources are ${Object.keys(templates).join(", ")}`);
    return { source: source!, title: title!, level, technique, author: author ?? process.env["USER"] ?? "unknown" };
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    for (const [name, { about }] of Object.entries(templates)) process.stderr.write(`  ${name.padEnd(18)} ${about}\n`);
    const question = async (text: string, given: string | undefined, otherwise: string) =>
      given ?? ((await terminal.question(`${text} [${otherwise}]: `)).trim() || otherwise);
    return {
      source: await question("Source", source, "sshd"),
      title: await question("What does the rule find?", title, "Something unusual"),
      level,
      technique: technique ?? ((await terminal.question("ATT&CK technique, e.g. T1059.004 [by source]: ")).trim() || undefined),
      author: author ?? process.env["USER"] ?? "unknown",
    };
  } finally {
    terminal.close();
  }
}

/** Lower-case words with underscores, as the bundled rules are named. */
function fileName(title: string): string {
  return (
    title
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "_")
      .replace(/^_|_$/g, "")
      .slice(0, 80) || "rule"
  );
}

function render(template: Template, asked: Asked): string {
  const cases = `${example(template, "fires", "match", template.match)}
${example(template, "near miss", "none", template.none)}`;
  return `${head(asked, asked.title, randomUUID())}
${tags(template, asked)}
logsource: ${template.logsource}
detection:
  # Selections: each is a map of fields (all must hold) or a list of maps (one must hold). The condition puts them together.
${template.detection}
falsepositives:
  - Say what harmless thing looks the same
level: ${asked.level}
${ending(template, cases, "The line that fires, and the near miss: what an administrator does that looks almost the same.")}`;
}

/** How often, for a rule that has just been begun. */
const often = 3;

/** A rule that raises nothing by itself, and the correlation that counts it. */
function renderCorrelation(template: Template, asked: Asked): string {
  const base = `${fileName(asked.title)}_once`;
  const lines = (count: number) => Array.from({ length: count }, () => template.match).join("\n");
  const cases = `${example(template, "often enough", "match", lines(often))}
${example(template, "once too few", "none", lines(often - 1))}`;
  return `${head(asked, `${asked.title}, once`, randomUUID())}
name: ${base}
${tags(template, asked)}
logsource: ${template.logsource}
detection:
${template.detection}
falsepositives:
  - Say what harmless thing looks the same
level: low
---
${head(asked, asked.title, randomUUID())}
${tags(template, asked)}
correlation:
  # event_count counts matches, value_count different values of a field (condition: {gte: 3, field: source.ip}); temporal and
  # temporal_ordered take several rules that come together or one after the other.
  type: event_count
  rules: [${base}]
  group-by: [${template.entity}]
  timespan: 10m
  condition: { gte: ${often} }
falsepositives:
  - Say what harmless thing looks the same
level: ${asked.level}
${ending(template, cases, "Enough of them within the time, and one too few. Give the lines times of their own.")}`;
}

const head = (asked: Asked, title: string, id: string): string => `title: ${JSON.stringify(title)}
id: ${id}
status: experimental
description: >-
  Say what happens when this fires, and why it matters.
author: ${JSON.stringify(asked.author)}
date: ${new Date().toISOString().slice(0, 10)}`;

const tags = (template: Template, { technique }: Asked): string =>
  `tags: [${technique === undefined ? `attack.${template.tactic}, attack.${template.technique}` : `attack.${technique.toLowerCase()}`}]`;

const ending = (template: Template, cases: string, about: string): string => `vedette:
  entity: ${template.entity}
  response:
    - Say what to look at first, and what to do when it is true
  tests:
    # ${about}
${cases}
`;

const example = ({ format }: Template, name: string, expect: string, lines: string): string =>
  `    - name: ${name}\n      expect: ${expect}\n      format: ${format}\n      raw: |-\n${lines.replace(/^/gm, "        ")}`;
