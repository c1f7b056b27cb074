import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { contextOf, sendable } from "../receiver.fixture.ts";
import syslog from "./syslog.ts";

let server: Server;
let sockets: Socket[];
let taken: Buffer[];
beforeEach(async () => {
  sockets = [];
  taken = [];
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.on("data", (part: Buffer) => {
      taken.push(part);
      server.emit("took");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(async () => {
  for (const one of sockets) one.destroy();
  if (server.listening) {
    server.close();
    await once(server, "close");
  }
});

const open = (more: object = {}) =>
  syslog.open(contextOf(syslog.config.parse({ host: "127.0.0.1", port: (server.address() as AddressInfo).port, tls: false, ...more })));

/** Octet-counted frames. */
function frames(bytes: Buffer): string[] {
  const all: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(0x20, at);
    const size = Number(bytes.toString("ascii", at, blank));
    if (!(size > 0) || blank + 1 + size > bytes.length) break;
    all.push(bytes.toString("utf8", blank + 1, blank + 1 + size));
    at = blank + 1 + size;
  }
  return all;
}
async function received(n: number): Promise<string[]> {
  for (;;) {
    const all = frames(Buffer.concat(taken));
    if (all.length >= n) return all;
    await once(server, "took");
  }
}
const signal = () => AbortSignal.timeout(60_000);

test("frames are counted in bytes and carry the id; one connection for many batches", async () => {
  const sink = await open();
  const records = sendable(3).map((one) => ({ ...one, body: `{"message":"ü ${one.id}"}` }));
  expect(await sink.send(records, signal())).toMatchObject({ outcome: "answered", refused: [] });
  expect(await sink.send(records.slice(0, 1), signal())).toMatchObject({ outcome: "answered" });
  const all = await received(4);
  expect(sockets).toHaveLength(1);
  expect(all[0]).toBe(
    `<107>1 2026-11-21T08:30:00.123456Z login1 vedette - alert [vedette@32473 id="${records[0]!.id}"] ${records[0]!.body}`,
  );
  expect(all[1]).toMatch(/^<110>1 .* event \[vedette@32473 id="event-0"\] \{"message":"ü event-0"\}$/);
  await sink.close();
});

test("CEF where asked for; hostile names break no header", async () => {
  const sink = await open({ body: "cef" });
  const [record] = sendable(1);
  await sink.send([{ ...record!, host: "a b\n<1>1 ü", name: "x|y\nz" }], signal());
  const [line] = await received(1);
  expect(line).toMatch(/ a_b_<1>1__ vedette - alert - CEF:0\|Vedette\|Vedette\|1\.2\.3\|brute_force\|x\\\|y z\|8\|/);
  await sink.close();
});

test("what is too large is refused alone", async () => {
  const sink = await open({ max_message_bytes: 1_024 });
  const records = sendable(3).map((one, i) => ({ ...one, body: i === 1 ? `"${"x".repeat(2_000)}"` : "{}" }));
  expect(await sink.send(records, signal())).toMatchObject({ outcome: "answered", refused: [{ index: 1 }] });
  expect(await received(2)).toHaveLength(2);
  await sink.close();
});

test("a receiver that closes is dialled again; one that is gone, or does not read, is unavailable", async () => {
  const sink = await open({ timeout_s: 0.3 });
  await sink.send(sendable(1), signal());
  await received(1);
  const closed = once(sockets[0]!, "close");
  sockets[0]!.destroy();
  await closed;
  // bytes may go into a connection whose end nobody has heard of yet: sooner or later it shows, and then a new one is made
  while (sockets.length === 1) await sink.send(sendable(1), signal());
  expect(sockets).toHaveLength(2);
  sockets[1]!.pause();
  const much = sendable(1).map((one) => ({ ...one, body: "x".repeat(100_000) }));
  let last = await sink.send(much, signal());
  while (last.outcome === "answered") last = await sink.send(much, signal());
  expect(last).toMatchObject({ outcome: "unavailable", reason: expect.stringContaining("not taken within 0.3 s") });
  for (const one of sockets) one.destroy();
  server.close();
  await once(server, "close");
  expect(await sink.send(sendable(1), signal())).toMatchObject({ outcome: "unavailable", reason: expect.stringContaining("ECONNREFUSED") });
  await sink.close();
});
