/** `vedette replay`: runs detection again over the retained log of a stopped installation and prints the digest of what it finds. */

import { join, resolve } from "node:path";
import { jsonText } from "@vedette/kit";
import { openLog } from "@vedette/log";
import { Control, openDataDirectory, replay as replayLog, Tables, threadPool } from "@vedette/pipeline";
import { loadConfig } from "../config/load.ts";
import { configuredLog } from "../log.ts";
import { canaryKey, logEncryption, openVault, resourcesOf } from "../vault.ts";

interface Options {
  readonly dataDir?: string;
  readonly json?: boolean;
}

export async function replay(options: Options): Promise<void> {
  const directory = openDataDirectory(resolve(options.dataDir ?? process.env["VEDETTE_DATA"] ?? "./data"));
  const { config } = loadConfig(undefined, process.env);
  const vault = await openVault(config, directory.path);
  const log = await openLog(await configuredLog(config, directory.path, await logEncryption(vault, config)));
  const pool = threadPool(undefined, await resourcesOf(vault, config, new Tables(join(directory.path, "tables"))));
  try {
    const result = await replayLog({
      log,
      control: await Control.open(log),
      pool,
      partitions: config.log.driver === "kafka" ? config.kafka.partitions : 1,
      canaryKey: await canaryKey(config, directory.path, vault),
      onProgress: (done, total) => {
        if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${total} batches`);
      },
    });
    if (process.stderr.isTTY) process.stderr.write("\n");
    if (options.json) process.stdout.write(`${jsonText(result)}\n`);
    else
      process.stdout.write(
        `digest   ${result.digest}\nbatches  ${result.batches}${result.damaged > 0 ? ` (${result.damaged} damaged)` : ""}\nevents   ${result.events}\nfindings ${result.findings} in ${result.groups} groups\n`,
      );
  } finally {
    await pool.close();
    await log.close();
    directory.release();
  }
}
