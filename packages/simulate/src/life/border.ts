/** What passes the border anyway: transfers too large to watch, visitors of the portal, names looked up, scanners at the door. Knows no job. */
import type { Chance } from "@vedette/kit";
import { connValues, dnsValues, noticeValues, shuntValues, sslValues, zeekUid } from "../records/zeek.ts";
import { attackerAddress, outsideAddress, serviceNamed, services } from "../site.ts";
import { minute, second } from "../stamps.ts";
import type { Actor, World } from "../world.ts";
import { clients, talk } from "./network.ts";

/** Connections per second and node at full activity: 400 Gbit/s over 5,000 nodes at a quarter load, a tenth of the bytes outside elephants, 50 kB a flow. */
const perNode = 5;

export function beginBorder(world: World): void {
  world.begin(ordinary(world));
  world.begin(transfers(world));
  world.begin(scanners(world));
}

function* ordinary(world: World): Actor {
  const chance = world.chanceOf("border");
  const { site } = world;
  const nodes = site.compute.length + site.gpu.length;
  const mean = second / (nodes * perNode * world.options.activity);
  for (;;) {
    yield world.now + Math.round(chance.exponential(mean));
    const kind = chance.next();
    if (kind < 0.35) visitor(world, chance);
    else if (kind < 0.6) lookup(world, chance);
    else if (kind < 0.7) time(world, chance);
    else outward(world, chance);
  }
}

/** Somebody outside reads the portal. */
function visitor(world: World, chance: Chance): void {
  const { portal } = world.site.house;
  const flow = { from: outsideAddress(chance), fromPort: chance.whole(1_024, 65_535), to: portal.address, port: 443 };
  const uid = zeekUid(chance);
  world.zeek("ssl", world.now, sslValues(uid, flow, "portal.hpc.example", clients.browser, "5f2c8a0bd6e94c71a3b8d0e6f1427c95"));
  const duration = chance.exponential(4);
  world.zeek(
    "conn",
    world.now,
    connValues({
      ...flow,
      uid,
      proto: "tcp",
      service: "ssl",
      duration,
      sent: chance.whole(900, 6_000),
      received: chance.whole(4_000, 300_000),
    }),
  );
}

function lookup(world: World, chance: Chance): void {
  const { resolver } = world.site.house;
  const flow = { from: resolver.address, fromPort: resolver.port(), to: "198.18.0.53", port: 53 };
  const uid = zeekUid(chance);
  const missing = chance.happens(0.06);
  const name = missing ? `${chance.pick(["wpad", "old-licence", "printer7", "ntp3"])}.hpc.example` : chance.weighted(services).name;
  const answers = missing ? {} : { answers: [serviceNamed(name).address] };
  world.zeek(
    "dns",
    world.now,
    dnsValues({ uid, flow, id: chance.whole(1, 65_535), name, ...answers, code: missing ? "NXDOMAIN" : "NOERROR" }),
  );
  world.zeek("conn", world.now, connValues({ ...flow, uid, proto: "udp", service: "dns", duration: 0.004, sent: 60, received: 140 }));
}

function time(world: World, chance: Chance): void {
  const from = world.site.house.controller;
  const flow = { from: from.address, fromPort: 123, to: serviceNamed(`ntp${chance.whole(1, 4)}.time.example`).address, port: 123 };
  world.zeek(
    "conn",
    world.now,
    connValues({ ...flow, uid: zeekUid(chance), proto: "udp", service: "ntp", duration: 0.01, sent: 48, received: 48 }),
  );
}

/** The proxy fetches for those who have no way out of their own. */
function outward(world: World, chance: Chance): void {
  const to = chance.weighted(services);
  const client = chance.pick(["python", "curl", "git", "conda", "go", "browser"] as const);
  talk(world, chance, {
    from: world.site.house.proxy,
    to,
    port: 443,
    lasts: chance.exponential(3),
    sent: chance.exponential(9_000),
    received: chance.exponential(400_000),
    client,
    silent: chance.happens(0.8),
  });
}

/** Large transfers: the sensor sees their beginning, has them shunted past it, and sees their end. */
function* transfers(world: World): Actor {
  const chance = world.chanceOf("transfers");
  const { transfer } = world.site;
  const mean = (20 * minute) / transfer.length;
  for (let rule = 1; ; rule++) {
    yield world.now + Math.round(chance.exponential(mean));
    const host = chance.pick(transfer);
    const peer = outsideAddress(chance);
    const out = chance.happens(0.6);
    const port = chance.whole(50_000, 51_000);
    const flow = out
      ? { from: host.address, fromPort: host.port(), to: peer, port }
      : { from: peer, fromPort: chance.whole(1_024, 65_535), to: host.address, port };
    const uid = zeekUid(chance);
    world.zeek("netcontrol_shunt", world.now + 4 * second, shuntValues(String(rule), flow));
    world.begin(elephant(world, flow, uid, out, chance.between(60, 2_400)));
  }
}

function* elephant(world: World, flow: Parameters<typeof shuntValues>[1], uid: string, out: boolean, lasts: number): Actor {
  const begun = world.now;
  yield begun + Math.round(lasts * second);
  // only what passed before it was shunted was counted
  const bytes = { sent: out ? 1.3e8 : 2e5, received: out ? 2e5 : 1.3e8 };
  world.zeek("conn", begun, connValues({ ...flow, uid, proto: "tcp", service: "ssl", duration: lasts, ...bytes }));
}

/** Scanners at the door: a port or two of everything that has a public address. */
function* scanners(world: World): Actor {
  const chance = world.chanceOf("scanners");
  const doors = [...world.site.logins, ...world.site.transfer, world.site.house.portal];
  for (;;) {
    yield world.now + Math.round(chance.exponential(5 * minute));
    const from = attackerAddress(chance);
    const port = chance.pick([22, 23, 80, 443, 445, 3389, 5900, 6379, 8080, 8443]);
    for (const door of doors) {
      yield world.now + chance.whole(1_000, 400_000);
      const flow = { from, fromPort: chance.whole(1_024, 65_535), to: door.address, port };
      world.zeek(
        "conn",
        world.now,
        connValues({ ...flow, uid: zeekUid(chance), proto: "tcp", sent: 0, received: 0, state: chance.happens(0.6) ? "S0" : "REJ" }),
      );
    }
    // Zeek's own scan script says so when somebody asks many
    if (doors.length >= 25 && chance.happens(0.3))
      world.zeek(
        "notice",
        world.now,
        noticeValues("Scan::Address_Scan", `${from} scanned at least 25 unique hosts on port ${port}/tcp in 0m20s`, "remote", {
          from,
          port,
        }),
      );
  }
}
