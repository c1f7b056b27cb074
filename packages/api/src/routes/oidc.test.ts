import { Oidc, type OidcConfig, type People } from "@vedette/access";
import { systemClock } from "@vedette/kit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Rig, rig } from "../testing/fakes.ts";
import { startProvider, type TestProvider } from "../testing/provider.ts";

const home = "http://localhost:80";
const redirectUri = `${home}/api/v1/oidc/callback`;
let at: TestProvider;
let it: Rig;
beforeAll(async () => {
  at = await startProvider([new URL(redirectUri).href]);
});
afterAll(() => at.close());
beforeEach(async () => {
  it = await withProvider();
  at.person = { sub: "s-1", preferred_username: "Ada", name: "Ada Lovelace", groups: ["hpc-security", "others"] };
});
afterEach(() => it.app.close());

const configured = (more: Partial<OidcConfig>): OidcConfig => ({
  issuer: at.issuer,
  clientId: at.client.id,
  clientSecret: at.client.secret,
  redirectUri,
  scopes: ["openid", "profile"],
  nameClaim: "preferred_username",
  groupsClaim: "groups",
  groups: { "hpc-security": [{ role: "analyst", rows: "host.name:login*" }], admins: [{ role: "admin" }] },
  privateAddresses: true,
  ...more,
});

type Users = People["users"];

/** The provider is given the people of the server that it signs in for. */
async function withProvider(more: Partial<OidcConfig> = {}): Promise<Rig> {
  const people: { users?: Users } = {};
  const users = new Proxy({} as Users, { get: (_, name: keyof Users) => people.users![name].bind(people.users) });
  const made = await rig({ oidc: { provider: new Oidc(configured(more), users, systemClock), label: "Site login" } });
  people.users = made.auth.people.users;
  return made;
}

type Headers = { readonly [name: string]: unknown };
const cookiesOf = ({ headers }: { headers: Headers }) => [headers["set-cookie"] ?? []].flat().map((one) => String(one).split(";")[0]!);
const get = (url: string, headers: { [name: string]: string } = {}) => it.app.inject({ method: "GET", url, headers });

/** From the button to the provider, where somebody signs in, up to the address that the browser is led back to. */
async function begun(path?: string) {
  const first = await get(`/api/v1/oidc/login${path === undefined ? "" : `?return=${encodeURIComponent(path)}`}`);
  expect(first.statusCode).toBe(303);
  const [cookie] = cookiesOf(first);
  return { cookie: cookie!, first, back: await at.follow(String(first.headers["location"])) };
}
const back = (url: URL, cookie: string, more: { [name: string]: string } = {}) => get(`${url.pathname}${url.search}`, { cookie, ...more });
const problem = (response: { statusCode: number; json(): unknown }, detail: string) =>
  expect([response.statusCode, response.json()]).toEqual([
    401,
    expect.objectContaining({ code: "unauthorised", detail: expect.stringContaining(detail) }),
  ]);

