/** Every class against what OCSF 1.3 requires of it (schema.ocsf.io/1.3.0, the classes' and their objects' required attributes and constraints). */
import { newFields } from "@vedette/kit";
import { expect, test } from "vitest";
import { alertOf, eventOf, now } from "../receiver.fixture.ts";
import { alertParcel, eventParcel, findingParcel } from "./ecs.ts";
import { toOcsf } from "./ocsf.ts";

const common = [
  "activity_id",
  "category_uid",
  "class_uid",
  "metadata.version",
  "metadata.product.vendor_name",
  "severity_id",
  "time",
  "type_uid",
];
/** Attributes that must be there; in a list, one of them. */
const required: { readonly [uid: number]: readonly (string | readonly string[])[] } = {
  0: [],
  1001: [
    "actor",
    ["actor.process", "actor.user"],
    "device.type_id",
    ["device.hostname", "device.ip", "device.uid"],
    "file.name",
    "file.type_id",
  ],
  1007: [
    "actor",
    ["actor.process", "actor.user"],
    "device.type_id",
    ["device.hostname", "device.ip", "device.uid"],
    "process",
    ["process.pid", "process.uid", "process.name"],
  ],
  2004: ["finding_info.uid", "finding_info.title", "finding_info.analytic.type_id"],
  3002: ["user", ["user.name", "user.uid"], ["service", "dst_endpoint"]],
  4001: ["dst_endpoint"],
  4002: ["http_request", "dst_endpoint"],
  4003: [["dst_endpoint", "src_endpoint"]],
};

type Told = { readonly [name: string]: unknown };
const at = (body: Told, path: string): unknown => path.split(".").reduce<unknown>((o, key) => (o as Told | undefined)?.[key], body);

function check(body: Told): void {
  const uid = body["class_uid"] as number;
  for (const path of [...common, ...required[uid]!]) {
    const found = (typeof path === "string" ? [path] : path).some((one) => at(body, one) !== undefined);
    expect(found, `${uid} lacks ${path}`).toBe(true);
  }
  if (body["connection_info"] !== undefined) expect(at(body, "connection_info.direction_id")).toBe(0);
  expect(body["type_uid"]).toBe(uid * 100 + (body["activity_id"] as number));
  expect(body["category_uid"]).toBe(Math.floor(uid / 1000));
  expect(Number.isInteger(body["time"])).toBe(true);
}

const network = {
  "source.ip": "10.0.0.1",
  "source.port": 40000,
  "destination.ip": "10.0.0.2",
  "destination.port": "443",
  "network.transport": "tcp",
};
const events: readonly (readonly [
  uid: number,
  activity: number,
  fields: { readonly [name: string]: string | number | readonly string[] },
])[] = [
  [3002, 1, { "event.category": ["authentication"], "event.type": ["start"], "event.outcome": "failure", "user.name": "root" }],
  [3002, 2, { "event.category": "authentication", "event.type": "end", "user.name": "root", "process.name": "sshd" }],
  [4001, 1, { ...network, "event.category": ["network"], "event.type": ["connection", "start"] }],
  [4001, 5, { ...network, "event.category": ["network"], "event.type": ["connection", "denied"] }],
  [4003, 2, { ...network, "event.category": ["network"], "dns.question.name": "evil.example", "dns.response_code": "NXDOMAIN" }],
  [4002, 3, { ...network, "event.category": ["web"], "http.request.method": "get", "url.path": "/a", "http.response.status_code": 404 }],
  [4002, 0, { "event.category": ["web"], "http.request.method": "PROPFIND" }],
  [
    1007,
    1,
    {
      "event.category": ["process"],
      "event.type": ["start"],
      "process.pid": 7,
      "process.executable": "/tmp/x",
      "process.parent.name": "sh",
    },
  ],
  [1001, 4, { "event.category": ["file"], "event.type": ["deletion"], "file.path": "/etc/passwd", "user.name": "eve" }],
  // what a class needs is not there: the base event takes everything
  [0, 0, { "event.category": ["file"], "file.path": "/etc/passwd" }],
  [0, 0, { "event.category": ["authentication"], "event.outcome": "success" }],
  [0, 0, { message: "anything" }],
];

test.each(events)("class %i, activity %i", (uid, activity, fields) => {
  const body = toOcsf(eventParcel(eventOf(1, fields)), "1");
  check(body);
  expect([body["class_uid"], body["activity_id"]]).toEqual([uid, activity]);
  // nothing is lost: each field stands in an attribute or in unmapped
  const text = JSON.stringify(body);
  for (const [name, value] of Object.entries(fields))
    if (!/^event\.(category|type|outcome)$/.test(name)) expect(text, name).toContain(String(Array.isArray(value) ? value[0] : value));
});

test("an alert is a detection finding through its life", () => {
  const body = toOcsf(alertParcel(alertOf()), "1");
  check(body);
  expect(body).toMatchObject({
    class_uid: 2004,
    activity_id: 1,
    status_id: 1,
    severity_id: 4,
    is_alert: true,
    time: Math.floor(now / 1000),
    finding_info: { uid: "alert-1", attacks: [{ sub_technique: { uid: "T1110.001" } }, { technique: { uid: "T1078" } }] },
    observables: [{ name: "source.ip", type_id: 2, value: "192.0.2.7" }, { name: "host.name", type_id: 1 }, { name: "host.name" }],
    evidences: [{ uid: "event-1", data: { raw_data: "Failed password for root" } }],
  });
  const acknowledged = toOcsf(alertParcel(alertOf({ state: "acknowledged", updated: now + 1 })), "1");
  expect(acknowledged).toMatchObject({ activity_id: 2, status_id: 2 });
  const closed = toOcsf(alertParcel(alertOf({ state: "closed", verdict: "false_positive", updated: now + 2 })), "1");
  expect(closed).toMatchObject({ activity_id: 3, status_id: 3, is_alert: false });
});

test("findings: revisions have ids of their own, a withdrawn one is closed", () => {
  const alert = alertOf();
  const finding = {
    id: "f1",
    tenant: "main",
    rule: { ...alert.rule, hash: "h", kind: "detector" as const },
    severity: "low" as const,
    key: "k",
    window: { start: now, end: now },
    time: now,
    events: [],
    count: 2,
    entities: alert.entities,
    evidence: [],
    attack: [],
    summary: "s",
    revision: 1,
    canonical: true,
    demo: false,
    received: now,
  };
  const parcel = findingParcel(finding);
  expect([parcel.id, parcel.fields["host.name"], parcel.fields["vedette.finding.revision"]]).toEqual(["f1.1", ["login1", "login2"], 1]);
  check(toOcsf(parcel, "1"));
  expect(toOcsf(findingParcel({ ...finding, revision: 2, withdrawn: true }), "1")).toMatchObject({ activity_id: 3 });
});

test("hostile field names are data", () => {
  const fields = Object.assign(
    newFields(),
    JSON.parse('{"__proto__": "x", "constructor": "y", "event.category": "network", "destination.ip": "1.2.3.4"}'),
  );
  Object.defineProperty(fields, "__proto__", { value: "x", enumerable: true });
  const body = toOcsf(eventParcel({ ...eventOf(1), fields }), "1");
  check(body);
  expect(JSON.stringify(body["unmapped"])).toContain('"__proto__":"x"');
  expect(({} as Told)["x"]).toBeUndefined();
});
