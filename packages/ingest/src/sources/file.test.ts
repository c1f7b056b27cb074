import { createHash } from "node:crypto";
import { appendFile, copyFile, mkdtemp, rename, rm, symlink, truncate, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RecordingIntake, SourceRun } from "../recording.fixture.ts";
import file from "./file.ts";

let folder: string;
let log: string;
let run: SourceRun | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "vedette-file-"));
  log = join(folder, "app.log");
});
afterEach(async () => {
  await run?.stop();
  run = undefined;
  await rm(folder, { recursive: true });
});

const start = async (config: object = {}, intake = new RecordingIntake()): Promise<RecordingIntake> => {
  run = new SourceRun(file, { paths: [log], watch: false, ...config }, intake);
  await Promise.race([run.clock.sleeping(), run.ended]);
  return intake;
};
const restart = async (intake: RecordingIntake, config: object = {}) => {
  await run?.stop();
  await start(config, intake);
};
const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `line ${from + i} of the log`);
const text = (from: number, to: number) =>
  lines(from, to)
    .map((line) => `${line}\n`)
    .join("");

describe("growing and rotating", () => {
  test("lines are read as they are appended, each position once", async () => {
    await writeFile(log, text(0, 3));
    const intake = await start();
    await appendFile(log, text(3, 5));
    await run!.look();
    expect(intake.texts).toEqual(lines(0, 5));
    expect(intake.distinct.size).toBe(5);
    expect(intake.accepts.every((accept) => accept.stream === log)).toBe(true);
  });

  test("rotate and create: the renamed file is read to its end, then the new one", async () => {
    await writeFile(log, text(0, 3));
    const intake = await start();
    await appendFile(log, text(3, 5));
    await rename(log, `${log}.1`);
    await writeFile(log, text(10, 12));
    await run!.look();
    await appendFile(`${log}.1`, text(5, 6));
    await appendFile(log, text(12, 13));
    await run!.look();
    expect(intake.texts).toEqual([...lines(0, 5), ...lines(10, 12), ...lines(5, 6), ...lines(12, 13)]);
    expect(intake.distinct.size).toBe(9);
  });

  test("rotate within the glob: the renamed file is not read again, nor after a restart", async () => {
    const config = { paths: [join(folder, "*")] };
    await writeFile(log, text(0, 3));
    const intake = await start(config);
    await rename(log, `${log}.1`);
    await writeFile(log, text(10, 12));
    await run!.look(3);
    await restart(intake, config);
    await rename(`${log}.1`, `${log}.2`);
    await rename(log, `${log}.1`);
    await run!.look(3);
    await restart(intake, config);
    expect(intake.texts).toEqual([...lines(0, 3), ...lines(10, 12)]);
  });

  test("rotated while stopped: the rest of the old file is read although no glob names it", async () => {
    await writeFile(log, text(0, 3));
    const intake = await start();
    await run!.stop();
    await appendFile(log, text(3, 5));
    await rename(log, `${log}.1`);
    await writeFile(log, text(10, 12));
    await start({}, intake);
    await run!.look();
    expect([...intake.texts].sort()).toEqual([...lines(0, 5), ...lines(10, 12)].sort());
    await restart(intake);
    expect(intake.records.length).toBe(7);
  });

  test("copytruncate: nothing twice, and what was written before the truncation is taken from the copy", async () => {
    await writeFile(log, text(0, 3));
    const intake = await start();
    await appendFile(log, text(3, 5));
    await copyFile(log, `${log}.1`);
    await truncate(log);
    await appendFile(log, text(10, 11));
    await run!.look(2);
    await appendFile(log, text(11, 12));
    await run!.look(2);
    expect([...intake.texts].sort()).toEqual([...lines(0, 5), ...lines(10, 12)].sort());
    expect(intake.distinct.size).toBe(7);
  });

  test("copytruncate within the glob: the copy is not read as a new file", async () => {
    const config = { paths: [join(folder, "*")] };
    await writeFile(log, text(0, 3));
    const intake = await start(config);
    await copyFile(log, `${log}.1`);
    await run!.look();
    await truncate(log);
    await appendFile(log, text(10, 12));
    await run!.look(8);
    await restart(intake, config);
    await run!.look(8);
    expect(intake.texts).toEqual([...lines(0, 3), ...lines(10, 12)]);
  });

  test("a true twin with the same beginning is read as a file of its own", async () => {
    const config = { paths: [join(folder, "*")] };
    await writeFile(log, text(0, 3));
    const intake = await start(config);
    await writeFile(join(folder, "app.2.log"), text(0, 3));
    await run!.look(8);
    expect(intake.records.length).toBe(6);
    expect(intake.distinct.size).toBe(6);
  });

  test.each([
    ["to nothing", 0],
    ["to a shorter start", 1],
  ])("truncated %s and written anew: a new generation with new positions", async (_, keep) => {
    await writeFile(log, text(0, 3));
    const intake = await start();
    await writeFile(log, text(0, keep) + text(20, 21));
    await run!.look();
    expect(intake.texts).toEqual([...lines(0, 3), ...lines(0, keep), ...lines(20, 21)]);
    expect(intake.distinct.size).toBe(4 + keep);
  });

  test("truncated and grown past the old end between two looks", async () => {
    await writeFile(log, text(0, 3));
    const intake = await start();
    await writeFile(log, text(30, 50));
    await run!.look();
    expect(intake.texts).toEqual([...lines(0, 3), ...lines(30, 50)]);
  });

  test("truncated while stopped, past the old end, with the same first line", async () => {
    await writeFile(log, text(0, 3));
    const intake = await start();
    await run!.stop();
    await writeFile(log, text(0, 1) + text(30, 50));
    await start({}, intake);
    expect(intake.texts).toEqual([...lines(0, 3), ...lines(0, 1), ...lines(30, 50)]);
    expect(intake.distinct.size).toBe(24);
  });

  test("deleted and created again, the inode possibly reused", async () => {
    await writeFile(log, text(0, 3));
    const intake = await start();
    for (let round = 0; round < 5; round++) {
      await unlink(log);
      await writeFile(log, text(0, 1) + text(40 + round, 41 + round));
      await run!.look(2);
    }
    expect(intake.records.length).toBe(13);
    expect(intake.distinct.size).toBe(13);
  });

  test("a symbolic link that is pointed elsewhere", async () => {
    const [a, b] = [join(folder, "a-1"), join(folder, "b-2")];
    await writeFile(a, text(0, 2));
    await writeFile(b, text(10, 12));
    await symlink(a, log);
    const intake = await start();
    await unlink(log);
    await symlink(b, log);
    await appendFile(a, text(2, 3));
    await run!.look();
    expect([...intake.texts].sort()).toEqual([...lines(0, 3), ...lines(10, 12)].sort());
  });

  test("two names of one file are one file", async () => {
    await writeFile(log, text(0, 3));
    await symlink(log, join(folder, "current"));
    const intake = await start({ paths: [join(folder, "*")] });
    expect(intake.texts).toEqual(lines(0, 3));
  });

  test("from the end: only what comes after the first start, also over a restart", async () => {
    await writeFile(log, text(0, 3));
    const intake = await start({ from: "end" });
    await run!.stop();
    await appendFile(log, text(3, 5));
    await start({ from: "end" }, intake);
    await appendFile(log, text(5, 6));
    await run!.look();
    expect(intake.texts).toEqual(lines(3, 6));
  });

  test("a file of many turns is read whole, and another is not kept waiting for its end", async () => {
    await writeFile(log, text(0, 400_000));
    await writeFile(join(folder, "small.log"), "small\n");
    const intake = await start({ paths: [join(folder, "*")] });
    await run!.look();
    expect(intake.texts.filter((line) => line !== "small")).toEqual(lines(0, 400_000));
    const small = intake.accepts.findIndex((accept) => accept.stream.endsWith("small.log"));
    expect(small).toBeGreaterThanOrEqual(0);
    expect(small).toBeLessThan(intake.accepts.length / 2);
  });

  test("other compressions are reported once and left alone", async () => {
    await writeFile(`${log}.xz`, "\xfd7zXZ\n");
    const intake = await start({ paths: [join(folder, "*")] });
    await run!.look(3);
    expect([intake.records, run!.warnings]).toEqual([[], ["compression_unsupported"]]);
  });

  test("while the intake is full nothing is lost or reordered", async () => {
    await writeFile(log, text(0, 3));
    const intake = new RecordingIntake();
    intake.refuse = 5;
    await start({}, intake);
    await run!.look(6);
    expect(intake.texts).toEqual(lines(0, 3));
  });
});

