/** An OpenID provider of tests, in process: it lets in whoever is named, with the groups that are named. */
/// <reference path="./oidc-provider.d.ts" />
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Provider } from "oidc-provider";

export interface TestProvider {
  readonly issuer: string;
  readonly client: { readonly id: string; readonly secret: string };
  /** Who signs in next. */
  person: { readonly sub: string; readonly preferred_username?: string; readonly name?: string; readonly groups?: readonly string[] };
  /** Goes through the provider's pages as a browser does; the address that it leads back to. */
  follow(url: string): Promise<URL>;
  close(): Promise<void>;
}

/** @param redirect addresses that it may lead back to */
export async function startProvider(redirect: readonly string[]): Promise<TestProvider> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = { id: "vedette", secret: "the secret of the tests" };
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: [...redirect],
        post_logout_redirect_uris: redirect.map((one: string) => new URL("/sign-in", one).href),
      },
    ],
    claims: { openid: ["sub"], profile: ["name", "preferred_username", "groups"], email: ["email"] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_: unknown, interaction: { readonly uid: string }) => `/interaction/${interaction.uid}` },
    cookies: { keys: ["a key of the tests"] },
    ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600, AuthorizationCode: 60 },
    pkce: { required: () => true },
    findAccount: (_: unknown, id: string) => ({ accountId: id, claims: () => ({ ...test.person }) }),
  });
  server.on("request", async (request, answer) => {
    if (!request.url?.startsWith("/interaction/")) return provider.callback()(request, answer);
    const { params, prompt, session } = await provider.interactionDetails(request, answer);
    if (prompt.name === "login") return provider.interactionFinished(request, answer, { login: { accountId: test.person.sub } });
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id as string });
    grant.addOIDCScope(params.scope as string);
    return provider.interactionFinished(request, answer, { consent: { grantId: await grant.save() } });
  });
  const test: TestProvider = {
    issuer,
    client,
    person: { sub: "s-1", preferred_username: "Ada", groups: [] },
    follow: (url) => follow(url, issuer),
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
  return test;
}

/** More leaps than these are a circle. */
const maxLeaps = 10;

async function follow(url: string, issuer: string): Promise<URL> {
  const jar = new Map<string, string>();
  let at = url;
  for (let i = 0; i < maxLeaps; i++) {
    if (new URL(at).origin !== issuer) return new URL(at);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await fetch(at, { redirect: "manual", headers: { cookie } });
    for (const one of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(one)!;
      jar.set(name!, value!);
    }
    const location = answer.headers.get("location");
    if (location === null) throw new Error(`${at}: ${answer.status} ${await answer.text()}`);
    at = new URL(location, at).href;
  }
  throw new Error(`${url} leads nowhere`);
}
