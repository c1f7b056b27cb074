import { expect, test } from "vitest";
import { asAdmin, rig } from "../testing/fakes.ts";

test("a sender's configuration names the place by which the server was reached, and a source by a name that cannot break out of it", async () => {
  const r = await rig({
    senders: (source, { host, port, tls }) => [{ name: "curl", summary: "", file: "a shell", text: `${host} ${port} ${tls} ${source}` }],
  });
  const ask = async (name: string, host = "127.0.0.1:8080") =>
    (await r.app.inject({ url: `/api/v1/sources/${name}/senders`, headers: { ...asAdmin, host } })).json();
  expect(await ask("web-1")).toMatchObject({ senders: [{ text: "127.0.0.1 8080 false web-1" }] });
  expect(await ask("web-1", "[::1]:9000")).toMatchObject({ senders: [{ text: "::1 9000 false web-1" }] });
  expect(await ask("web-1", "localhost")).toMatchObject({ senders: [{ text: "localhost 80 false web-1" }] });
  expect(await ask(encodeURIComponent('x"; reboot #'))).toMatchObject({ status: 400 });
  await r.app.close();
});

test("a server that knows no senders names none", async () => {
  const r = await rig();
  expect((await r.app.inject({ url: "/api/v1/sources/a/senders", headers: asAdmin })).json()).toEqual({ senders: [] });
  await r.app.close();
});