describe("exact bytes", () => {
  const bytes = async (content: Buffer, config: object = {}) => {
    await writeFile(log, content);
    const intake = await start({ follow: false, ...config });
    return intake.records.map((record) => Buffer.from(record.body));
  };

  test("a 10 MB line: 64 KiB and the hash, and the next line is whole", async () => {
    const long = Buffer.alloc(10 * 1024 * 1024, "x");
    const intake = await (async () => {
      await writeFile(log, Buffer.concat([Buffer.from("before\n"), long, Buffer.from("\nafter\n")]));
      return start();
    })();
    expect(intake.records.map((record) => record.body.length)).toEqual([6, 65_536, 5]);
    expect(intake.records[1]!.flaw?.code).toBe("too_long");
    expect(intake.records[1]!.flaw?.expected).toContain(createHash("sha256").update(long).digest("hex"));
    expect(intake.records.map((record) => record.position.split(":")[1])).toEqual(["0", "7", String(8 + long.length)]);
  });

  test("a line of just the cap is whole, one byte more is cut", async () => {
    await writeFile(log, `${"a".repeat(1_000)}\n${"b".repeat(1_001)}\r\n${"c".repeat(1_000)}\r\n`);
    const intake = await start({ follow: false, max_line_bytes: 1_000 });
    expect(intake.records.map((record) => record.flaw?.code)).toEqual([undefined, "too_long", undefined]);
  });

  test("CR LF, blank lines, invalid UTF-8, NUL and lone CR", async () => {
    const content = Buffer.from("a\r\n\r\n\nb\rc\n\xff\xfe\x00\x80\n", "latin1");
    expect((await bytes(content)).map((body) => body.toString("latin1"))).toEqual(["a", "", "", "b\rc", "\xff\xfe\x00\x80"]);
  });

  test.each([
    ["utf-16le", (text: string) => Buffer.from(`\ufeff${text}`, "utf16le")],
    ["utf-16be", (text: string) => Buffer.from(`\ufeff${text}`, "utf16le").swap16()],
    ["utf-8 with a mark", (text: string) => Buffer.from(`\ufeff${text}`)],
  ])("%s", async (_, encode) => {
    const content = encode("grüße\r\nਊ ഊ Ċ\nlast");
    expect((await bytes(content)).map(String)).toEqual(["grüße", "ਊ ഊ Ċ", "last"]);
  });

  test("UTF-16 goes on after a restart", async () => {
    await writeFile(log, Buffer.from("\ufeffone\r\n", "utf16le"));
    const intake = await start();
    await appendFile(log, Buffer.from("two\r\n", "utf16le"));
    await restart(intake);
    expect(intake.texts).toEqual(["one", "two"]);
  });

  test("a last line without line end comes after the quiet time, once; its rest is a record of its own", async () => {
    await writeFile(log, "one\ntwo");
    const intake = await start({ quiet_ms: 3_000 });
    await run!.look(2);
    expect(intake.texts).toEqual(["one"]);
    await run!.look(3);
    expect(intake.texts).toEqual(["one", "two"]);
    await appendFile(log, "\nthree");
    await run!.look(5);
    await restart(intake, { quiet_ms: 3_000 });
    await appendFile(log, " and more\r\nfour\n");
    await run!.look();
    expect(intake.texts).toEqual(["one", "two", "three", " and more", "four"]);
  });

  test.each([
    ["gz", gzipSync],
    ["zst", zstdCompressSync],
  ] as const)("a .%s file is read once, from its start", async (suffix, compress) => {
    await writeFile(`${log}.${suffix}`, compress(Buffer.from(text(0, 20_000))));
    const config = { paths: [join(folder, "*")], quiet_ms: 0 };
    const intake = await start(config);
    await run!.look(3);
    await restart(intake, config);
    await run!.look(3);
    expect(intake.texts).toEqual(lines(0, 20_000));
  });

  test("a rotated file that is compressed afterwards is not read again", async () => {
    const config = { paths: [join(folder, "*")], quiet_ms: 0 };
    await writeFile(log, text(0, 300));
    const intake = await start(config);
    await run!.stop();
    await writeFile(`${log}.1.gz`, gzipSync(Buffer.from(text(0, 303))));
    await unlink(log);
    await start(config, intake);
    await run!.look(3);
    expect(intake.texts).toEqual(lines(0, 303));
  });

  test("damaged compression: what could be read, then a dead letter", async () => {
    const whole = gzipSync(Buffer.from(text(0, 20_000)));
    await writeFile(`${log}.gz`, whole.subarray(0, whole.length - 100));
    const intake = await start({ paths: [`${log}.gz`], follow: false });
    expect(intake.records.length).toBeGreaterThan(1_000);
    expect(intake.records.at(-1)!.flaw?.code).toBe("bad_encoding");
  });
});

