import { expect, test } from "vitest";
import { clients } from "./clients.ts";
import { endpoints, sources } from "./index.ts";

const target = { url: "https://192.0.2.1:8443", host: "192.0.2.1", port: 8443, tls: true, token: "vds_secret", source: "login-nodes" };

test("names are unique, in order, and each speaks to something that is there", async () => {
  const names = clients.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)].toSorted());
  const known = new Set([...(await sources()).keys(), ...(await endpoints()).keys()]);
  expect(clients.map(({ speaks }) => speaks).filter((name) => !known.has(name))).toEqual([]);
});

test.each(clients.map((client) => [client.name, client] as const))(
  "%s: the address is in the text, and the token where the protocol has one",
  (_, { speaks, text }) => {
    const said = text(target);
    expect(said).toContain(target.host);
    expect(said).toContain("8443");
    expect(said.includes(target.token)).toBe(!["syslog", "fluent_forward", "netflow"].includes(speaks));
    expect(said).not.toMatch(/undefined|\[object/);
    expect(said.endsWith("\n")).toBe(true);
  },
);
