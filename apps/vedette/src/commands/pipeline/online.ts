/** `vedette pipeline preview|list|reload`: pipelines of a running server. */

import type { Answered, Operation } from "@vedette/client";
import { jsonText } from "@vedette/kit";
import { connect, type ServerOptions } from "../../client.ts";
import { yamlFiles } from "../../content.ts";
import { bold, formOf, printRows, safe } from "../../output.ts";

interface Options extends ServerOptions {
  readonly output?: string;
  readonly json?: boolean;
}
type Preview = Answered<Operation<"post", "/pipelines/preview">>;

export async function preview(paths: readonly string[], options: Options): Promise<void> {
  const files = paths.flatMap(yamlFiles);
  const found = await connect(options).post("/pipelines/preview", { body: { files } });
  if (found.refused.length > 0) process.exitCode = 1;
  if (options.json) return void process.stdout.write(`${jsonText(found, 2)}\n`);
  for (const line of found.refused) process.stdout.write(`${bold("refused")} ${safe(line)}\n`);
  const dropped = Object.values(found.dropped).reduce((a, b) => a + b, 0);
  const span = found.from === undefined ? "" : ` from ${found.from} to ${found.to}`;
  process.stdout.write(`${found.events} events${span}: ${dropped} would be dropped, ${found.changed} changed\n`);
  for (const [reason, n] of Object.entries(found.dropped)) process.stdout.write(`  ${n} by ${safe(reason)}\n`);
  for (const example of found.examples) show(example);
  for (const line of lossLines(found.losses)) process.stdout.write(`${line}\n`);
}

function show({ id, time, source, dropped, before, after, original, class: kept }: Preview["examples"][number]): void {
  process.stdout.write(`\n${bold(`${time} ${safe(source)} ${id}`)}${dropped === undefined ? "" : `: dropped, ${safe(dropped)}`}\n`);
  const names = dropped === undefined ? [...new Set([...Object.keys(before), ...Object.keys(after)])] : [];
  const value = (one: unknown) => (one === undefined ? "(none)" : safe(JSON.stringify(one)).slice(0, 200));
  for (const name of names) process.stdout.write(`  ${safe(name)}: ${value(before[name])} → ${value(after[name])}\n`);
  if (kept !== undefined) process.stdout.write(`  class: ${kept[0]} → ${kept[1]}\n`);
  if (original !== undefined) process.stdout.write(`  original: ${value(original[0])}\n         → ${value(original[1])}\n`);
}

const lossLines = (losses: Preview["losses"]): readonly string[] =>
  losses.map(
    ({ title, how }) => `${bold("loses its data")} ${safe(title)}: ${how === "changed" ? "what it asks for is changed" : safe(how)}`,
  );

export async function list(options: Options): Promise<void> {
  const { pipelines, losses } = await connect(options).get("/pipelines");
  const rows = pipelines.flatMap(({ name, file, steps }) =>
    steps.map((step) => ({ pipeline: name, step: step.name, does: step.does, dropped: step.dropped, file })),
  );
  printRows(rows, ["pipeline", "step", "does", "dropped", "file"], formOf(options), "no pipelines; see pipelines.directories");
  for (const line of lossLines(losses)) process.stderr.write(`${line}\n`);
}

export async function reload(options: Options & { readonly reason: string; readonly yes?: boolean }): Promise<void> {
  const { reason, yes = false } = options;
  const found = await connect(options).post("/pipelines/reload", { body: { reason, yes } });
  if (found.blocked.length > 0) process.exitCode = 1;
  if (options.json) return void process.stdout.write(`${jsonText(found)}\n`);
  for (const line of found.blocked) process.stdout.write(`${bold("not reloaded")} ${safe(line)}\n`);
  if (found.blocked.length === 0) process.stdout.write(found.changed ? "reloaded\n" : "nothing had changed\n");
}
