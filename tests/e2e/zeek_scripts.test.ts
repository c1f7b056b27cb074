/** deploy/zeek: what the scripts write is what captures give and what format, rules and detectors read. There is no Zeek here to run them. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { detectors } from "@vedette/detect";
import { formats } from "@vedette/normalise";
import { Capture, miningMethods, type Row } from "@vedette/pcap";
import { describe, expect, test } from "vitest";
import { conversation, pcap } from "../../packages/pcap/src/packets.fixture.ts";

const folder = fileURLToPath(new URL("../../deploy/zeek/", import.meta.url));
const text = (name: string) => readFileSync(folder + name, "utf8");
const scripts = readdirSync(`${folder}vedette`).sort();
const code = (script: string) => script.replace(/#.*$/gm, "").replace(/"[^"\n]*"/g, '""');

/** Columns of the record `name` of a script that go into the log. */
const logged = (script: string, name: string): string[] =>
  [...(new RegExp(`${name}[^{]*\\{([\\s\\S]*?)\\n\\t\\};`).exec(script)?.[1] ?? "").matchAll(/^\t\t(\w+):.*&log/gm)].map(
    ([, column]) => column!,
  );

const said = ["client", '{"id":1,"jsonrpc":"2.0","method":"login","params":{"algo":["rx/0"]}}\n'] as const;
function stratumRow(): Row {
  const rows: Row[] = [];
  const capture = new Capture((row) => rows.push(row));
  capture.read(pcap(conversation({ from: "10.0.0.9", fromPort: 40_000, to: "203.0.113.81", toPort: 443 }, [said])));
  capture.end();
  return rows.find((r) => r._path === "stratum")!;
}

describe.each(scripts.filter((s) => s.endsWith(".zeek")))("%s", (name) => {
  test("is loaded, says what it is, and every bracket has its fellow", () => {
    const script = text(`vedette/${name}`);
    expect(text("local.zeek")).toContain(`@load ./vedette/${name.replace(".zeek", "")}`);
    expect(script).toMatch(/^##! /);
    for (const [open, close] of ["{}", "()", "[]"]) expect(code(script).split(open!).length, open).toBe(code(script).split(close!).length);
  });
});

test("stratum.log has the columns of a capture's rows, which the detector reads", async () => {
  const columns = logged(text("vedette/stratum.zeek"), "type Info: record");
  expect(columns).toEqual(["ts", "uid", "id", "proto", "methods", "signs"]);
  const row = stratumRow();
  for (const column of columns) expect(Object.keys(row)).toContain(column === "id" ? "id.orig_h" : column);
  const decoded = (await formats()).get("zeek")!.json!.decode(JSON.parse(JSON.stringify(row)), "", {
    preamble: undefined,
    received: 0,
    peer: undefined,
    source: "zeek",
    stream: "",
  }) as { readonly fields: { readonly [name: string]: unknown } };
  expect(decoded.fields).toMatchObject({
    "event.dataset": "zeek.stratum",
    "zeek.stratum.methods": ["login"],
    "zeek.stratum.signs": ["algo", "jsonrpc"],
  });
  expect((await detectors()).get("stratum")!.fields).toEqual(expect.arrayContaining(["zeek.stratum.methods", "zeek.stratum.signs"]));
});

test("the signatures look for the methods that captures are searched for, and each is known to the script", () => {
  const signatures = [...text("vedette/stratum.sig").matchAll(/^signature (\S+) \{/gm)].map(([, id]) => id!);
  const known = new Map(
    [...text("vedette/stratum.zeek").matchAll(/^\t\["([\w-]+)"\] = "([\w.]+)",$/gm)].map(([, id, word]) => [id!, word!]),
  );
  expect(signatures.sort()).toEqual([...known.keys()].sort());
  const methods = [...known].filter(([id]) => !id.startsWith("vedette-sign-")).map(([, word]) => word);
  expect(methods.sort()).toEqual([...miningMethods].sort());
});

test("open connections come as conn_long, and shunted ones are marked", async () => {
  expect(text("vedette/long-connections.zeek")).toContain('$path="conn_long"');
  expect((await detectors()).get("mining_flow")!.where).toContain("event.dataset:zeek.conn_long");
  expect(logged(text("vedette/shunt.zeek"), "redef record Conn::Info \\+=")).toEqual(["shunted"]);
  expect(text("vedette/json-logs.zeek")).toMatch(/path: string &log;\n\t\tsystem_name: string &log;/);
});
