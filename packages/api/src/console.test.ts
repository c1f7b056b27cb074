import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Rig, rig } from "./testing/fakes.ts";
import { isProblem } from "./testing/requests.ts";

let it: Rig;
beforeEach(async () => {
  it = await rig();
});
afterEach(() => it.app.close());

test("its files, its page, and nothing else", async () => {
  const root = mkdtempSync(join(tmpdir(), "vedette-console-"));
  mkdirSync(join(root, "assets"));
  writeFileSync(join(root, "index.html"), "<!doctype html>page");
  writeFileSync(join(root, "assets", "a.js"), "1");
  writeFileSync(join(root, "..", `${root.split("/").at(-1)}-secret`), "secret");
  const { app } = await rig({ consoleDirectory: root });
  const html = { accept: "text/html,*/*" };
  const page = await app.inject({ url: "/", headers: html });
  expect([page.body, page.headers["content-type"], page.headers["cache-control"]]).toEqual([
    "<!doctype html>page",
    "text/html; charset=utf-8",
    "no-cache",
  ]);
  expect((await app.inject({ url: "/", headers: { accept: "application/json" } })).body).toBe("banner");
  expect((await app.inject({ url: "/alerts/a1", headers: html })).body).toBe("<!doctype html>page");
  const script = await app.inject({ url: "/assets/a.js" });
  expect([script.body, script.headers["cache-control"]]).toEqual(["1", "public, max-age=31536000, immutable"]);
  isProblem(await app.inject({ url: "/api/v1/nothing", headers: html }), 404, "not_found");
  isProblem(await app.inject({ url: "/assets/b.js" }), 404, "not_found");
  for (const url of [`/..%2f${root.split("/").at(-1)}-secret`, `/assets/%2e%2e/%2e%2e/${root.split("/").at(-1)}-secret`])
    expect((await app.inject({ url })).body).not.toContain("secret\n");
  await app.close();
});
