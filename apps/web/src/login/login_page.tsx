/** Takes the admin token and goes back to where the person came from. */
import { Button, PasswordInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { useNavigate } from "react-router";
import { ApiError, request } from "../api/client.ts";
import { useTitle } from "../shell/title.ts";
import { safeNext, useSearch } from "../url/search.ts";

export function LoginPage() {
  useTitle("Sign in");
  const { params } = useSearch();
  const navigate = useNavigate();
  const client = useQueryClient();
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (token.trim() === "") return setProblem("Paste the token first.");
    setBusy(true);
    setProblem(undefined);
    try {
      await request<void>("/session", { method: "POST", body: { token: token.trim() } });
      client.clear();
      navigate(safeNext(params.get("next")), { replace: true });
    } catch (error) {
      setProblem(
        error instanceof ApiError && error.status === 401
          ? "This token is not valid."
          : error instanceof Error
            ? error.message
            : String(error),
      );
      setBusy(false);
    }
  };
  return (
    <main className="login">
      <form className="login-card" onSubmit={submit}>
        <div className="brand brand-large">
          <img src="/favicon.svg" alt="" width={36} height={36} />
          <h1>Vedette</h1>
        </div>
        <PasswordInput
          label="Admin token"
          description={
            <>
              In <code>admin.token</code> of the data directory. The one-time link printed at start works as well.
            </>
          }
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
          error={problem}
          autoComplete="current-password"
          data-autofocus
          required
          withAsterisk={false}
        />
        <Button type="submit" loading={busy} fullWidth>
          Sign in
        </Button>
      </form>
    </main>
  );
}