describe("signing in by an OpenID provider", () => {
  test("makes somebody who comes for the first time, with the grants of their groups, and leads to where they were", async () => {
    expect((await get("/api/v1/oidc")).json()).toEqual({ available: true, label: "Site login" });
    const { cookie, first, back: url } = await begun("/alerts?state=open#a1");
    expect(String(first.headers["set-cookie"])).toMatch(/^vedette_oidc=[\w-]{43}; HttpOnly; SameSite=Lax; Path=\/; Max-Age=600$/);
    const asked = new URL(String(first.headers["location"])).searchParams;
    expect([asked.get("code_challenge_method"), asked.get("response_type")]).toEqual(["S256", "code"]);
    expect([asked.get("state")?.length, asked.get("nonce")?.length]).toEqual([43, 43]);
    expect(url.searchParams.get("iss")).toBe(at.issuer);
    const answer = await back(url, cookie);
    expect([answer.statusCode, answer.headers["location"]]).toEqual([303, "/alerts?state=open#a1"]);
    const [session, forgotten] = cookiesOf(answer);
    expect([session?.split("=")[0], forgotten]).toEqual(["vedette_session", "vedette_oidc="]);
    expect((await get("/api/v1/session", { cookie: session! })).json()).toMatchObject({
      user: "ada",
      kind: "user",
      display_name: "Ada Lovelace",
      grants: [{ role: "analyst", rows: "host.name:login*" }],
      session: { by: "oidc" },
    });
    expect(it.auth.people.users.ofName("ada")).toMatchObject({ oidc: { issuer: at.issuer, subject: "s-1" } });
    expect(it.auth.people.users.ofName("ada")?.password).toBeUndefined();
  });

  test("knows somebody by issuer and subject whatever they are called; grants are those of the groups of now, and old sessions end", async () => {
    const one = await begun();
    const [session] = cookiesOf(await back(one.back, one.cookie));
    at.person = { sub: "s-1", preferred_username: "countess", groups: ["admins"] };
    const two = await begun();
    await back(two.back, two.cookie);
    expect(it.auth.people.users.list()).toEqual([expect.objectContaining({ name: "ada", grants: [{ role: "admin" }] })]);
    expect((await get("/api/v1/session", { cookie: session! })).statusCode).toBe(401);
    at.person = { sub: "s-1", preferred_username: "ada", groups: ["hpc-security"] };
    const three = await begun();
    expect((await back(three.back, three.cookie)).statusCode).toBe(303);
    await it.auth.people.users.change(it.auth.people.users.ofName("ada")!.id, (now) => ({ ...now, disabled: true }));
    const four = await begun();
    problem(await back(four.back, four.cookie), "disabled");
  });

  test("nobody takes over somebody of the same name, comes without a group, or without a name", async () => {
    await it.auth.people.users.create({ name: "ada", grants: [{ role: "admin" }] });
    const one = await begun();
    problem(await back(one.back, one.cookie), "somebody named ada already");
    at.person = { sub: "s-2", preferred_username: "eve", groups: ["others", "__proto__", "constructor"] };
    const two = await begun();
    problem(await back(two.back, two.cookie), "none of your groups");
    at.person = { sub: "s-3", preferred_username: "<script>", groups: ["admins"] };
    const three = await begun();
    problem(await back(three.back, three.cookie), "is no name");
    const page = await begun();
    const answer = await back(page.back, page.cookie, { accept: "text/html" });
    expect([answer.statusCode, answer.headers["location"]]).toEqual([303, "/sign-in?refused=oidc"]);
    expect(it.auth.people.users.list()).toHaveLength(1);
  });

  test("where no groups are named, people come with nothing and keep what they are given here", async () => {
    await it.app.close();
    it = await withProvider({ groups: {} });
    const one = await begun();
    await back(one.back, one.cookie);
    const { id, grants } = it.auth.people.users.ofName("ada")!;
    expect(grants).toEqual([]);
    await it.auth.people.users.change(id, (now) => ({ ...now, grants: [{ role: "viewer" }] }));
    const two = await begun();
    await back(two.back, two.cookie);
    expect(it.auth.people.users.ofName("ada")!.grants).toEqual([{ role: "viewer" }]);
  });

  test("a code of somebody else's sign-in is not taken: another browser, another state, a second time, too late", async () => {
    const attacker = await begun();
    const victim = await begun();
    problem(await back(attacker.back, victim.cookie), "not begun in this browser");
    problem(await get(`${attacker.back.pathname}${attacker.back.search}`), "not begun in this browser");
    // the attacker's code with the victim's state: PKCE and nonce are of another sign-in
    const injected = new URL(victim.back);
    injected.searchParams.set("code", attacker.back.searchParams.get("code")!);
    problem(await back(injected, victim.cookie), "does not belong to this sign-in");
    problem(await back(victim.back, victim.cookie), "not begun in this browser");
    const good = await begun();
    expect((await back(good.back, good.cookie)).statusCode).toBe(303);
    problem(await back(good.back, good.cookie), "not begun in this browser");
  });

  test("an answer that names another provider, none, or two, is refused (mix-up)", async () => {
    for (const iss of [["https://attacker.example"], [], [at.issuer, "https://attacker.example"]]) {
      const { back: url, cookie } = await begun();
      url.searchParams.delete("iss");
      for (const one of iss) url.searchParams.append("iss", one);
      const answer = await back(url, cookie);
      if (iss.length < 2) problem(answer, "does not belong to this sign-in");
      else expect([answer.statusCode, answer.json()]).toMatchObject([400, { detail: expect.stringContaining("querystring/iss") }]);
    }
    expect(it.auth.people.users.list()).toEqual([]);
  });

  test("what the provider refuses is said, and is only text", async () => {
    const { back: url, cookie } = await begun();
    for (const name of ["code"]) url.searchParams.delete(name);
    url.searchParams.set("error", "access_denied");
    url.searchParams.set("error_description", "<b>no</b>");
    problem(await back(url, cookie), "access_denied");
  });

  test.each([
    "//evil.example",
    "https://evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "javascript:alert(1)",
    "/..//evil.example",
    "evil",
    "",
  ])("%j is no path to lead to", async (path) => {
    const { back: url, cookie } = await begun(path);
    expect((await back(url, cookie)).headers["location"]).toBe("/");
  });

  test("signing out ends the session here and names the provider's page", async () => {
    const { back: url, cookie } = await begun();
    const [session] = cookiesOf(await back(url, cookie));
    const headers = { cookie: session!, origin: home, host: "localhost:80" };
    const answer = await it.app.inject({ method: "POST", url: "/api/v1/oidc/logout", headers });
    expect(new URL((answer.json() as { location: string }).location).origin).toBe(at.issuer);
    expect((await get("/api/v1/session", { cookie: session! })).statusCode).toBe(401);
  });

  test("without a provider there is none", async () => {
    await it.app.close();
    it = await rig();
    expect((await get("/api/v1/oidc")).json()).toEqual({ available: false });
    expect((await get("/api/v1/oidc/login")).statusCode).toBe(404);
  });
});

describe("where a provider may be", () => {
  const none = {} as Users;

  test.each([
    "http://sso.example.org",
    "https://127.0.0.1",
    "https://[::1]",
    "https://169.254.169.254",
    "https://10.0.0.1:8443",
    "https://[::ffff:10.0.0.1]",
    "https://0.0.0.0",
    "https://[fe80::1]",
    "https://[64:ff9b::a00:1]",
    "https://2130706433",
    "https://0x7f.1",
    "https://localhost",
    "https://user:secret@sso.example.org",
    "ftp://sso.example.org",
  ])("not %s", async (issuer) => {
    const failure = new Oidc(configured({ issuer, privateAddresses: false }), none, systemClock).begin(undefined);
    await expect(failure).rejects.toMatchObject({ code: "provider_unavailable", message: expect.not.stringContaining("ECONNREFUSED") });
  });

  test("without TLS only on this host, though private addresses are allowed", async () => {
    for (const issuer of ["http://10.0.0.1", "http://192.168.1.1:8080"]) {
      const failure = new Oidc(configured({ issuer }), none, systemClock).begin(undefined);
      await expect(failure).rejects.toMatchObject({ code: "provider_unavailable", message: expect.stringContaining("is not asked") });
    }
  });
});
