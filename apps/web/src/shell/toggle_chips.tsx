/** A row of toggle buttons of which any number may be on. */
import type { ReactNode } from "react";

export interface ToggleChipsProps<T extends string> {
  readonly label: string;
  readonly options: readonly { readonly value: T; readonly show: ReactNode }[];
  readonly on: readonly T[];
  readonly onChange: (on: T[]) => void;
}

export function ToggleChips<T extends string>({ label, options, on, onChange }: ToggleChipsProps<T>) {
  return (
    <fieldset className="chips">
      <legend className="visually-hidden">{label}</legend>
      {options.map(({ value, show }) => {
        const pressed = on.includes(value);
        return (
          <button
            key={value}
            type="button"
            className="chip"
            aria-pressed={pressed}
            onClick={() =>
              onChange(options.map((option) => option.value).filter((item) => (item === value ? !pressed : on.includes(item))))
            }
          >
            {show}
          </button>
        );
      })}
    </fieldset>
  );
}
