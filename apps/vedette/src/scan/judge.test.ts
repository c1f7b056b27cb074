import { formats } from "@vedette/normalise";
import { type Compiled, compileProgram, makeProgram } from "@vedette/pipeline";
import { beforeAll, expect, test } from "vitest";
import { bundledPipelines, bundledRules } from "../content.ts";
import { Judge, type JudgeOptions } from "./judge.ts";
import type { Piece } from "./records.ts";

const perPiece = 40;
const line = (n: number) => {
  const at = `Nov 21 10:${String(Math.floor(n / 60) % 60).padStart(2, "0")}:${String(n % 60).padStart(2, "0")} bastion`;
  if (n % 97 === 0) return `${at} sudo:   alice : TTY=pts/3 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/cat /etc/shadow`;
  if (n % 101 === 0) return "\u0000 no line of a log";
  return `${at} sshd[7]: Failed password for root from 198.51.100.${n % 3} port ${40_000 + n} ssh2`;
};
const pieces: readonly Piece[] = ["a.log", "b.log"].flatMap((file) =>
  Array.from({ length: 10 }, (_, k) => ({
    file,
    first: k * perPiece,
    format: "syslog",
    preamble: undefined,
    records: Array.from({ length: perPiece }, (_, i) => {
      const n = k * perPiece + i;
      return { position: String(n), body: Buffer.from(line(n)) };
    }),
  })),
);
let compiled: Compiled;

beforeAll(async () => {
  const rules = bundledRules().filter(({ file }) => file.includes("linux"));
  compiled = await compileProgram(makeProgram({ rules, pipelines: bundledPipelines(), detectors: {}, lateness_s: 30 }, 0));
});

async function scanned(options: JudgeOptions) {
  const judge = new Judge(compiled, await formats(), options);
  const told: unknown[] = [];
  // what a moment ago was received differs from run to run
  const plain = (findings: readonly object[]) => findings.map((f) => ({ ...f, received: 0 }));
  for (const piece of pieces)
    await judge.take(piece, ({ findings, dead, dropped, events }) =>
      told.push([piece.file, piece.first, plain(findings), dead.map((d) => [d.code, d.position]), dropped, events]),
    );
  const episodes = plain(await judge.end());
  await judge.close();
  return { told, episodes };
}

test("threads judge as one does, in the order in which pieces were given, however many share them", async () => {
  const one = await scanned({ threads: 1 });
  expect(one.told).toHaveLength(pieces.length);
  expect(JSON.stringify(one.told)).toContain("Password hashes read with sudo");
  expect(one.episodes.length).toBeGreaterThan(0);
  // the first pieces by this thread, the rest by two others
  expect(await scanned({ threads: 2, alone: 25_000 })).toEqual(one);
});
