/** Holds README, guides and examples to the program: their commands run, their configurations validate, their rules pass. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { detectors } from "@vedette/detect";
import { sinks } from "@vedette/egress";
import { enrichers } from "@vedette/enrich";
import { endpoints, sources } from "@vedette/ingest";
import { type Component, errorCodes, membersOf, reference, type z } from "@vedette/kit";
import { formats } from "@vedette/normalise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configSchema } from "../../apps/vedette/src/config/schema.ts";
import { inside } from "./inside.ts";
import { settledLedger, Vedette } from "./vedette.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const program = join(root, "apps/vedette/src/main.ts");

interface Block {
  readonly language: string;
  /** Words after the language: `no-run`, `again`, `config`, `rule`. */
  readonly info: readonly string[];
  readonly text: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  /** What `# → …` lines promise. */
  readonly promises: readonly string[];
}

/** The fenced blocks of a Markdown text. */
function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  const lines = markdown.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const open = /^(`{3,})(\S*) *(.*)$/.exec(lines[i]!);
    if (!open) continue;
    const end = lines.indexOf(open[1]!, i + 1);
    if (end < 0) throw new Error(`line ${i + 1}: a fence that is never closed`);
    const body = lines.slice(i + 1, end);
    const promises = body.flatMap((l) => /^\s*# → (.*)$/.exec(l)?.[1] ?? []);
    blocks.push({ language: open[2]!, info: open[3]!.split(/\s+/), text: body.join("\n"), line: i + 1, promises });
    i = end;
  }
  return blocks;
}

const guides = readdirSync(join(root, "docs/guide")).filter((n) => n.endsWith(".md"));
const pages = ["README.md", ...guides.map((n) => `docs/guide/${n}`)].map((path) => ({
  path,
  blocks: blocksOf(readFileSync(join(root, path), "utf8")),
}));

let scratch: string;
let server: Vedette;

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "vedette-docs-"));
  mkdirSync(join(scratch, "bin"));
  const wrapper = `#!/bin/sh\nexec '${process.execPath}' --conditions=source '${program}' "$@"\n`;
  writeFileSync(join(scratch, "bin", "vedette"), wrapper, { mode: 0o755 });
  server = new Vedette('machines: { listen: "127.0.0.1:0" }\n');
  await server.start("--no-demo");
});
afterAll(async () => {
  await server?.remove();
  rmSync(scratch, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a script as a reader would, in the page's own folder. */
async function shell(script: string, folder: string): Promise<Ended> {
  const child = spawn("bash", ["-eo", "pipefail", "-c", script], {
    cwd: folder,
    env: {
      PATH: `${join(scratch, "bin")}:${process.env["PATH"] ?? ""}`,
      HOME: folder,
      NO_COLOR: "1",
      // each command of a block is a start of its own
      ...(process.env["NODE_COMPILE_CACHE"] && { NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] }),
      VEDETTE_URL: server.url,
      VEDETTE_TOKEN: server.token,
      VEDETTE_DATA: server.data,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (d: Buffer) => (output += d.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}

const missing = (block: Block, output: string): string | undefined => block.promises.find((p) => !output.includes(p));

/** Far more than the stages between accepting and alerting ever need; then the last answer is the failure. */
const tries = 30;

/** `again` marks a block that only reads: it is asked again until what it promises is there. */
async function run(block: Block, folder: string, place: string): Promise<void> {
  for (let left = block.info.includes("again") ? tries : 1; ; left--) {
    const { code, output } = await shell(block.text, folder);
    const lacks = missing(block, output);
    if (left > 1 && (code !== 0 || lacks !== undefined)) continue;
    expect(code, `${place}\n${block.text}\n--- said ---\n${output}`).toBe(0);
    expect(lacks, `${place}: not in what it printed:\n${output}`).toBeUndefined();
    return;
  }
}

test("the pages have blocks to run and promises to hold", () => {
  const all = pages.flatMap((p) => p.blocks);
  expect(all.filter((b) => b.language === "sh" && !b.info.includes("no-run")).length).toBeGreaterThan(10);
  expect(all.flatMap((b) => b.promises).length).toBeGreaterThan(10);
});

describe("shell blocks", () => {
  const withShell = pages.filter((p) => p.blocks.some((b) => b.language === "sh" && !b.info.includes("no-run")));
  test.each(withShell.map((p) => [p.path, p.blocks] as const))("%s", async (path, blocks) => {
    const folder = mkdtempSync(join(scratch, `${basename(path, ".md")}-`));
    for (const block of blocks) {
      if (block.language !== "sh" || block.info.includes("no-run")) continue;
      await run(block, folder, `${path}:${block.line}`);
      await settledLedger(server);
    }
  });
});

describe("configurations and rules", () => {
  const marked = (language: string, word: string) =>
    pages.flatMap((p) =>
      p.blocks.filter((b) => b.language === language && b.info.includes(word)).map((b) => [`${p.path}:${b.line}`, b.text] as const),
    );
  const folders = ["examples", "deploy"];
  const files = folders
    .flatMap((f) => readdirSync(join(root, f), { recursive: true, encoding: "utf8" }).map((n) => `${f}/${n}`))
    .filter((n) => basename(n) === "vedette.yaml");
  const configurations = [...marked("yaml", "config"), ...files.map((n) => [n, readFileSync(join(root, n), "utf8")] as const)];

  test.each(configurations)("%s validates", async (_, text) => {
    const file = join(mkdtempSync(join(scratch, "config-")), "vedette.yaml");
    writeFileSync(file, text);
    const { code, stderr } = await inside("config", "validate", "--config", file);
    expect(code, stderr).toBe(0);
  });

  const rules = [...marked("yaml", "rule"), ...marked("yaml", "detector")];
  test.skipIf(rules.length === 0)("rules in the guides pass their own cases", async () => {
    for (const [place, text] of rules) {
      const folder = mkdtempSync(join(scratch, "rule-"));
      writeFileSync(join(folder, "rule.yml"), text);
      const { code, stdout, stderr } = await inside("rule", "test", join(folder, "rule.yml"));
      expect(code, `${place}\n${stdout}${stderr}`).toBe(0);
    }
  });
});

describe("reference", () => {
  const load = async (): Promise<Component[]> =>
    (await Promise.all([sources(), sinks(), endpoints(), formats(), enrichers(), detectors()])).flatMap(
      (found) => [...found.values()] as Component[],
    );
  const undescribed = (schema: z.ZodType) => membersOf(schema).flatMap((m) => (m.meaning === "" ? [m.name] : []));

  test("every component renders, and every member of its configuration is described", async () => {
    const all = await load();
    expect(all.length).toBeGreaterThan(15);
    for (const component of all) {
      const text = reference(component);
      expect(text).toContain(component.summary);
      for (const example of component.examples) expect(text).toContain(example.title);
      expect(undescribed(component.config), component.name).toEqual([]);
    }
  });
  test("every key of vedette.yaml is described", () => expect(undescribed(configSchema)).toEqual([]));
  test("every error code has a meaning", () => {
    for (const [code, meaning] of Object.entries(errorCodes)) expect(meaning, code).not.toBe("");
  });
});

/** Flaw codes as they stand in the source, so that a new one must be explained. */
test("operations.md explains every code of a dead letter", () => {
  const page = readFileSync(join(root, "docs/guide/operations.md"), "utf8");
  const codes = new Set<string>();
  for (const name of ["ingest", "normalise", "pipeline"]) {
    const folder = join(root, "packages", name, "src");
    for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".ts") || file.includes(".test.")) continue;
      // a flaw is the only object with both members
      for (const m of readFileSync(join(folder, file), "utf8").matchAll(/code: "([a-z_]+)",\s*expected:/g)) codes.add(m[1]!);
    }
  }
  expect(codes.size).toBeGreaterThan(8);
  expect([...codes].filter((c) => !page.includes(`\`${c}\``))).toEqual([]);
});
