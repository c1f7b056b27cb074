/** What all rows have in common: Zeek's columns, in Zeek's units. Knows no log. */
import type { Micros } from "@vedette/model";
import type { Flow } from "./flow.ts";

/** A row of a Zeek log in its JSON form; `_path` names the log. */
export type Row = { readonly _path: "conn" | "dns" | "ssl" | "stratum"; readonly [column: string]: unknown };

export const seconds = (time: Micros): number => Math.round(time) / 1_000_000;

export const idColumns = ({ orig, resp }: Pick<Flow, "orig" | "resp">) => ({
  "id.orig_h": orig.ip,
  "id.orig_p": orig.port,
  "id.resp_h": resp.ip,
  "id.resp_p": resp.port,
});
