/** Opens pages as the messenger does: on the phone of whoever holds it, in a window of its size. */
import { make } from "./dom.js";

const WINDOW = "popup,noopener,width=390,height=844";
const { base, home } = document.body.dataset;
const holder = { openid: "" };

/** Names who holds the phone: from now on pages open as theirs. */
export function holdPhone(openid) {
  holder.openid = openid;
}

/** Returns whether what a code says is the address of a page. */
export const isAddress = (text) => /^(https?:\/\/|\/(?!\/))/i.test(text);

/** Opens a page; one of the product's own knows who opens it. */
export function openPage(address) {
  window.open(targetOf(address), "_blank", WINDOW);
}

/** Returns a link to a page. */
export function pageLink(address, attributes, ...children) {
  const click = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    openPage(address);
  };
  const own = { href: targetOf(address), target: "_blank", rel: "noopener noreferrer", click };
  return make("a", { ...attributes, ...own }, ...children);
}

function targetOf(address) {
  if (!URL.canParse(address, home)) return address;
  const url = new URL(address, home);
  if (![new URL(home).origin, window.location.origin].includes(url.origin)) return url.href;
  return `${base}phone/open?${new URLSearchParams({ openid: holder.openid, url: url.href })}`;
}
