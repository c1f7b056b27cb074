/** Signs in: by name and password with a second step where one is set up, by the OpenID provider, or with the admin token; then back to where the person came from. */
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { useNavigate } from "react-router";
import { ApiError, api } from "../api/client.ts";
import { useTitle } from "../shell/title.ts";
import { safeNext, useSearch } from "../url/search.ts";
import { type Credentials, refusalText } from "./credentials.ts";
import { ProviderButton } from "./provider_button.tsx";

type Way = "name" | "token";

export function LoginPage() {
  useTitle("Sign in");
  const { params } = useSearch();
  const navigate = useNavigate();
  const client = useQueryClient();
  const [way, setWay] = useState<Way>("name");
  /** What was right but for the code that is still missing. */
  const [first, setFirst] = useState<Credentials>();
  const next = safeNext(params.get("next"));
  const enter = useMutation({
    mutationFn: (body: Credentials) => api.post("/session", { body }),
    onSuccess: () => {
      client.clear();
      navigate(next, { replace: true });
    },
    onError: (error, body) => {
      if (error instanceof ApiError && error.code === "second_factor_needed") setFirst(body);
    },
  });
  const problem = refusalText(enter.error, first !== undefined);
  const form = { busy: enter.isPending, problem, send: enter.mutate };
  const turn = (to: Way) => {
    enter.reset();
    setWay(to);
  };
  return (
    <main className="login">
      <div className="login-card">
        <div className="brand brand-large">
          <img src="/favicon.svg" alt="" width={36} height={36} />
          <h1>Vedette</h1>
        </div>
        {first !== undefined ? (
          <CodeForm
            {...form}
            first={first}
            back={() => {
              enter.reset();
              setFirst(undefined);
            }}
          />
        ) : way === "name" ? (
          <>
            {params.get("refused") === "oidc" && (
              <p className="strong-bad" role="alert">
                The provider did not let you in, or Vedette does not know you. Whoever administers it sees the reason in the audit trail.
              </p>
            )}
            <NameForm {...form} />
            <ProviderButton next={next} />
            <button type="button" className="link-button" onClick={() => turn("token")}>
              Use the admin token
            </button>
          </>
        ) : (
          <>
            <TokenForm {...form} />
            <button type="button" className="link-button" onClick={() => turn("name")}>
              Use name and password
            </button>
          </>
        )}
      </div>
    </main>
  );
}

interface FormProps {
  readonly busy: boolean;
  readonly problem: string | undefined;
  readonly send: (body: Credentials) => void;
}

function Problem({ text }: { readonly text: string | undefined }) {
  return (
    <p className="strong-bad login-problem" role="alert">
      {text}
    </p>
  );
}

function NameForm({ busy, problem, send }: FormProps) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    send({ name: name.trim(), password });
  };
  return (
    <form className="login-form" onSubmit={submit}>
      <TextInput
        label="Name"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={256}
        autoFocus
        required
        withAsterisk={false}
      />
      <PasswordInput
        label="Password"
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
        autoComplete="current-password"
        required
        withAsterisk={false}
      />
      <Problem text={problem} />
      <Button type="submit" loading={busy} fullWidth>
        Sign in
      </Button>
    </form>
  );
}

function TokenForm({ busy, problem, send }: FormProps) {
  const [token, setToken] = useState("");
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    send({ token: token.trim() });
  };
  return (
    <form className="login-form" onSubmit={submit}>
      <PasswordInput
        label="Admin token"
        description={
          <>
            In <code>admin.token</code> of the data directory. The one-time link printed at start works as well.
          </>
        }
        value={token}
        onChange={(event) => setToken(event.currentTarget.value)}
        autoComplete="off"
        autoFocus
        required
        withAsterisk={false}
      />
      <Problem text={problem} />
      <Button type="submit" loading={busy} fullWidth>
        Sign in
      </Button>
    </form>
  );
}

function CodeForm({ busy, problem, send, first, back }: FormProps & { readonly first: Credentials; readonly back: () => void }) {
  const [lost, setLost] = useState(false);
  const [code, setCode] = useState("");
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    send({ ...first, [lost ? "recovery" : "totp"]: code.trim() } as Credentials);
  };
  return (
    <form className="login-form" onSubmit={submit}>
      <TextInput
        key={lost ? "recovery" : "totp"}
        label={lost ? "Recovery code" : "One-time code"}
        description={lost ? "One of those shown when codes were set up; each is good once." : "Six digits of your authenticator app."}
        value={code}
        onChange={(event) => setCode(event.currentTarget.value)}
        autoComplete={lost ? "off" : "one-time-code"}
        inputMode={lost ? "text" : "numeric"}
        classNames={{ input: "mono" }}
        autoFocus
        required
        withAsterisk={false}
      />
      <Problem text={problem} />
      <Button type="submit" loading={busy} fullWidth>
        Go on
      </Button>
      <div className="login-turns">
        <button
          type="button"
          className="link-button"
          onClick={() => {
            setLost(!lost);
            setCode("");
          }}
        >
          {lost ? "Use the authenticator app" : "Use a recovery code"}
        </button>
        <button type="button" className="link-button" onClick={back}>
          Start again
        </button>
      </div>
    </form>
  );
}
