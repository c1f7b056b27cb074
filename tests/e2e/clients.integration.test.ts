/** Unchanged clients of other makers against a running Vedette that is killed and started again under them. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Admin, Producer } from "@platformatic/kafka";
import { afterAll, describe, expect, test } from "vitest";
import { certificateFiles } from "../../packages/ingest/src/certificate.fixture.ts";
import { client, Kafka, Program, present, pythonPath, SteadyVedette, stored, tally } from "./clients.ts";
import { freePort } from "./free_port.ts";
import { settledLedger } from "./vedette.ts";

const folder = mkdtempSync(join(tmpdir(), "vedette-clients-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function withVedette(config: string, use: (v: SteadyVedette) => Promise<void>): Promise<void> {
  const v = new SteadyVedette(config);
  try {
    await v.start();
    await use(v);
    for (const { name, balance } of await settledLedger(v)) expect([name, balance]).toEqual([name, 0]);
  } finally {
    await v.remove();
  }
}
const numbered = (text: string): number => Number(/\bn=(\d+)\b/.exec(text)?.[1] ?? -1);
const nothing = { missing: [], twice: [] };
const docs = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({ message: `n=${from + i}`, "@timestamp": "2026-11-21T06:00:00Z" }));

interface BulkClient {
  bulk(request: {
    readonly operations?: readonly object[];
    readonly body?: readonly object[];
  }): Promise<{ errors?: boolean; body?: { errors: boolean } }>;
}
const script = `
import sys, time
from elasticsearch import Elasticsearch, helpers
url, token = sys.argv[1:]
es = Elasticsearch(url, basic_auth=("vedette", token), max_retries=0, request_timeout=30)
sent = 0
while sent < 2000:
    try:
        helpers.bulk(es, [{"_op_type": "create", "_index": "python", "_id": "p%d" % n, "message": "n=%d" % n} for n in range(sent, sent + 100)], raise_on_error=False)
        sent += 100
        print("sent %d" % sent, flush=True)
    except Exception:
        time.sleep(0.2)
`;

/** Sends until everything is acknowledged; what is not is sent again, as a client does. */
async function sendByClient(
  v: SteadyVedette,
  name: string,
  member: "operations" | "body",
  reached: (sent: number) => Promise<void>,
): Promise<void> {
  const { Client } = client(name) as { Client: new (options: object) => BulkClient };
  const sender = new Client({ node: v.url, auth: { username: "vedette", password: v.token }, maxRetries: 0, requestTimeout: 30_000 });
  for (let sent = 0; sent < 2_000; ) {
    const body = docs(sent, 100).flatMap((doc, i) => [{ create: { _index: name.slice(1, 5), _id: `d${sent + i}` } }, doc]);
    try {
      await sender.bulk({ [member]: body });
      sent += 100;
    } catch {
      // refused or cut off: it may have been taken all the same
    }
    await reached(sent);
  }
}

describe.skipIf(!present.npm || !present.python)("clients of Elasticsearch and OpenSearch", () => {
  test("documents with ids, sent until they are acknowledged, are there once, whoever sends them and whatever dies", async () => {
    const file = join(folder, "send.py");
    writeFileSync(file, script);
    await withVedette("", async (v) => {
      const python = new Program("python3", [file, v.url, v.token], { env: { PYTHONPATH: pythonPath } });
      await python.says(/sent 700/);
      // killed while both of the others are at it
      let restarted: Promise<void> | undefined;
      const reached = async (sent: number) => {
        if (sent >= 700) restarted ??= v.killAndStart();
        await restarted;
      };
      await Promise.all([
        sendByClient(v, "@elastic/elasticsearch", "operations", reached),
        sendByClient(v, "@opensearch-project/opensearch", "body", reached),
      ]);
      expect([await python.ended, python.said.slice(-500)]).toMatchObject([0, expect.stringContaining("sent 2000")]);
      await settledLedger(v);
      const times = new Map<number, number>();
      for (const { original } of await v.events<{ original: string }>("")) {
        const n = numbered(original);
        if (n >= 0) times.set(n, (times.get(n) ?? 0) + 1);
      }
      expect([times.size, [...times].filter(([, count]) => count !== 3)]).toEqual([2_000, []]);
    });
  });
});

