/** Scanning files offline: nothing is left out unsaid, and what a log says cannot act on who reads the answer. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { vedette } from "./cli.ts";
import { inside } from "./inside.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const sudo = (n: number, command: string) =>
  `Nov 21 10:00:0${n} bastion sudo:   alice : TTY=pts/3 ; PWD=/ ; USER=root ; COMMAND=${command}\n`;
const failed = (n: number) => `Nov 21 10:00:0${n} bastion sshd[7]: Failed password for root from 198.51.100.7 port 4000${n} ssh2\n`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vedette-scan-"));
  mkdirSync(join(folder, "logs/deep"), { recursive: true });
  mkdirSync(join(folder, "rules"));
  const put = (name: string, bytes: string | Buffer) => writeFileSync(at(name), bytes);
  put("logs/plain.log", sudo(1, "/usr/bin/cat /etc/shadow"));
  put("logs/deep/odd [name]{1}.log", sudo(2, "/usr/bin/cat /etc/shadow") + sudo(3, "/usr/bin/cat /etc/shadow \u001b[2J\u009b31m\u202e"));
  put("logs/packed.log.gz", gzipSync(sudo(4, "/usr/bin/cat /etc/shadow")));
  put("logs/packed.log.zst", zstdCompressSync(Buffer.from(sudo(5, "/usr/bin/cat /etc/shadow"))));
  put("logs/events.json", '[{"message":"a"},\n {"message":"b"}]');
  put("logs/broken.json", '{"message": "unfinished\n{"message":"fine"}\n');
  put("logs/archive.xz", Buffer.from("fd377a585a0000", "hex"));
  put("logs/renamed.log", Buffer.from("504b030414000000", "hex"));
  put("logs/Security.evtx", Buffer.concat([Buffer.from("ElfFile\0"), Buffer.alloc(32)]));
  put("logs/core", Buffer.from([1, 2, 0, 3]));
  put("logs/empty.log", "");
  put("rules/broken.yml", "title: Broken\nid: b\nlogsource: { product: linux, service: auth }\ndetection: { condition: nothing }\n");
  put("rules/unmapped.yml", "title: Unmapped\nid: u\nlogsource: { product: teapot }\ndetection: { s: { a: b }, condition: s }\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rowsOf = (stdout: string) =>
  stdout
    .trim()
    .split("\n")
    .map((l) => JSON.parse(l) as { "rule.title": string; file: string; record: number; fields: { [field: string]: string } });

test("folders, compressed files and odd names are read; what cannot be read is named with the reason", async () => {
  const { stdout, stderr, code } = await inside("scan", at("logs"), "-o", "ndjson");
  const hits = rowsOf(stdout).map((r) => `${r.file.slice(folder.length + 1)}:${r.record}`);
  expect(hits).toEqual([
    "logs/deep/odd [name]{1}.log:1",
    "logs/deep/odd [name]{1}.log:2",
    "logs/packed.log.gz:1",
    "logs/packed.log.zst:1",
    "logs/plain.log:1",
  ]);
  expect(stderr).toMatch(/logs\/archive\.xz: skipped: xz-compressed/);
  expect(stderr).toMatch(/logs\/renamed\.log: skipped: a zip archive/);
  expect(stderr).toMatch(/logs\/Security\.evtx: skipped: a binary Windows event log/);
  expect(stderr).toMatch(/logs\/core: skipped: binary content/);
  expect(stderr).toMatch(/logs\/empty\.log: skipped: empty/);
  expect(stderr).toMatch(/5 × medium +Password hashes read with sudo/);
  expect(stderr).toMatch(/9 records of 6 files, 1 could not be decoded \(\w+ 1\), 5 matches of \d+ rules.*5 files skipped/);
  expect(code).toBe(1);
});

test("a table shows the first few that a rule found about one host or user, and says about whom the others are", async () => {
  const { stdout, stderr, code } = await inside("scan", at("logs"));
  expect(
    stdout
      .trim()
      .split("\n")
      .filter((line) => line.includes("Password hashes read with sudo")),
  ).toHaveLength(4);
  expect(stdout).toMatch(/Password hashes read with sudo: 2 more \(-o ndjson lists them\)/);
  expect(stderr).toMatch(/5 × medium +Password hashes read with sudo: alice/);
  expect(code).toBe(1);
});

test("what is piped in is read as a file is: its header tells the columns", async () => {
  const header = "#separator \\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n";
  const row = (n: number) => `152191172${n}.600725\tCHhAvVGS1DHFjwGM${n}\t10.0.0.5\t4914${n}\t192.0.2.7\t443\ttcp\n`;
  const { stderr, code } = await vedette(["scan", "-"], { cwd: folder, input: header + row(1) + row(2) });
  expect(stderr).toMatch(/^2 records of 1 file, 0 could not be decoded, 0 matches of \d+ rules\n$/);
  expect(code).toBe(0);
});

test("what a log says is text in every form", async () => {
  const said: string[] = [];
  for (const form of ["table", "csv", "ndjson", "json"]) said.push((await inside("scan", at("logs/deep"), "-o", form)).stdout);
  for (const text of said) {
    expect(text.replaceAll("\n", "")).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(text).toContain("\\u202e");
  }
  expect(JSON.parse(said[3]!)).toHaveLength(2);
  // what a program reads is the value as it was
  expect(rowsOf(said[2]!)[1]!.fields["process.command_line"]).toContain("\u202e");
});

test("rules that cannot be used are named, levels filter and are counted, and misuse ends with 2", async () => {
  const plain = at("logs/plain.log");
  const refused = await inside("scan", plain, "--rules", at("rules"));
  expect(refused.stderr).toMatch(/refused: .*rules\/broken\.yml:\d+:\d+: Broken/);
  expect(refused.stderr).toMatch(/refused: .*rules\/unmapped\.yml:\d+:\d+: Unmapped: logsource product: teapot/);
  const quiet = await inside("scan", plain, "--level", "critical");
  expect(quiet.stderr).toContain("1 finding below the level asked for");
  const format = await inside("scan", plain, "--format", "morse");
  expect(format.stderr).toContain("known formats are");
  const absent = await inside("scan", at("absent.log"));
  expect(absent.stderr).toContain("absent.log: no such file or folder");
  // nothing would ever match: that must not look like a clean file
  expect(refused.stderr).toContain("none of 2 rule files is of use");
  const none = await inside("scan", plain, "--rules", at("logs/deep"));
  expect(none.stderr).toContain("no rule file (*.yml) in it");
  expect([refused, quiet, format, absent, none].map((r) => r.code)).toEqual([2, 0, 2, 2, 2]);
});

test("a file that may hold records and that nobody could look into is no clean one", async () => {
  const circle = at("circle.log");
  symlinkSync(circle, circle);
  const [unread, empty] = [await inside("scan", circle), await inside("scan", at("logs/empty.log"))];
  expect(unread.stderr).toMatch(/circle\.log: skipped: ELOOP/);
  expect([unread.code, empty.code]).toEqual([1, 0]);
});

test("episodes are put together across files in the order of time, whatever the order of the files", async () => {
  writeFileSync(at("a.log"), [3, 4, 5].map(failed).join(""));
  writeFileSync(at("b.log"), [0, 1, 2].map(failed).join(""));
  for (const files of [
    ["a.log", "b.log"],
    ["b.log", "a.log"],
  ]) {
    const { stdout } = await inside("scan", ...files.map(at), "-o", "ndjson");
    const rows = rowsOf(stdout).filter((r) => r["rule.title"] === "Password guessing from one address");
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ file: at("a.log"), record: 3 });
  }
});

test("a job's socket is found with the job, and with the line that tells of it", async () => {
  const process = {
    exec_id: "cA==",
    pid: 42,
    uid: 5001,
    binary: "/scratch/solve",
    environment_variables: [{ key: "SLURM_JOB_ID", value: "94711" }],
  };
  const sock_arg = { family: "AF_INET", protocol: "IPPROTO_TCP", saddr: "10.1.9.1", daddr: "198.51.100.77", sport: 40_007, dport: 443 };
  const told = { process, function_name: "tcp_connect", args: [{ sock_arg }], action: "KPROBE_ACTION_POST", policy_name: "egress" };
  const line = (body: object) => `${JSON.stringify({ ...body, node_name: "cn1", time: "2026-01-05T10:00:00Z" })}\n`;
  writeFileSync(at("tetragon.log"), line({ process_exec: { process } }) + line({ process_kprobe: told }));
  const { stdout } = await inside("scan", at("tetragon.log"), "-o", "ndjson");
  expect(rowsOf(stdout).map((r) => [r["rule.title"], r.file, r.record, r.fields["hpc.job.id"]])).toEqual([
    ["Batch job connects to a public address", at("tetragon.log"), 2, "94711"],
  ]);
});
