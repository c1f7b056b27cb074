/** Recovery codes, shown this once, to copy or print. */
import { Snippet } from "../shell/snippet.tsx";

export function RecoveryCodes({ codes }: { readonly codes: readonly string[] }) {
  return (
    <div className="notice notice-info" role="status">
      <div className="notice-text stack">
        <p>
          <strong>Keep these where your phone is not: they are shown only now.</strong> Each lets you in once without the app.
        </p>
        <Snippet text={codes.join("\n")} label="Recovery codes" />
      </div>
    </div>
  );
}
