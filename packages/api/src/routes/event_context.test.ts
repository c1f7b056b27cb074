import { afterEach, beforeEach, expect, test } from "vitest";
import { asking, userWith } from "../testing/as.ts";
import { asAdmin, eventOf, type Rig, rig, start } from "../testing/fakes.ts";

let it: Rig;
beforeEach(async () => {
  it = await rig();
  it.store.all.push(
    eventOf(
      "lease",
      { "zeek.dhcp.assigned_addr": "10.0.2.15", "zeek.dhcp.host_name": "john-pc", "source.mac": "08:00" },
      { time: start - 60_000_000 },
    ),
    eventOf("shell", { "process.entity_id": "p1", "process.name": "bash", "process.parent.entity_id": "p0", "event.type": ["start"] }),
    eventOf("later", { "zeek.dhcp.assigned_addr": "10.0.2.15", "zeek.dhcp.host_name": "mary-pc" }, { time: start + 60_000_000 }),
    eventOf("it", { "source.ip": "10.0.2.15", "process.entity_id": "p1", "event.action": "connected" }, { time: start + 1 }),
    eventOf("bare", {}),
  );
});
afterEach(() => it.app.close());
const ask = (id: string, headers: object = asAdmin) => it.app.inject({ url: `/api/v1/events/${id}/context`, headers: headers as never });

test("an event's process with its parents, and the names that its addresses had then", async () => {
  const answer = await ask("it");
  expect([answer.statusCode, answer.json()]).toEqual([
    200,
    {
      processes: [{ entity_id: "p1", name: "bash", started: "2026-11-18T11:06:40.000000Z", event: "shell" }, { entity_id: "p0" }],
      names: [
        {
          address: "10.0.2.15",
          name: "john-pc",
          by: "dhcp",
          mac: "08:00",
          at: "2026-11-18T11:05:40.000000Z",
          until: "2026-11-19T11:05:40.000000Z",
          event: "lease",
        },
      ],
    },
  ]);
});

test("nothing is known of an event without process and address, and there is no event that is not there", async () => {
  expect((await ask("bare")).json()).toEqual({ processes: [], names: [] });
  expect((await ask("nothing")).statusCode).toBe(404);
});

test("events:read is needed", async () => {
  const reader = asking(it.auth, userWith({ role: "viewer" }));
  const nobody = asking(it.auth, userWith());
  expect([(await ask("it", reader)).statusCode, (await ask("it", nobody)).statusCode]).toEqual([200, 403]);
});
