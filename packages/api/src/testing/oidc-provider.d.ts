/** What of `oidc-provider` the tests use; it carries no types of its own. */
declare module "oidc-provider" {
  import type { IncomingMessage, ServerResponse } from "node:http";

  interface Interaction {
    readonly params: { readonly [name: string]: unknown };
    readonly prompt: { readonly name: string };
    readonly session: { readonly accountId: string };
  }
  export class Provider {
    constructor(issuer: string, configuration: object);
    callback(): (request: IncomingMessage, answer: ServerResponse) => Promise<void>;
    interactionDetails(request: IncomingMessage, answer: ServerResponse): Promise<Interaction>;
    interactionFinished(request: IncomingMessage, answer: ServerResponse, result: object): Promise<void>;
    Grant: new (of: {
      readonly accountId: string;
      readonly clientId: string;
    }) => { addOIDCScope(scope: string): void; save(): Promise<string> };
  }
}
