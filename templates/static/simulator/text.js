/**
 * Renders a text as the messenger does: two kinds of <a> work, everything else stays as typed.
 * Line breaks are the style sheet's business (white-space: pre-wrap).
 */
import { make } from "./dom.js";
import { pageLink } from "./page.js";

const ANCHOR = /<a\s([^>]*)>([\s\S]*?)<\/a>/gi;
const HREF = /(?:^|\s)href\s*=\s*(?:"([^"]*)"|'([^']*)')/i;
const ADDRESS = /https?:\/\/[\w\-.~:/?#[\]@!$&'()*+,;=%]+/g;
const OPTION = "weixin://bizmsgmenu?";

/** Appends `text` to `parent`; `onOption(content, id)` hears of a tapped option. */
export function renderText(parent, text, onOption) {
  let position = 0;
  for (const match of text.matchAll(ANCHOR)) {
    const link = linkFor(match, onOption);
    if (!link) continue;
    appendPlain(parent, text.slice(position, match.index));
    parent.append(link);
    position = match.index + match[0].length;
  }
  appendPlain(parent, text.slice(position));
}

function linkFor([, attributes, label], onOption) {
  const found = HREF.exec(attributes);
  const address = found?.[1] ?? found?.[2] ?? "";
  if (address.startsWith(OPTION)) return optionFor(address, label, onOption);
  return /^https?:\/\//i.test(address) ? pageLink(address, {}, label) : null;
}

function optionFor(address, label, onOption) {
  const values = new URLSearchParams(address.slice(OPTION.length));
  const content = values.get("msgmenucontent") ?? label;
  const tapped = (event) => {
    event.preventDefault();
    onOption(content, values.get("msgmenuid") ?? "0");
  };
  // A <button> is a box of its own, which lets a comma after it begin the next line.
  return make("a", { href: "#", class: "option", click: tapped }, label);
}

function appendPlain(parent, text) {
  let position = 0;
  for (const match of text.matchAll(ADDRESS)) {
    parent.append(text.slice(position, match.index), pageLink(match[0], {}, match[0]));
    position = match.index + match[0].length;
  }
  parent.append(text.slice(position));
}
