/** One-time codes: setting them up by a QR code, new recovery codes, turning them off. Each is asked for with the password once more. */
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import type { User } from "../api/access.ts";
import { api } from "../api/client.ts";
import { announce } from "../shell/announce.tsx";
import { Panel } from "../shell/panel.tsx";
import { Mark } from "../shell/severity.tsx";
import { RecoveryCodes } from "./codes.tsx";
import { QrCode } from "./qr_code.tsx";

interface Secret {
  readonly secret: string;
  readonly uri: string;
}
interface Codes {
  readonly recovery_codes: readonly string[];
}
type Step = "begin" | "renew" | "disable";

const paths = { begin: "/me/totp", renew: "/me/recovery-codes", disable: "/me/totp/disable" } as const;
const labels = {
  begin: "Your password, to set codes up",
  renew: "Your password, for new recovery codes",
  disable: "Your password, to turn codes off",
} as const;
const titles = { begin: "Set up", renew: "New recovery codes", disable: "Turn off" } as const;

export function TotpPanel({ user }: { readonly user: User }) {
  const client = useQueryClient();
  const [secret, setSecret] = useState<Secret>();
  const [codes, setCodes] = useState<readonly string[]>();
  const refresh = () => client.invalidateQueries();
  const done = (step: Step, answer: unknown) => {
    if (step === "begin") return setSecret(answer as Secret);
    setCodes(step === "renew" ? (answer as Codes).recovery_codes : undefined);
    announce(step === "renew" ? "New recovery codes" : "One-time codes are off");
    return void refresh();
  };
  return (
    <Panel
      title="One-time codes"
      aside={<Mark tone={user.totp ? "good" : "quiet"}>{user.totp ? `on, ${user.recovery_codes ?? 0} recovery codes left` : "off"}</Mark>}
    >
      <div className="stack">
        {codes !== undefined && <RecoveryCodes codes={codes} />}
        {user.totp ? (
          <>
            <Confirmed step="renew" done={done} />
            <Confirmed step="disable" done={done} />
          </>
        ) : secret === undefined ? (
          <Confirmed step="begin" done={done} />
        ) : (
          <Enrol
            secret={secret}
            done={(shown) => {
              setSecret(undefined);
              setCodes(shown);
              announce("One-time codes are on");
              void refresh();
            }}
          />
        )}
      </div>
    </Panel>
  );
}

/** A step that needs the password: whoever sits at a browser left open does not know it. */
function Confirmed({ step, done }: { readonly step: Step; readonly done: (step: Step, answer: unknown) => void }) {
  const [password, setPassword] = useState("");
  const act = useMutation({
    mutationFn: () => api.post(paths[step], { body: { password } }) as Promise<unknown>,
    onSuccess: (answer) => {
      setPassword("");
      done(step, answer);
    },
  });
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    act.mutate();
  };
  return (
    <form className="form-line" onSubmit={submit}>
      <PasswordInput
        size="xs"
        label={labels[step]}
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
        autoComplete="current-password"
        required
        withAsterisk={false}
      />
      <Button type="submit" size="xs" variant={step === "begin" ? "filled" : "default"} loading={act.isPending}>
        {titles[step]}
      </Button>
      {act.error !== null && (
        <p className="strong-bad" role="alert">
          {act.error.message}
        </p>
      )}
    </form>
  );
}

function Enrol({ secret, done }: { readonly secret: Secret; readonly done: (codes: readonly string[]) => void }) {
  const [code, setCode] = useState("");
  const confirm = useMutation({
    mutationFn: () => api.post("/me/totp/confirm", { body: { code: code.trim() } }),
    onSuccess: ({ recovery_codes }) => done(recovery_codes),
  });
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    confirm.mutate();
  };
  return (
    <div className="enrol">
      <QrCode text={secret.uri} label="QR code for an authenticator app" />
      <form className="stack" onSubmit={submit}>
        <p>
          Scan this with an authenticator app, or type the secret into it:{" "}
          <code className="totp-secret">{secret.secret.replace(/(.{4})/g, "$1 ").trim()}</code>
        </p>
        <TextInput
          size="xs"
          label="Code that the app shows"
          value={code}
          onChange={(event) => setCode(event.currentTarget.value)}
          autoComplete="one-time-code"
          inputMode="numeric"
          pattern="\d{3} ?\d{3}"
          title="Six digits"
          classNames={{ input: "mono" }}
          required
          withAsterisk={false}
          autoFocus
        />
        <div>
          <Button type="submit" size="xs" loading={confirm.isPending}>
            Turn on
          </Button>
        </div>
        {confirm.error !== null && (
          <p className="strong-bad" role="alert">
            {confirm.error.message}
          </p>
        )}
      </form>
    </div>
  );
}
