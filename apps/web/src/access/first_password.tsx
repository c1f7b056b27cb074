/** A first password, shown this once to whoever made it for somebody. */
import { Snippet } from "../shell/snippet.tsx";
import { Hostile } from "../shell/text.tsx";

export function FirstPassword({ name, password }: { readonly name: string; readonly password: string }) {
  return (
    <div className="notice notice-info" role="status">
      <div className="notice-text stack">
        <p>
          <strong>Shown only now.</strong> Give it to <Hostile text={name} /> by a way that you trust. It is good for three days, and the
          first thing they do with it is to choose their own.
        </p>
        <Snippet text={password} label="First password" />
      </div>
    </div>
  );
}
