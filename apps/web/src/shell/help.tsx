/** The key help, printed from the one keymap. */
import { Kbd, Modal } from "@mantine/core";
import { keymap, scopes } from "./keymap.ts";

export function KeyHelp({ opened, onClose }: { readonly opened: boolean; readonly onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keys" size="lg" closeButtonProps={{ "aria-label": "Close help" }}>
      <div className="help-columns">
        {scopes.map(({ scope, title }) => (
          <section key={scope}>
            <h3>{title}</h3>
            <dl className="keys">
              {keymap
                .filter((binding) => binding.scope === scope)
                .map((binding) => (
                  <div key={binding.id}>
                    <dt>
                      {binding.keys.split(" ").map((key) => (
                        <Kbd key={key}>{key}</Kbd>
                      ))}
                    </dt>
                    <dd>{binding.what}</dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
      <p className="dim small">Keys rest while you type in a field. Enter, Tab and Escape work everywhere as usual.</p>
    </Modal>
  );
}
