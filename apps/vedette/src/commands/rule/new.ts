/** `vedette rule new`: writes a rule that is valid at once, with cases to be replaced by real lines. Asks on a terminal for what no option gave. */
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline/promises";
import { ConfigError } from "@vedette/kit";
import { type Template, templates } from "./templates.ts";

interface Options {
  readonly source?: string;
  readonly title?: string;
  readonly level?: string;
  readonly technique?: string;
  readonly author?: string;
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
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, render(template, asked), { flag: "wx" });
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

export function render(template: Template, asked: Asked): string {
  const technique =
    asked.technique === undefined ? `attack.${template.tactic}, attack.${template.technique}` : `attack.${asked.technique.toLowerCase()}`;
  const today = new Date().toISOString().slice(0, 10);
  const example = (name: string, expect: string, lines: string) =>
    `    - name: ${name}\n      expect: ${expect}\n      format: ${template.format}\n      raw: |-\n${lines.replace(/^/gm, "        ")}`;
  return `title: ${JSON.stringify(asked.title)}
id: ${randomUUID()}
status: experimental
description: >-
  Say what happens when this fires, and why it matters.
author: ${JSON.stringify(asked.author)}
date: ${today}
tags: [${technique}]
logsource: ${template.logsource}
detection:
  # Selections: each is a map of fields (all must hold) or a list of maps (one must hold). The condition puts them together.
${template.detection}
falsepositives:
  - Say what harmless thing looks the same
level: ${asked.level}
vedette:
  entity: ${template.entity}
  response:
    - Say what to look at first, and what to do when it is true
  tests:
    # The line that fires, and the near miss: what an administrator does that looks almost the same.
${example("fires", "match", template.match)}
${example("near miss", "none", template.none)}
`;
}
