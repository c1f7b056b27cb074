import { PassThrough, Readable } from "node:stream";
import { systemClock } from "@vedette/kit";
import { expect, test } from "vitest";
import { RecordingIntake } from "../recording.fixture.ts";
import stdin, { readPipe } from "./stdin.ts";

const read = async (input: NodeJS.ReadableStream, signal = new AbortController().signal) => {
  const intake = new RecordingIntake();
  await readPipe(input, {
    name: "stdin",
    config: stdin.config.parse({}),
    intake,
    positions: new Map(),
    clock: systemClock,
    warn: () => {},
    signal,
  });
  return intake;
};

test.each<[string, string[], string[]]>([
  ["lines in pieces, the last without end", ["on", "e\ntw", "o\r\nthree"], ["one", "two", "three"]],
  ["NDJSON", ['{"a":1}\n{"a', '":2}\n'], ['{"a":1}', '{"a":2}']],
  ["a pretty document", ['[\n {"a":1},', '\n {"a":2}\n]\n'], ['{"a":1}', '{"a":2}']],
  ["what stops being a document", ['[\n{"a":1},\n', "{oops}\nx"], ['{"a":1}', "{oops}", "x"]],
  ["nothing", [], []],
])("%s", async (_, pieces, expected) => {
  expect((await read(Readable.from(pieces.map((piece) => Buffer.from(piece))))).texts).toEqual(expected);
});

test("many lines: large batches, all of them, each position once", async () => {
  const lines = Array.from({ length: 50_000 }, (_, i) => `line ${i}`);
  const intake = await read(Readable.from([Buffer.from(lines.join("\n"))]));
  expect(intake.texts).toEqual(lines);
  expect(intake.distinct.size).toBe(lines.length);
});

test("ends when told to, with what was read", async () => {
  const input = new PassThrough();
  const stop = new AbortController();
  const reading = read(input, stop.signal);
  input.write("one\ntwo\n");
  stop.abort();
  expect((await reading).texts).toEqual(["one", "two"]);
});
