/** `quality:` of the configuration as the watch takes it. */
import { readFileSync } from "node:fs";
import { ConfigError } from "@vedette/kit";
import type { QualityOptions } from "@vedette/pipeline";
import { fieldNames } from "../fields.ts";
import type { Config } from "./schema.ts";

const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/** A cluster's host list is some thousand lines. */
const maxHosts = 100_000;

/** @throws ConfigError where the list of hosts cannot be read */
export function qualityOptions({ quality }: Config): QualityOptions {
  const time = (text: string | undefined) => (text === undefined ? undefined : Date.parse(text) * 1_000);
  const names = fieldNames([]);
  return {
    knows: (field) => names.knows(field),
    inventory: quality.hosts_file === undefined ? [] : hostsOf(quality.hosts_file),
    inventorySilence: quality.host_silence_s * 1e6,
    maintenance: quality.maintenance.map((one) => {
      const [from, to] = [time(one.from), time(one.to)];
      return {
        names: one.names,
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
        ...(one.days === undefined ? {} : { days: one.days.map((day) => days.indexOf(day)) }),
        ...(one.between === undefined ? {} : { between: betweenOf(one.between) }),
      };
    }),
  };
}

function betweenOf(text: string): readonly [number, number] {
  const [start = 0, end = 0] = text.split("-").map((clock) => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5)));
  return [start, end];
}

/** The first word of each line; `#` begins a comment. */
function hostsOf(file: string): readonly string[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new ConfigError("config_unreadable", `quality.hosts_file: ${(error as Error).message}`, { cause: error });
  }
  const hosts = text.split("\n").flatMap((line) =>
    line
      .split("#", 1)[0]!
      .trim()
      .split(/[\s,;]/, 1)
      .filter(Boolean),
  );
  if (hosts.length > maxHosts)
    throw new ConfigError("config_invalid", `quality.hosts_file: ${hosts.length} hosts in ${file}, at most ${maxHosts}`);
  return [...new Set(hosts)];
}
