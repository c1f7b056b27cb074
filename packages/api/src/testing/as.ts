/** Lets tests ask as anybody: a token for each principal, beside those that the server knows. */
import { admin, type Grant, type Principal, type Role, roles } from "@vedette/access";
import type { Auth } from "../access/auth.ts";

export const roleNames = Object.keys(roles) as Role[];

export const userWith = (...grants: readonly Grant[]): Principal => ({ kind: "user", id: "u-1", name: "ann", grants, by: "token" });
export const sharedToken: Principal = { kind: "shared", name: "admin", grants: admin };

/** @returns the headers with which this principal asks */
export function asking(auth: Auth, principal: Principal): { readonly authorization: string } {
  const token = `test-${Math.random().toString(36).slice(2)}`;
  const known = auth.ofToken.bind(auth);
  auth.ofToken = (given) => (given === token ? principal : known(given));
  return { authorization: `Bearer ${token}` };
}