describe.skipIf(!present.rsyslog)("rsyslog", () => {
  test("omelasticsearch by ids: once; omfwd octet-counted over TCP and TLS: it goes on after a restart, and what was durable is there once", async () => {
    const { cert_file, key_file } = certificateFiles();
    const [tcp, tls] = [await freePort(), await freePort()];
    const config = `sources:\n  plain: { syslog: { tcp: "127.0.0.1:${tcp}" } }\n  secure: { syslog: { tls: { listen: "127.0.0.1:${tls}", cert_file: "${cert_file}", key_file: "${key_file}" } } }\n`;
    const input = join(folder, "input.log");
    writeFileSync(input, "");
    await withVedette(config, async (v) => {
      const rsyslog = join(folder, "rsyslog.conf");
      writeFileSync(rsyslog, rsyslogConfig({ input, tcp, tls, http: Number(new URL(v.url).port), token: v.token, ca: cert_file }));
      const program = new Program("/usr/sbin/rsyslogd", ["-n", "-f", rsyslog, "-i", join(folder, "rsyslog.pid")]);
      try {
        const write = (from: number, to: number) => {
          for (let n = from; n < to; n++) appendFileSync(input, `<38>1 2026-11-21T06:00:00Z node1 app ${n} - - n=${n}\n`);
        };
        const sources = ["elasticsearch", "plain", "secure"];
        write(0, 500);
        for (const source of sources)
          await v.until(
            () => stored(v, source),
            (n) => n >= 500,
          );
        await v.kill();
        write(500, 1_000);
        await v.start();
        await v.until(
          () => stored(v, "elasticsearch"),
          (n) => n >= 1_000,
        );
        await v.until(
          () => stored(v, "plain"),
          (n) => n > 500,
        );
        await v.until(
          () => stored(v, "secure"),
          (n) => n > 500,
        );
      } finally {
        await program.stop();
      }
    });
  });
});

interface RsyslogOptions {
  readonly input: string;
  readonly tcp: number;
  readonly tls: number;
  readonly http: number;
  readonly token: string;
  readonly ca: string;
}
function rsyslogConfig({ input, tcp, tls, http, token, ca }: RsyslogOptions): string {
  const queue = (name: string) =>
    `queue.type="LinkedList" queue.filename="${name}" queue.saveOnShutdown="on" action.resumeRetryCount="-1" action.resumeInterval="1"`;
  return `global(workDirectory="${folder}" defaultNetstreamDriverCAFile="${ca}")
module(load="imfile" mode="inotify")
module(load="omelasticsearch")
input(type="imfile" File="${input}" Tag="app" Ruleset="out")
template(name="raw" type="string" string="%msg%")
template(name="document" type="list") { constant(value="{\\"message\\":\\"") property(name="msg" format="json") constant(value="\\"}") }
template(name="id" type="string" string="%msg:R,ERE,1,DFLT:n=([0-9]+)--end%")
ruleset(name="out") {
  action(type="omfwd" target="127.0.0.1" port="${tcp}" protocol="tcp" TCP_Framing="octet-counted" template="raw" ${queue("plain")})
  action(type="omfwd" target="localhost" port="${tls}" protocol="tcp" TCP_Framing="octet-counted" template="raw" StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="anon" ${queue("secure")})
  action(type="omelasticsearch" server="127.0.0.1" serverport="${http}" uid="vedette" pwd="${token}" searchIndex="logs" searchType="" bulkmode="on" dynBulkId="on" bulkid="id" writeoperation="create" template="document" ${queue("elastic")})
}
`;
}

describe.skipIf(!present.journal)("systemd-journal-upload", () => {
  test("a journal that is uploaded again after a crash is there once", async () => {
    const [exported, journal] = [join(folder, "entries.export"), join(folder, "entries.journal")];
    const stamp = (n: number) => 1_763_700_000_000_000 + n;
    const boot = "0123456789abcdef0123456789abcdef";
    writeFileSync(
      exported,
      Array.from(
        { length: 2_000 },
        (_, n) =>
          `__CURSOR=s=${boot};i=${n + 1};b=${boot};m=${n + 1};t=${n + 1};x=0\n__REALTIME_TIMESTAMP=${stamp(n)}\n__MONOTONIC_TIMESTAMP=${n + 1}\n_BOOT_ID=${boot}\n_HOSTNAME=node1\nSYSLOG_IDENTIFIER=app\nMESSAGE=n=${n}\n\n`,
      ).join(""),
    );
    expect(await new Program("/lib/systemd/systemd-journal-remote", ["-o", journal, exported]).ended).toBe(0);
    await withVedette("", async (v) => {
      const url = v.url.replace("//", `//vedette:${v.token}@`);
      const upload = () =>
        new Program("/lib/systemd/systemd-journal-upload", [
          `--url=${url}`,
          `--file=${journal}`,
          `--save-state=${join(folder, "state")}`,
          "--follow=no",
        ]);
      const first = upload();
      await v.until(
        () => stored(v, "journald").catch(() => 0),
        (n) => n > 0,
      );
      await v.killAndStart();
      await first.stop();
      // the state is only written once everything was answered for: as the service does, it begins again
      rmSync(join(folder, "state"), { force: true });
      const second = upload();
      expect([await second.ended, second.said]).toEqual([0, expect.anything()]);
      await settledLedger(v);
      expect(await tally(v, "", 2_000, numbered)).toEqual(nothing);
    });
  });
});

