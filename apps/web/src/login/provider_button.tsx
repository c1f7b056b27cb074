/** The way to sign in by the OpenID provider, where one is configured. */
import { useQuery } from "@tanstack/react-query";
import { api, apiPath } from "../api/client.ts";
import { Hostile } from "../shell/text.tsx";

export function ProviderButton({ next }: { readonly next: string }) {
  const { data } = useQuery({ queryKey: ["oidc"], queryFn: ({ signal }) => api.get("/oidc", { signal }) });
  if (data?.available !== true) return null;
  return (
    <a className="button-link provider-link" href={apiPath("/oidc/login", { return: next })}>
      <Hostile text={data.label ?? "Sign in by the provider"} />
    </a>
  );
}
