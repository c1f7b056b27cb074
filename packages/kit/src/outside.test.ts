import dns from "node:dns";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { addressIn, guardedLookup, outsideFetch, outsideRequest, whereabouts } from "./outside.ts";

vi.mock("node:dns", { spy: true });
afterEach(() => vi.restoreAllMocks());

/** Where names lead from now on, one answer after the other. */
function names(...answers: readonly (readonly string[])[]): void {
  let n = 0;
  vi.mocked(dns.lookup).mockImplementation(((_: string, _options: object, done: (error: null, found: object[]) => void) => {
    const found = answers[Math.min(n++, answers.length - 1)]!.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
    setImmediate(done, null, found);
  }) as never);
}

let server: Server;
let port: number;
let asked: string[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url!);
    response.writeHead(request.url === "/away" ? 302 : 200, { location: "/inside" }).end("here");
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => server.close());
afterEach(() => {
  asked = [];
});

test("every address has its place, however it is written", () => {
  const places = {
    link: [
      "169.254.169.254",
      "::ffff:169.254.169.254",
      "fe80::1",
      "fd00:ec2::254",
      "0.0.0.0",
      "::",
      "100.100.100.200",
      "224.0.0.1",
      "ff02::1",
      "nonsense",
    ],
    loopback: ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"],
    site: ["10.0.0.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "fd12::1", "64:ff9b::a00:1", "2002:a00:1::", "198.18.0.1"],
    public: ["192.0.2.1", "8.8.8.8", "2001:db8::1", "172.32.0.1"],
  };
  for (const [place, addresses] of Object.entries(places))
    for (const address of addresses) expect([address, whereabouts(address)]).toEqual([address, place]);
  // as URLs are read, other spellings are the same address
  for (const host of ["2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "[::ffff:a9fe:a9fe]"])
    expect(whereabouts(addressIn(new URL(`http://${host}/`))!), host).toBe("link");
  expect(addressIn(new URL("http://login1.example/"))).toBeUndefined();
});

test("a name is judged where it is connected to: what it meant a moment ago leads nowhere", async () => {
  const may = (address: string) => whereabouts(address) === "loopback";
  const ask = () => outsideRequest(new URL(`http://rebound.example:${port}/x`), { may, agent: false });
  names(["127.0.0.1"], ["10.0.0.1"], ["169.254.169.254"]);
  (await ask()).resume();
  await expect(ask()).rejects.toThrow("rebound.example is at 10.0.0.1, which is not asked");
  await expect(ask()).rejects.toThrow("rebound.example is at 169.254.169.254, which is not asked");
  expect(asked).toEqual(["/x"]);
});

test("of several addresses of a name only those are connected to that may be", async () => {
  names(["10.0.0.1", "192.0.2.7", "fe80::1"]);
  const found = await new Promise((done, fail) =>
    guardedLookup((address) => whereabouts(address) === "public")("n.example", { all: true }, (error, to) =>
      error ? fail(error) : done(to),
    ),
  );
  expect(found).toEqual([{ address: "192.0.2.7", family: 4 }]);
});

test("a fetch outside goes over TLS to public addresses, and follows no redirect", async () => {
  const outside = outsideFetch({ privateAddresses: false });
  await expect(outside(`http://127.0.0.1:${port}/`)).rejects.toThrow("expected https");
  await expect(outside("https://10.0.0.1/")).rejects.toThrow("10.0.0.1 is not asked");
  await expect(outside("https://user:secret@idp.example/")).rejects.toThrow("no user in the address");
  names(["127.0.0.1"]);
  await expect(outside(`https://idp.example:${port}/`)).rejects.toThrow("127.0.0.1, which is not asked");
  expect(asked).toEqual([]);
  const inside = outsideFetch({ privateAddresses: true });
  const answer = await inside(`http://idp.example:${port}/away`);
  expect([answer.status, answer.headers.get("location"), await answer.text()]).toEqual([302, "/inside", "here"]);
  expect(asked).toEqual(["/away"]);
  // even then no further than this host without TLS, and nowhere near the link
  await expect(inside("http://10.0.0.1/")).rejects.toThrow("10.0.0.1 is not asked");
  await expect(inside("https://169.254.169.254/")).rejects.toThrow("169.254.169.254 is not asked");
});
