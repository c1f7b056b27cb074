import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { systemClock } from "@vedette/kit";
import { describe, expect, test } from "vitest";
import type { Address } from "../address.ts";
import { RecordingIntake } from "../recording.fixture.ts";
import { syslogDatagrams } from "../syslog/datagrams.ts";
import { listenTcp } from "../syslog/tcp.ts";
import { DatagramQueue, listenUdp } from "../udp.ts";
import syslog from "./syslog.ts";

/** Calls back as soon as so many records were accepted. */
class CountingIntake extends RecordingIntake {
  #wanted: { readonly count: number; readonly resolve: () => void } | undefined;
  override async accept(...args: Parameters<RecordingIntake["accept"]>) {
    const accepted = await super.accept(...args);
    if (this.#wanted !== undefined && this.records.length >= this.#wanted.count) this.#wanted.resolve();
    return accepted;
  }
  reached(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wanted = { count, resolve };
      if (this.records.length >= count) resolve();
    });
  }
}

const context = (intake: RecordingIntake, signal: AbortSignal, warnings: string[] = []) => ({
  name: "test",
  intake,
  clock: systemClock,
  warn: (code: string) => void warnings.push(code),
  signal,
});
const tcpLimits = { maxMessageBytes: 1_000, maxConnections: 2, idle_ms: 60_000 };
const loopback = { host: "127.0.0.1", port: 0 };

describe("TCP", () => {
  const start = async (intake: RecordingIntake, warnings: string[] = []) => {
    const stop = new AbortController();
    const bound = Promise.withResolvers<Address>();
    const ended = listenTcp(
      { name: "syslog TCP", address: loopback, ...tcpLimits, listening: bound.resolve },
      context(intake, stop.signal, warnings),
    );
    const { port } = await bound.promise;
    const end = () => {
      stop.abort();
      return ended;
    };
    return { port, stop: end };
  };

  test("messages of connections, with the sender's address and their own positions", async () => {
    const intake = new CountingIntake();
    const { port, stop } = await start(intake);
    for (const text of ["<13>one\n8 <13>two ", "<14>three"]) connect(port, "127.0.0.1").end(text);
    await intake.reached(3);
    await stop();
    expect([...intake.texts].sort()).toEqual(["<13>one", "<13>two ", "<14>three"]);
    expect(intake.distinct.size).toBe(3);
    expect(intake.records.every((record) => record.peer === "127.0.0.1")).toBe(true);
  });

  test("while the intake is full the connection waits and loses nothing", async () => {
    const intake = new CountingIntake();
    intake.refuse = 2;
    const { port, stop } = await start(intake);
    const text = Array.from({ length: 5_000 }, (_, i) => `<13>message ${i}\n`).join("");
    connect(port, "127.0.0.1").end(text);
    await intake.reached(5_000);
    await stop();
    expect(intake.texts.join("\n")).toBe(text.trimEnd());
  });

  test("more connections than allowed are closed and reported", async () => {
    const warnings: string[] = [];
    const { port, stop } = await start(new RecordingIntake(), warnings);
    const sockets = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    const third = connect(port, "127.0.0.1");
    third.on("error", () => {});
    await once(third, "close");
    expect(warnings).toEqual(["too_many_connections"]);
    for (const socket of sockets) socket.destroy();
    await stop();
  });

  test("a connection that breaks ends that connection only", async () => {
    const intake = new CountingIntake();
    const { port, stop } = await start(intake);
    const broken = connect(port, "127.0.0.1");
    broken.write("<13>before\n");
    await intake.reached(1);
    broken.resetAndDestroy();
    connect(port, "127.0.0.1").end("<13>after\n");
    await intake.reached(2);
    await stop();
    expect(intake.texts).toEqual(["<13>before", "<13>after"]);
  });

  test("a port that is taken is an error that may pass", async () => {
    const { port, stop } = await start(new RecordingIntake());
    const config = syslog.config.parse({ tcp: `127.0.0.1:${port}`, udp: "127.0.0.1:0" });
    const run = syslog.run({ ...context(new RecordingIntake(), new AbortController().signal), positions: new Map(), config });
    await expect(run).rejects.toMatchObject({ code: "source_unavailable", permanent: false });
    await stop();
  });
});

describe("UDP", () => {
  test("a datagram is a message, whatever is in it", async () => {
    const intake = new CountingIntake();
    const stop = new AbortController();
    const bound = Promise.withResolvers<Address>();
    const options = { name: "syslog UDP", address: loopback, reader: syslogDatagrams(systemClock), listening: bound.resolve };
    const ended = listenUdp({ ...options, queueBytes: 1_000_000 }, context(intake, stop.signal));
    const { port } = await bound.promise;
    const sender = createSocket("udp4");
    for (const text of ["<13>one\n", "<13>two\nlines\0", "", "\n"]) sender.send(text, port, "127.0.0.1");
    await intake.reached(2);
    stop.abort();
    await ended;
    sender.close();
    expect(intake.texts).toEqual(["<13>one", "<13>two\nlines"]);
    expect(intake.records.every((record) => record.peer === "127.0.0.1")).toBe(true);
    expect(intake.distinct.size).toBe(2);
  });

  test("the queue is bounded and counts what it drops", () => {
    const queue = new DatagramQueue(3_000);
    for (let i = 0; i < 10; i++) queue.push({ bytes: Buffer.alloc(800), peer: "192.0.2.1" });
    expect([queue.length, queue.dropped]).toEqual([3, 7]);
    expect(queue.take().length).toBe(3);
    queue.push({ bytes: Buffer.alloc(800), peer: "192.0.2.1" });
    expect([queue.length, queue.dropped]).toEqual([1, 7]);
  });

  test("what the queue had no room for is told to the ledger", async () => {
    const intake = new CountingIntake();
    const stop = new AbortController();
    const bound = Promise.withResolvers<Address>();
    const options = { name: "syslog UDP", address: loopback, reader: syslogDatagrams(systemClock), listening: bound.resolve };
    const ended = listenUdp({ ...options, queueBytes: 650 }, context(intake, stop.signal));
    const { port } = await bound.promise;
    const sender = createSocket("udp4");
    // the second has no room in any queue of that size
    sender.send("<13>fits", port, "127.0.0.1");
    sender.send(`<13>${"x".repeat(500)}`, port, "127.0.0.1");
    sender.send("<13>fits too", port, "127.0.0.1");
    await intake.reached(2);
    stop.abort();
    await ended;
    sender.close();
    expect([intake.texts, intake.lost]).toEqual([["<13>fits", "<13>fits too"], { queue_full: 1 }]);
  });
});

test.each([
  [{}, false],
  [{ udp: "127.0.0.1:5514" }, true],
  [{ tcp: "[::1]:5514" }, true],
  [{ tcp: ":5514" }, true],
  [{ tcp: "0.0.0.0:5514" }, false],
  [{ tcp: "0.0.0.0:5514", allow_remote: true }, true],
  [{ tcp: "127.0.0.1:5514", udp: "10.0.0.1:5514" }, false],
  [{ tcp: "127.evil.example:5514" }, false],
  [{ tcp: "127.0.0.1:99999" }, false],
  [{ tcp: "5514" }, false],
  [{ tls: { listen: "10.0.0.1:6514", cert_file: "c", key_file: "k" } }, true],
  [{ tls: { listen: "10.0.0.1:6514", cert_file: "c" } }, false],
])("addresses: %j", (config, fine) => expect(syslog.config.safeParse(config).success).toBe(fine));
