/** Packet captures through the command line: shown and written as Zeek's logs, and judged by the same rules and detectors as those. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clientHello, conversation, dns, pcap, pcapng, udp } from "../../packages/pcap/src/packets.fixture.ts";
import { inside } from "./inside.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const node = { from: "10.20.9.1", fromPort: 40_001, to: "198.51.100.77", toPort: 3_333 };
const resolver = { from: "10.20.9.1", fromPort: 40_000, to: "10.20.0.53", toPort: 53 };
const web = { ...node, fromPort: 40_002, to: "203.0.113.80", toPort: 443 };
const frames = [
  udp(resolver, dns("xmr-eu1.nanopool.org")),
  ...conversation(node, [
    ["client", '{"id":1,"method":"mining.subscribe","params":["cpuminer/2.5.1"]}\n'],
    ["server", '{"id":1,"result":[[["mining.set_difficulty","1"],["mining.notify","ae68"]],"08000002",4],"error":null}\n'],
  ]),
  ...conversation(web, [["client", clientHello("www.example.org")]]),
];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vedette-pcap-"));
  writeFileSync(at("mining.pcap"), pcap(frames));
  writeFileSync(at("mining.pcapng"), pcapng(frames));
  writeFileSync(at("cut.pcap"), pcap(frames).subarray(0, -3));
  writeFileSync(at("notes.txt"), "no packets here\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("rows are shown, and written as Zeek's logs that scan to the same findings as the capture", async () => {
  const shown = await inside("pcap", at("mining.pcap"), "-o", "ndjson");
  const rows = shown.stdout.trim().split("\n");
  expect(rows).toHaveLength(6);
  expect(shown.stderr).toContain("mining.pcap: 14 packets, 3 connections, 6 rows");
  const table = await inside("pcap", at("mining.pcapng"));
  expect(table.stdout).toContain("cpuminer/2.5.1 mining.notify mining.set_difficulty mining.subscribe");

  await inside("pcap", at("mining.pcap"), "--out", at("logs"));
  expect(readdirSync(at("logs")).sort()).toEqual(["conn.log", "dns.log", "ssl.log", "stratum.log"]);
  expect(readFileSync(at("logs/ssl.log"), "utf8")).toContain('"server_name":"www.example.org"');
  const titles = async (path: string) => {
    const { stdout } = await inside("scan", at(path), "-o", "ndjson");
    return stdout
      .trim()
      .split("\n")
      .map((l) => (JSON.parse(l) as { "rule.title": string })["rule.title"])
      .sort();
  };
  expect(await titles("logs")).toEqual(await titles("mining.pcap"));
  expect(await titles("mining.pcapng")).toContain("Name of a mining pool looked up or asked for");
});

test("logs are not written over, and what is no capture is refused", async () => {
  await inside("pcap", at("mining.pcap"), "--out", at("again"));
  const again = await inside("pcap", at("mining.pcap"), "--out", at("again"));
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("exists; name an empty folder with --out")]);
  const text = await inside("pcap", at("notes.txt"));
  expect([text.code, text.stderr]).toEqual([2, expect.stringContaining("expected pcap or pcapng files")]);
});

test("a capture that ends within a packet tells what came before, and says so", async () => {
  const { stdout, stderr, code } = await inside("pcap", at("cut.pcap"), "-o", "ndjson");
  expect([stdout.trim().split("\n").length, code]).toEqual([6, 1]);
  expect(stderr).toMatch(
    /cut\.pcap: truncated: expected a whole packet at byte \d+; the file ends within it; what came before it was read/,
  );
});
