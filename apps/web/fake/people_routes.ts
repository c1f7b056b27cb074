/** Signing in, and the API about people, sessions and machines, over the fake state. */
import type { ApiKey, User } from "../src/api/access.ts";
import { type Answer, ok, problem } from "./answer.ts";
import { stamp } from "./events.ts";
import { fake_code, fake_password, fake_recovery, newUser, permissionsOf } from "./people.ts";
import type { FakeState } from "./state.ts";

export const fake_token = "fake-admin-token";
const recovery_codes = [fake_recovery, "p3vt-8dns", "x9wq-41bc"];

type Body = { readonly [key: string]: unknown };
const gone: Answer = { status: 204 };
const nowhere = (what: string) => problem(404, "not_found", `There is no such ${what}.`);

/** The name that a sign-in opens a session for, or why not. */
export function signIn({ people }: FakeState, body: Body): string | Answer {
  if (body["token"] === fake_token) return "admin";
  const user = people.users.find(({ name, disabled }) => name === body["name"] && !disabled);
  if (user === undefined || body["password"] !== fake_password) return problem(401, "unauthorised", "name, password or code is wrong");
  if (!user.totp || body["totp"] === fake_code || body["recovery"] === fake_recovery) return user.name;
  if (body["totp"] !== undefined || body["recovery"] !== undefined) return problem(401, "unauthorised", "name, password or code is wrong");
  return problem(401, "second_factor_needed", "totp or recovery: a code is needed too");
}

/** GET routes; undefined when there is none. */
export function readPeople({ people }: FakeState, path: string, who: string): Answer | undefined {
  const found = /^\/users\/([^/]+)(\/sessions|\/keys)?$/.exec(path);
  if (found !== null) {
    const user = people.users.find(({ id }) => id === decodeURIComponent(found[1]!));
    if (user === undefined) return nowhere("person");
    if (found[2] === "/keys") return ok({ keys: people.keys });
    return ok(found[2] === undefined ? user : { sessions: people.sessions.filter((one) => one.user === user.name) });
  }
  switch (path) {
    case "/me": {
      const me = people.users.find(({ name }) => name === who);
      return me === undefined ? problem(409, "conflict", "the admin token is nobody in particular; sign in by name") : ok(me);
    }
    case "/me/sessions":
      return ok({ sessions: people.sessions.filter(({ user }) => user === who) });
    case "/oidc":
      return ok({ available: true, label: "Site login" });
    case "/keys":
      return ok({ keys: people.keys });
    case "/access/roles":
      return ok({ roles: (["viewer", "admin"] as const).map((role) => ({ role, permissions: permissionsOf([{ role }]) })) });
    case "/access/explain":
      return ok({ user: "ben", action: "users:write", allowed: false, because: ["viewer does not permit users:write"] });
    case "/users":
      return ok({ users: people.users });
    case "/sessions":
      return ok({ sessions: people.sessions });
    case "/machines":
      return ok({ machines: people.machines });
    case "/machines/authority":
      return ok({ trust_domain: "site.example", certificate: "", fingerprint: "kPz0", listening: "https://vedette.example.net:8443" });
    default:
      return undefined;
  }
}

