/** `vedette move`: all state of a stopped installation from its data directory to PostgreSQL, or back. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { ConfigError, jsonText } from "@vedette/kit";
import { openDataDirectory } from "@vedette/pipeline";
import { moveStateTo } from "@vedette/store";
import { loadConfig } from "../config/load.ts";
import { printRows } from "../output.ts";
import { postgresSettings } from "../postgres.ts";
import { Progress } from "../progress.ts";

interface Options {
  readonly to: "postgres" | "sqlite";
  readonly dataDir?: string;
  readonly config?: string;
  readonly overwrite?: boolean;
  readonly newLog?: boolean;
  readonly json?: boolean;
}

export async function move(options: Options): Promise<void> {
  const { config } = loadConfig(options.config, process.env, { data_dir: options.dataDir });
  const directory = resolve(config.data_dir);
  const file = join(directory, "state.db");
  const postgres = postgresSettings(config);
  if (options.to === "postgres" && !existsSync(file))
    throw new ConfigError("config_invalid", `${directory}: expected a data directory, found no state.db in it`);
  const [from, to] = options.to === "postgres" ? [file, postgres] : [postgres, file];
  // a server that runs on it holds it
  const held = openDataDirectory(directory);
  const progress = new Progress(1);
  try {
    const tables = await moveStateTo(from, to, {
      overwrite: options.overwrite === true,
      newLog: options.newLog === true,
      at: new Date().toISOString(),
      onProgress: (done, total, table) => progress.at(done / total, `${done} of ${total} rows written and read back: ${table}`),
    });
    progress.clear();
    const rows = Object.entries(tables).map(([table, count]) => ({ table, rows: count }));
    if (options.json) process.stdout.write(`${jsonText(rows, 2)}\n`);
    else printRows(rows, ["table", "rows"], "table");
    process.stderr.write(
      `All of it reads there as it was written. Set state.driver to ${options.to}; what was left behind is refused until it is moved back with --overwrite.\n`,
    );
  } finally {
    progress.clear();
    held.release();
  }
}