describe("preambles", () => {
  const zeek = "#separator \\x09\n#fields\tts\tuid\n";
  test("a Zeek header explains every batch, is no record, and is known after a restart", async () => {
    await writeFile(log, `${zeek}1\ta\n`);
    const intake = await start();
    await appendFile(log, "2\tb\n");
    await restart(intake);
    await appendFile(log, "#close\t2026\n");
    await run!.look();
    expect(intake.texts).toEqual(["1\ta", "2\tb", "#close\t2026"]);
    expect(new Set(intake.accepts.map((accept) => accept.preamble))).toEqual(new Set([zeek.trimEnd()]));
  });

  test("a header that comes later replaces the first", async () => {
    await writeFile(log, `${zeek}1\ta\n#close\n#separator ,\n#fields,ts\n9\n`);
    const intake = await start();
    expect(intake.accepts.map((accept) => [accept.preamble, accept.records.map((record) => String(record.body))])).toEqual([
      [zeek.trimEnd(), ["1\ta", "#close"]],
      ["#separator ,\n#fields,ts", ["9"]],
    ]);
    await appendFile(log, "10\n");
    await restart(intake);
    expect(intake.accepts.at(-1)!.preamble).toBe("#separator ,\n#fields,ts");
  });

  test("headers without end: from some thousand on they are lines like any other, none is lost", async () => {
    await writeFile(log, Array.from({ length: 1_500 }, (_, i) => `#fields\t${i}\n${i}\n`).join(""));
    const intake = await start();
    await run!.look();
    const kept = new Set([...intake.accepts.map((accept) => accept.preamble), ...intake.texts]);
    for (let i = 0; i < 1_500; i++) expect([kept.has(`#fields\t${i}`), kept.has(`${i}`)]).toEqual([true, true]);
    expect(intake.accepts.length).toBeLessThan(1_010);
  });

  test("a header written in pieces", async () => {
    await writeFile(log, "#separator \\x09\n#fie");
    const intake = await start();
    await appendFile(log, "lds\tts\tuid\n");
    await run!.look();
    await appendFile(log, "1\ta\n");
    await run!.look();
    expect(intake.accepts.map((accept) => accept.preamble)).toEqual([zeek.trimEnd()]);
  });

  test("comments at the start are a preamble and records too: nothing is swallowed", async () => {
    await writeFile(log, "# my notes\n# more\ntext\n");
    const intake = await start();
    expect(intake.texts).toEqual(["# my notes", "# more", "text"]);
    expect(intake.accepts[0]!.preamble).toBe("# my notes\n# more");
  });

  test("from the end, the header is still known", async () => {
    await writeFile(log, `${zeek}1\ta\n`);
    const intake = await start({ from: "end" });
    await appendFile(log, "2\tb\n");
    await run!.look();
    expect(intake.texts).toEqual(["2\tb"]);
    expect(intake.accepts.at(-1)!.preamble).toBe(zeek.trimEnd());
  });
});