function changeMe(state: FakeState, of: string, body: Body, who: string): Answer | undefined {
  const { people } = state;
  const me = people.users.find(({ name }) => name === who);
  const become = (changes: Partial<User>) => {
    people.users = people.users.map((one) => (one.name === who ? { ...one, ...changes } : one));
  };
  const session = /^DELETE \/me\/sessions\/([^/]+)$/.exec(of);
  if (session !== null) {
    people.sessions = people.sessions.filter(({ id }) => id !== session[1]);
    return gone;
  }
  if (!of.includes("/me") || me === undefined) return undefined;
  if (of === "PATCH /me") {
    become(body as Partial<User>);
    return ok(people.users.find(({ name }) => name === who));
  }
  if (of === "POST /me/totp/confirm") {
    if (body["code"] !== fake_code) return problem(400, "bad_request", "body/code: this is not the present code of the set-up");
    become({ totp: true, recovery_codes: recovery_codes.length });
    return ok({ recovery_codes });
  }
  if (body["password"] !== fake_password) return problem(400, "bad_request", "body/password: this is not your password");
  switch (of) {
    case "POST /me/password":
      if (String(body["new_password"]).includes("password"))
        return problem(400, "bad_request", "new_password: it is among those guessed first");
      become({ password: "set" });
      return gone;
    case "POST /me/totp":
      return ok({ secret: "JBSWY3DPEHPK3PXP", uri: `otpauth://totp/Vedette:${who}?secret=JBSWY3DPEHPK3PXP&issuer=Vedette` });
    case "POST /me/totp/disable":
      become({ totp: false });
      return gone;
    case "POST /me/recovery-codes":
      become({ recovery_codes: recovery_codes.length });
      return ok({ recovery_codes });
    default:
      return undefined;
  }
}

function changeUsers({ people }: FakeState, of: string, body: Body): Answer | undefined {
  if (of === "POST /users") {
    const name = String(body["name"]).toLowerCase();
    if (people.users.some((one) => one.name === name)) return problem(409, "conflict", `there is somebody named ${name} already`);
    const user = newUser(name, body["grants"] as User["grants"], { password: "initial", sessions: 0 });
    people.users.push(user);
    return { status: 201, body: { user, initial_password: "first-password-once" } };
  }
  const [, method, id, more] = /^(\w+) \/users\/([^/]+)(\/\w+)?$/.exec(of) ?? [];
  const user = people.users.find((one) => one.id === id);
  if (user === undefined) return undefined;
  const last = user.grants.some(({ role }) => role === "admin");
  if (last && (method === "DELETE" || body["disabled"] === true) && more === undefined)
    return problem(409, "conflict", `${user.name} is the last administrator; give somebody else the role admin first`);
  if (more === "/reset") return ok({ user, initial_password: "first-password-again" });
  if (more === "/sessions") people.sessions = people.sessions.filter((one) => one.user !== user.name);
  else if (method === "DELETE") people.users = people.users.filter((one) => one.id !== id);
  else people.users = people.users.map((one) => (one.id === id ? ({ ...one, ...body } as User) : one));
  return method === "DELETE" ? gone : ok(people.users.find((one) => one.id === id));
}

/** Routes that change something; undefined when there is none. */
export function changePeople(state: FakeState, method: string, path: string, body: Body, who: string): Answer | undefined {
  const { people } = state;
  const of = `${method} ${path}`;
  const session = /^DELETE \/sessions\/([^/]+)$/.exec(of);
  if (session !== null) {
    people.sessions = people.sessions.filter(({ id }) => id !== session[1]);
    return gone;
  }
  const key = /^DELETE (?:\/users\/[^/]+)?\/keys\/([^/]+)$/.exec(of);
  if (key !== null) {
    people.keys = people.keys.filter(({ id }) => id !== key[1]);
    return gone;
  }
  if (of === "POST /keys") {
    const made = { ...people.keys[0]!, id: `k${people.keys.length + 1}`, ...body } as ApiKey;
    people.keys.push(made);
    return { status: 201, body: { ...made, token: "vdk_made-just-now" } };
  }
  const machine = /^DELETE \/machines\/([^/]+)$/.exec(of);
  if (machine !== null) {
    const id = decodeURIComponent(machine[1]!);
    const revoked = { at: stamp(Date.now()), reason: "a reason" };
    people.machines = people.machines.map((one) => (one.id === id ? { ...one, state: "revoked", revoked } : one));
    return ok({ revoked: 1 });
  }
  if (of === "POST /machines/tokens")
    return { status: 201, body: { id: `${body["role"]}:${body["name"]}`, token: "vde_once", expires: stamp(Date.now() + 3_600_000) } };
  return changeMe(state, of, body, who) ?? changeUsers(state, of, body);
}
