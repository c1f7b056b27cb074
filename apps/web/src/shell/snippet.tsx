/** Text to copy: a command, a configuration, a secret shown once. What is shown makes hidden characters visible, what is copied is exact. */
import { Button, CopyButton } from "@mantine/core";
import { Icon } from "./icons.tsx";
import { Hostile } from "./text.tsx";

export function Snippet({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <section className="snippet" aria-label={label}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a block that scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>
        <Hostile text={text} lines />
      </pre>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <Button size="xs" variant="default" leftSection={<Icon name={copied ? "check" : "copy"} />} onClick={copy}>
            {copied ? "Copied" : "Copy"}
          </Button>
        )}
      </CopyButton>
    </section>
  );
}
