import fc from "fast-check";
import { expect, test } from "vitest";
import { Batch } from "../batch.ts";
import { LineCutter } from "../lines.ts";
import { readStream } from "../stream_reader.ts";
import { syslogDatagrams } from "../syslog/datagrams.ts";
import { SyslogCutter } from "../syslog/framing.ts";

const record = (type: string, id: number, rest = "x=1", time = "1364481363.243") => `type=${type} msg=audit(${time}:${id}): ${rest}`;
const [syscall, execve, cwd, path, proctitle] = ["SYSCALL", "EXECVE", "CWD", "PATH", "PROCTITLE"].map(
  (type) => (id: number) => record(type, id),
) as [typeof one, typeof one, typeof one, typeof one, typeof one];
const one = (id: number) => record("SYSCALL", id);
const login = (id: number) => record("USER_LOGIN", id);
const whole = (id: number) => [syscall(id), execve(id), cwd(id), path(id), path(id), proctitle(id)];
const text = (records: readonly { readonly body: Uint8Array }[]) => records.map(({ body }) => Buffer.from(body).toString());
const cutter = () => new LineCutter({ token: "t", maxBytes: 4_096 });

function cut(lines: readonly string[], final = true): string[] {
  const batch = new Batch();
  cutter().cut(Buffer.from(`${lines.join("\n")}\n`), 0, batch, final);
  return text(batch.records);
}

test("the records of an event are one record, with its first line's position", () => {
  const batch = new Batch();
  const lines = [login(1), ...whole(2), login(3), ...whole(4)];
  cutter().cut(Buffer.from(`${lines.join("\r\n")}\r\n`), 0, batch, false);
  expect(text(batch.records)).toEqual([login(1), whole(2).join("\n"), login(3), whole(4).join("\n")]);
  expect(batch.records[1]!.position).toBe(`t:${login(1).length + 2}`);
});

test("events among one another, other lines between them", () => {
  const mixed = [syscall(1), syscall(2), execve(1), "a line", login(9), execve(2), proctitle(2), cwd(1), proctitle(1), login(10)];
  expect(cut(mixed)).toEqual([
    [syscall(1), execve(1), cwd(1), proctitle(1)].join("\n"),
    [syscall(2), execve(2), proctitle(2)].join("\n"),
    "a line",
    login(9),
    login(10),
  ]);
});

test("an event that has no last record is over two seconds later, or 256 lines later", () => {
  const later = record("SYSCALL", 2, "x=1", "1364481365.243");
  expect(cut([syscall(1), cwd(1), later, path(1)])).toEqual([[syscall(1), cwd(1)].join("\n"), later, path(1)]);
  const many = Array.from({ length: 256 }, (_, i) => login(100 + i));
  expect(cut([syscall(1), ...many.slice(1), cwd(1)])[0]).toBe([syscall(1), cwd(1)].join("\n"));
  expect(cut([syscall(1), ...many, cwd(1)])[0]).toBe(syscall(1));
});

test("what the kernel may say by itself waits for one line only", () => {
  const avc = record("AVC", 1);
  expect(cut([avc, syscall(1), proctitle(1)])).toEqual([[avc, syscall(1), proctitle(1)].join("\n")]);
  expect(cut([avc, login(2), syscall(1), proctitle(1)])).toEqual([avc, login(2), [syscall(1), proctitle(1)].join("\n")]);
});

test("an unfinished event waits, and is taken as it is when it has waited long enough", () => {
  const lines = cutter();
  const bytes = Buffer.from([login(1), syscall(2), cwd(2), ""].join("\n"));
  const batch = new Batch();
  const consumed = lines.cut(bytes, 0, batch, false);
  expect([text(batch.records), consumed, lines.holding]).toEqual([[login(1)], login(1).length + 1, true]);
  lines.settle();
  const rest = new Batch();
  lines.cut(bytes.subarray(consumed), consumed, rest, false);
  expect([text(rest.records), lines.holding]).toEqual([[[syscall(2), cwd(2)].join("\n")], false]);
});

test("the events of two hosts are two, also behind a syslog header", () => {
  const from = (host: string, second: number, line: string) => `<13>Jan  1 00:00:0${second} ${host} audispd[17]: ${line}`;
  const a = [from("n01", 1, syscall(1)), from("n01", 2, proctitle(1))];
  const b = [from("n02", 1, syscall(1)), from("n02", 2, proctitle(1))];
  const batch = new Batch();
  const lines = new SyslogCutter({ token: "t", maxBytes: 4_096, peer: undefined });
  lines.cut(Buffer.from(`${[a[0], b[0], a[1], b[1]].join("\n")}\n`), 0, batch, false);
  expect(text(batch.records)).toEqual([a.join("\n"), b.join("\n")]);
  const counted = new Batch();
  lines.cut(Buffer.from(a.map((line) => `${line.length} ${line}`).join("")), 0, counted, false);
  expect(text(counted.records)).toEqual([a.join("\n")]);
});

test("datagrams", () => {
  const reader = syslogDatagrams({ now: () => 0 } as Parameters<typeof syslogDatagrams>[0]);
  const take = (line: string, peer = "192.0.2.1") => text([...reader.records({ bytes: Buffer.from(line), peer })]);
  expect([take(syscall(1)), take(syscall(1), "192.0.2.2"), take("<1>other"), take(execve(1))]).toEqual([[], [], ["<1>other"], []]);
  expect(take(proctitle(1))).toEqual([[syscall(1), execve(1), proctitle(1)].join("\n")]);
  expect([reader.holding, text([...reader.settle!()]), reader.holding]).toEqual([true, [syscall(1)], false]);
  take(syscall(2));
  const others = Array.from({ length: 255 }, (_, i) => take(login(100 + i))).flat();
  expect(others.at(-1)).toBe(syscall(2));
});

const anyLine = fc.oneof(
  fc.constantFrom("", "other", "#fields\ta", `type=SYSCALL msg=audit(1.000:1): ${"x".repeat(400)}`),
  fc
    .tuple(
      fc.constantFrom("SYSCALL", "EXECVE", "PROCTITLE", "EOE", "AVC", "USER_LOGIN"),
      fc.integer({ min: 0, max: 3 }),
      fc.nat({ max: 5 }),
    )
    .map(([type, id, second]) => record(type, id, "x=1", `${second}.000`)),
);

test("how the bytes come in pieces decides nothing, and every line comes out once", async () => {
  const pour = async (bytes: Buffer, length: number) => {
    const records: string[] = [];
    const lines = new LineCutter({ token: "t", maxBytes: 300 });
    async function* pieces() {
      for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
    }
    const deliver = async (batch: Batch) => {
      for (const { position, body } of batch.records) records.push(`${position} ${Buffer.from(body).toString()}`);
      return true;
    };
    await readStream(pieces(), { cutter: () => lines, deliver });
    return records;
  };
  await fc.assert(
    fc.asyncProperty(fc.array(anyLine, { maxLength: 40 }), fc.integer({ min: 1, max: 200 }), async (lines, length) => {
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
      const all = await pour(bytes, bytes.length + 1);
      expect(await pour(bytes, length)).toEqual(all);
      const wanted = lines.filter((line) => !line.startsWith("#") && line.length < 300).sort();
      const got = all.flatMap((one) => one.slice(one.indexOf(" ") + 1).split("\n"));
      expect(got.filter((line) => !line.startsWith("#") && line.length < 300).sort()).toEqual(wanted);
    }),
  );
});