describe.skipIf(!present.softflowd)("softflowd", () => {
  test("flows by versions 5, 9 and 10 (IPFIX)", async () => {
    const capture = join(folder, "packets.pcap");
    writeFileSync(capture, packets());
    const versions = await Promise.all(["5", "9", "10"].map(async (version) => ({ version, port: await freePort() })));
    const config = versions.map(({ version, port }) => `  v${version}: { netflow: { udp: "127.0.0.1:${port}" } }\n`).join("");
    await withVedette(`sources:\n${config}`, async (v) => {
      for (const { version, port } of versions) {
        const control = join(folder, `${version}.ctl`);
        const args = ["-d", "-r", capture, "-n", `127.0.0.1:${port}`, "-v", version, "-c", control, "-p", join(folder, `${version}.pid`)];
        const softflowd = new Program("/usr/sbin/softflowd", args);
        // it looks at its capture only when it is spoken to
        await v.until(
          async () => {
            await new Program("/usr/sbin/softflowctl", ["-c", control, "expire-all"]).ended;
            return await stored(v, `v${version}`);
          },
          (n) => n >= 2,
        );
        await softflowd.stop();
      }
      const events = await v.events<{ fields: { [name: string]: unknown } }>("event.dataset:netflow.flow");
      const told = [
        "netflow.version",
        "source.ip",
        "source.port",
        "destination.ip",
        "destination.port",
        "network.transport",
        "source.packets",
      ];
      expect(events.map(({ fields }) => told.map((name) => fields[name]).join(" ")).toSorted()).toEqual(
        ["10", "5", "9"].flatMap((version) => [
          `${version} 192.0.2.7 40000 198.51.100.9 53 udp 5`,
          `${version} 198.51.100.9 53 192.0.2.7 40000 udp 3`,
        ]),
      );
    });
  });
});

/** A capture of eight datagrams, five one way and three the other (libpcap's format, Ethernet). */
function packets(): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(65_535, 16);
  head.writeUInt32LE(1, 20);
  const packet = (n: number, back: boolean) => {
    const [a, b] = [Buffer.from([192, 0, 2, 7]), Buffer.from([198, 51, 100, 9])];
    const udp = Buffer.alloc(28);
    udp.writeUInt16BE(back ? 53 : 40_000, 0);
    udp.writeUInt16BE(back ? 40_000 : 53, 2);
    udp.writeUInt16BE(28, 4);
    const ip = Buffer.concat([Buffer.from([0x45, 0, 0, 48, 0, n, 0, 0, 64, 17, 0, 0]), back ? b : a, back ? a : b]);
    let sum = 0;
    for (let i = 0; i < 20; i += 2) sum += ip.readUInt16BE(i);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    ip.writeUInt16BE(~sum & 0xffff, 10);
    const frame = Buffer.concat([Buffer.alloc(12, 2), Buffer.from([8, 0]), ip, udp]);
    const record = Buffer.alloc(16);
    record.writeUInt32LE(1_763_700_000 + n, 0);
    record.writeUInt32LE(frame.length, 8);
    record.writeUInt32LE(frame.length, 12);
    return Buffer.concat([record, frame]);
  };
  return Buffer.concat([head, ...[false, true, false, true, false, true, false, false].map((back, n) => packet(n, back))]);
}

// a JVM takes its time to start on a busy machine
describe.skipIf(!present.kafka)("Kafka", { timeout: 300_000 }, () => {
  test("messages of a topic are there once, though the group was not told before the crash", async () => {
    const kafka = new Kafka(join(folder, "kafka"));
    await kafka.start();
    try {
      const admin = new Admin({ clientId: "test", bootstrapBrokers: [kafka.broker] });
      await admin.createTopics({ topics: ["logs"], partitions: 3, replicas: 1 });
      await admin.close();
      const produce = async (from: number, count: number) => {
        const producer = new Producer({ clientId: "test", bootstrapBrokers: [kafka.broker] });
        await producer.send({
          messages: docs(from, count).map((doc, i) => ({ topic: "logs", partition: i % 3, value: Buffer.from(JSON.stringify(doc)) })),
        });
        await producer.close();
      };
      await withVedette(`sources: { topics: { kafka: { brokers: ["${kafka.broker}"], topics: [logs] } } }\n`, async (v) => {
        const count = (n: number) =>
          v.until(
            () => stored(v, "topics").catch(() => 0),
            (now) => now >= n,
          );
        await produce(0, 1_000);
        await count(1);
        await v.killAndStart();
        await produce(1_000, 1_000);
        await count(2_000);
        expect(await tally(v, "", 2_000, numbered)).toEqual(nothing);
      });
    } finally {
      await kafka.stop("SIGKILL");
    }
  });
});
