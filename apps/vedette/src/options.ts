/** Options that several commands share. Knows only names and help: it is loaded at every start. */
import { type Command, InvalidArgumentError, Option } from "commander";

export const output = () =>
  new Option("-o, --output <form>", "how rows are printed").choices(["table", "json", "ndjson", "csv"]).default("table");
export const json = () => new Option("--json", "short for -o json");
/** A number that is no number must not become "none found". */
export function whole(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError("Expected a whole number from 1.");
  return Number(text);
}
/** Where the server is. */
export const server = (c: Command) =>
  c
    .option("--url <url>", "the server (VEDETTE_URL; else the one that holds the data directory)")
    .option("--data-dir <dir>", "data directory (VEDETTE_DATA; else ./data)");
/** The configuration of an installation. */
export const configFile = (c: Command) => c.option("--config <file>", "configuration file (default vedette.yaml if there is one)");
/** What the site's configuration says to rules that are read without a server. */
export const site = (c: Command) =>
  c.option("--config <file>", "configuration file, for placeholders of rules (default vedette.yaml if there is one)");
/** Which time. */
export const range = (c: Command) =>
  c
    .option("--since <age>", "how far back, e.g. 15m, 1h, 7d")
    .option("--from <time>", "start, RFC 3339")
    .option("--to <time>", "end, RFC 3339");
