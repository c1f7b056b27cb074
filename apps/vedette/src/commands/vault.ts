/** `vedette vault status | rotate`: keys at rest of a running server. */
import { jsonText } from "@vedette/kit";
import { connect, type ServerOptions } from "../client.ts";
import { formOf, printRows } from "../output.ts";

interface Options extends ServerOptions {
  readonly output?: string;
  readonly json?: boolean;
}

export async function status(options: Options): Promise<void> {
  const found = await connect(options).get("/vault");
  const form = formOf(options);
  if (form === "json") process.stdout.write(`${jsonText(found, 2)}\n`);
  else
    printRows(
      found.keys.map((one) => ({ ...one })),
      ["id", "use", "boxes", "from"],
      form,
    );
  if (form === "table")
    for (const { id, use, since, needed_by } of found.log)
      process.stderr.write(
        `log key ${id}: ${use}${since === undefined ? "" : `, since ${since}`}${needed_by === undefined ? "" : needed_by.length === 0 ? ", needed by nothing" : `, needed by ${needed_by.join(" ")}`}\n`,
      );
  for (const { name, boxes, old, damaged } of found.places) {
    if (old + damaged > 0)
      process.stderr.write(`${name}: of ${boxes} boxes ${old} are sealed by an older key, ${damaged} cannot be opened\n`);
    if (damaged > 0) process.exitCode = 1;
  }
}

export async function rotate(options: Options): Promise<void> {
  const done = await connect(options).post("/vault/rotate", {});
  if (options.json) return void process.stdout.write(`${jsonText(done)}\n`);
  const dropped = done.dropped.length === 0 ? "" : ` Thrown away, for nothing needs them any more: ${done.dropped.join(", ")}.`;
  const log = done.log_key === undefined ? "" : ` Batches of the log are sealed by their own new key ${done.log_key}.`;
  process.stdout.write(`Key ${done.key} seals from now on; ${done.resealed} boxes were sealed anew.${log}${dropped}\n`);
}
