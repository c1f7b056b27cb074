import { once } from "node:events";
import { rmSync } from "node:fs";
import { connect as connectPlain } from "node:net";
import { dirname } from "node:path";
import { connect } from "node:tls";
import { systemClock } from "@vedette/kit";
import { afterAll, expect, test } from "vitest";
import type { Address } from "./address.ts";
import { certificateFiles } from "./certificate.fixture.ts";
import { RecordingIntake } from "./recording.fixture.ts";
import { listenTcp } from "./syslog/tcp.ts";
import { listen, piecesOf } from "./tcp.ts";

const files = certificateFiles();
afterAll(() => rmSync(dirname(files.cert_file), { recursive: true }));

/** Listens by TLS and gathers what each connection says. */
async function start(tls = { cert_file: files.cert_file, key_file: files.key_file }) {
  const said: string[] = [];
  const warned = new Map<string, () => void>();
  const stop = new AbortController();
  const bound = Promise.withResolvers<Address>();
  const warning = (code: string) => new Promise<void>((resolve) => warned.set(code, resolve));
  const ended = listen(
    { name: "test TLS", address: { host: "127.0.0.1", port: 0 }, tls, maxConnections: 10, idle_ms: 60_000, listening: bound.resolve },
    { name: "test", intake: new RecordingIntake(), clock: systemClock, warn: (code) => warned.get(code)?.(), signal: stop.signal },
    async (socket) => {
      let text = "";
      for await (const piece of piecesOf(socket, { name: "test" }, { warn: () => {} })) text += Buffer.from(piece).toString();
      said.push(text);
    },
  );
  const { port } = await Promise.race([bound.promise, ended.then(() => bound.promise)]);
  const end = () => {
    stop.abort();
    return ended;
  };
  return { port, said, warning, stop: end };
}

test("who trusts the certificate is heard, who does not says nothing, who speaks in the clear is reported", async () => {
  const { port, said, warning, stop } = await start();
  const at = { port, host: "127.0.0.1", servername: "localhost" };
  const trusting = connect({ ...at, ca: files.pem });
  await once(trusting, "secureConnect");
  trusting.end("by TLS");
  await once(trusting, "close");
  const wary = connect(at);
  expect((await once(wary, "error"))[0]).toMatchObject({ code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
  const failed = warning("plain_to_tls");
  const plain = connectPlain(port, "127.0.0.1");
  plain.on("error", () => {});
  plain.end("<13>in the clear\n");
  await failed;
  await stop();
  expect(said.filter((text) => text !== "")).toEqual(["by TLS"]);
});

test("a connection that never ends its handshake does not keep the listener from stopping", async () => {
  const { port, stop } = await start();
  const silent = connectPlain(port, "127.0.0.1");
  silent.on("error", () => {});
  await once(silent, "connect");
  const closed = once(silent, "close");
  await stop();
  await closed;
});

test("files that are missing are an error that may pass", async () => {
  await expect(start({ cert_file: "/nowhere/cert.pem", key_file: files.key_file })).rejects.toMatchObject({
    code: "source_unavailable",
    permanent: false,
  });
});

test.each([
  ["tls_to_plain", Buffer.from("1603010200010001fc0303", "hex"), 1],
  ["http_to_plain", Buffer.from("POST /_bulk HTTP/1.1\r\nHost: a\r\n\r\n"), 2],
  ["octet_count_mismatch", Buffer.from("8 <13>longer\n10 <13>sixteen\n"), 4],
])("a sender of plain syslog that does otherwise is told of: %s", async (code, bytes, records) => {
  const [intake, stop, bound] = [new RecordingIntake(), new AbortController(), Promise.withResolvers<Address>()];
  const warned = Promise.withResolvers<string>();
  const options = {
    name: "syslog TCP",
    address: { host: "127.0.0.1", port: 0 },
    maxMessageBytes: 1_000,
    maxConnections: 2,
    idle_ms: 60_000,
  };
  const warn = (told: string) => warned.resolve(told);
  const ended = listenTcp(
    { ...options, listening: bound.resolve },
    { name: "test", intake, clock: systemClock, warn, signal: stop.signal },
  );
  const socket = connectPlain((await bound.promise).port, "127.0.0.1");
  socket.on("error", () => {});
  socket.resume();
  socket.end(bytes);
  await once(socket, "close");
  expect(await warned.promise).toBe(code);
  stop.abort();
  await ended;
  expect(intake.texts.length).toBe(records);
});
