/** The account's menu at the bottom of the chat. */
import { byId, make } from "./dom.js";

/** Draws the menu; `onChoose(button)` hears of a tapped button. */
export function drawMenu(menu, onChoose) {
  const tops = (menu?.button ?? []).map((button) => topItem(button, onChoose));
  byId("menu").replaceChildren(...tops);
}

/** Closes whatever submenu is open. */
export function closeMenus() {
  for (const name of document.querySelectorAll('.menu-name[aria-expanded="true"]')) {
    name.setAttribute("aria-expanded", "false");
    name.nextElementSibling.hidden = true;
  }
}

function topItem(button, onChoose) {
  const subs = button.sub_button ?? [];
  if (subs.length === 0) {
    const name = make(
      "button", { type: "button", class: "menu-name", click: () => onChoose(button) }, button.name,
    );
    return make("div", { class: "menu-top" }, name);
  }
  const list = make("ul", { class: "submenu", hidden: true });
  for (const sub of subs) {
    const tapped = () => {
      closeMenus();
      onChoose(sub);
    };
    list.append(make("li", {}, make("button", { type: "button", click: tapped }, sub.name)));
  }
  const toggle = (event) => {
    const isOpen = event.currentTarget.getAttribute("aria-expanded") === "true";
    closeMenus();
    event.currentTarget.setAttribute("aria-expanded", String(!isOpen));
    list.hidden = isOpen;
  };
  const attributes = { type: "button", class: "menu-name", "aria-expanded": "false", click: toggle };
  return make("div", { class: "menu-top" }, make("button", attributes, button.name), list);
}

document.addEventListener("click", (event) => {
  if (!event.target.closest(".menu-top")) closeMenus();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeMenus();
});