describe("JSON documents across lines", () => {
  const items = Array.from({ length: 50 }, (_, i) => ({ n: i, deep: { text: `}]{[",${i}` } }));
  const read = async (content: string, config: object = {}) => {
    await writeFile(log, content);
    return (await start({ follow: false, ...config })).records.map((record) => record.flaw?.code ?? JSON.parse(String(record.body)));
  };
  test.each([
    ["a pretty array", JSON.stringify(items, null, 2)],
    ["an array on one line", JSON.stringify(items)],
    ["CloudTrail's Records", `${JSON.stringify({ Records: items, more: [1, "]}"] }, null, 1)}\n`],
    ["Records on one line", JSON.stringify({ Records: items })],
    ["one object a line", items.map((item) => JSON.stringify(item)).join("\n")],
    ["pretty objects one after another", items.map((item) => JSON.stringify(item, null, 2)).join("\n")],
  ])("%s", async (_, content) => {
    expect(await read(content)).toEqual(items);
  });

  test("an array that grows is read on, also after a restart", async () => {
    await writeFile(log, '[\n{"n":1},\n{"n":2}');
    const intake = await start();
    await appendFile(log, ',\n{"n":3},{"n"');
    await restart(intake);
    await appendFile(log, ":4}]\n");
    await restart(intake);
    expect(intake.texts).toEqual(['{"n":1}', '{"n":2}', '{"n":3}', '{"n":4}']);
  });

  test("too deep and too long items are dead letters; those around them are not", async () => {
    const deep = `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    const long = `{"a":"${"x".repeat(3_000_000)}"}`;
    expect(await read(`[\n{"n":1},\n${deep},\n{"n":2},\n${long},\n{"n":3}\n]`)).toEqual([
      { n: 1 },
      "too_deep",
      { n: 2 },
      "too_long",
      { n: 3 },
    ]);
  });

  test("a deep line of NDJSON is a dead letter", async () => {
    expect(await read(`{"n":1}\n{"a":${"[".repeat(100)}${"]".repeat(100)}}\n{"n":2}\n`)).toEqual([{ n: 1 }, "too_deep", { n: 2 }]);
  });

  test("what stops being JSON is read as lines from there; lines that begin with a bracket are lines", async () => {
    await writeFile(log, '[\n{"n":1},\n{oops}\nrest\n');
    const intake = await start({ follow: false });
    expect(intake.texts).toEqual(['{"n":1}', "{oops}", "rest"]);
    await writeFile(log, "[Wed Oct 11] error\n[Wed Oct 12] error\n");
    expect((await start({ follow: false })).texts).toEqual(["[Wed Oct 11] error", "[Wed Oct 12] error"]);
  });
});
