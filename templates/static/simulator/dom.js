/** Builds elements; text always goes in as text, never as HTML. */

export const byId = (id) => document.getElementById(id);

/** Returns an element with attributes (functions become listeners) and children. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value != null) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

const COLOURS = ["#6b7f99", "#8a6fa8", "#b0714a", "#4f8a83", "#a3617a", "#6c8650"];

/** Returns a person's picture: the first character of the name on a colour that stays theirs. */
export function avatar(name) {
  const sum = [...name].reduce((total, character) => total + character.codePointAt(0), 0);
  const picture = make("span", { class: "avatar", "aria-hidden": "true" }, [...name][0] ?? "");
  picture.style.backgroundColor = COLOURS[sum % COLOURS.length];
  return picture;
}

/** Returns the account's picture. */
export const accountAvatar = () =>
  make("span", { class: "avatar account", "aria-hidden": "true" }, "汇");
