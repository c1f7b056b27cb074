import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Hub, maxPending, ringSize, type StreamClient } from "../hub.ts";
import { alertOf, asAdmin, eventOf, type Rig, rig } from "../testing/fakes.ts";

class Client implements StreamClient {
  wantsEvents = false;
  session = true;
  waiting = 0;
  text = "";
  closed: string | undefined;
  alive = () => this.session;
  write(text: string): void {
    this.text += text;
  }
  pending = () => this.waiting;
  close(reason: string): void {
    this.closed = reason;
  }
  ids(): string[] {
    return [...this.text.matchAll(/"id":"([ael]\w{0,6})"/g)].map((one) => one[1]!);
  }
  lastId(): string {
    return [...this.text.matchAll(/^id: (.+)$/gm)].at(-1)![1]!;
  }
}

describe("hub", () => {
  test("who comes back gets what it missed, in order, once", () => {
    const hub = new Hub(async () => undefined);
    const first = new Client();
    const leave = hub.add(first, undefined);
    hub.alert(alertOf("a1"));
    leave();
    hub.alert(alertOf("a2"));
    hub.alert(alertOf("a3"));
    const again = new Client();
    hub.add(again, first.lastId());
    hub.alert(alertOf("a4"));
    expect(first.ids()).toEqual(["a1"]);
    expect(again.ids()).toEqual(["a2", "a3", "a4"]);
    expect(again.text).not.toContain("reset");
  });

  test("who connected before the first alert misses none", () => {
    const hub = new Hub(async () => undefined);
    const first = new Client();
    hub.add(first, undefined)();
    hub.alert(alertOf("a1"));
    const again = new Client();
    hub.add(again, first.lastId());
    expect(again.ids()).toEqual(["a1"]);
  });

  test("who was away too long, or was elsewhere, is told to reload", () => {
    const hub = new Hub(async () => undefined);
    const first = new Client();
    hub.add(first, undefined)();
    for (let i = 0; i < ringSize; i++) hub.alert(alertOf(`a${i}`));
    const intime = new Client();
    hub.add(intime, first.lastId());
    expect(intime.ids()).toHaveLength(ringSize);
    hub.alert(alertOf("last"));
    for (const id of [first.lastId(), "other.1", "", "x", `${intime.lastId()}999`, "a.b.c", `${first.lastId().split(".")[0]}.-1`]) {
      const late = new Client();
      hub.add(late, id);
      expect(late.text).toContain("event: reset");
      expect(late.ids()).toEqual([]);
    }
  });

  test("who is too slow, or whose session ended, is let go; the rest go on", () => {
    const hub = new Hub(async () => undefined);
    const [slow, ended, fine] = [new Client(), new Client(), new Client()];
    for (const client of [slow, ended, fine]) hub.add(client, undefined);
    slow.waiting = maxPending + 1;
    ended.session = false;
    hub.tick({ n: 1 });
    expect(slow.closed).toContain("Last-Event-ID");
    expect(ended.closed).toContain("session");
    expect(fine.closed).toBeUndefined();
    expect(fine.text).toContain('event: status\ndata: {"n":1}');
    expect(hub.clients).toBe(1);
  });

  test("the newest events of a second go to those who want them", () => {
    const hub = new Hub(async () => undefined);
    const [plain, wanting] = [new Client(), new Client()];
    wanting.wantsEvents = true;
    hub.add(plain, undefined);
    hub.add(wanting, undefined);
    for (let i = 0; i < 300; i++) hub.events([eventOf(`e${i}`, {}, { time: i })]);
    hub.tick(undefined);
    expect(plain.text).not.toContain("event: events");
    expect(wanting.ids()).toEqual(Array.from({ length: 20 }, (_, i) => `e${299 - i}`));
    expect(wanting.text).toContain('"sampled":true');
    wanting.text = "";
    hub.events([eventOf("one")]);
    hub.tick(undefined);
    expect(wanting.text).toContain('"sampled":false');
    wanting.text = "";
    hub.tick(undefined);
    expect(wanting.text).toBe(": still here\n\n");
  });
});

describe("over HTTP", () => {
  let it: Rig;
  let base: string;
  beforeEach(async () => {
    it = await rig();
    base = await it.app.listen({ port: 0, host: "127.0.0.1" });
  });
  afterEach(() => it.app.close());

  async function open(path: string, headers: { [name: string]: string } = {}) {
    const response = await fetch(`${base}/api/v1/stream${path}`, { headers: { ...asAdmin, ...headers } });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    /** Reads until `wanted` has come. */
    const until = async (wanted: string): Promise<string> => {
      while (!text.includes(wanted)) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`ended without ${wanted}: ${text}`);
        text += value;
      }
      return text;
    };
    return { response, until, cancel: () => reader.cancel() };
  }

  test("status, alerts and events flow; a reconnect resumes", async () => {
    const stream = await open("?events=1");
    expect(stream.response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(stream.response.headers.get("content-security-policy")).toContain("default-src 'none'");
    const id = /^id: (.+)$/m.exec(await stream.until("id: "))![1]!;
    it.runtime.notify({ kind: "alert", alert: alertOf("a1") });
    await stream.until('"id":"a1"');
    await it.clock.pass(1_000);
    expect(await stream.until("event: status")).toContain('"version":"1.2.3"');
    it.runtime.notify({ kind: "events", events: [eventOf("e1")], count: 40 });
    await it.clock.pass(1_000);
    expect(await stream.until("event: events")).toContain('"sampled":true');
    await stream.cancel();
    const again = await open("", { "last-event-id": id });
    expect(await again.until('"id":"a1"')).not.toContain("reset");
    await again.cancel();
  });

  test("what a person does is told to the others", async () => {
    it.store.alertsById.set("a1", alertOf("a1"));
    const stream = await open("");
    await it.app.inject({ method: "POST", url: "/api/v1/alerts/a1/acknowledge", headers: asAdmin });
    expect(await stream.until("event: alert")).toContain('"state":"acknowledged"');
    await stream.cancel();
  });

  test("events are asked for only while someone wants them", async () => {
    const wanting = () => [...it.runtime.listeners.values()].filter(Boolean).length;
    expect(wanting()).toBe(0);
    const stream = await open("?events=1");
    await stream.until("retry");
    await it.clock.pass(1_000);
    expect(wanting()).toBe(1);
    await stream.cancel();
    for (let i = 0; i < 100 && wanting() > 0; i++) await it.clock.pass(1_000);
    expect(wanting()).toBe(0);
  });

  test("closing the server ends the streams", async () => {
    const stream = await open("");
    await stream.until("retry");
    await it.app.close();
    await expect(stream.until("event: never")).rejects.toThrow();
  });
});
