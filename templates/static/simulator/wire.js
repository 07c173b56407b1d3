/** The list beside the phone: what went over the wire, newest first. */
import { byId, make } from "./dom.js";

const SHOWN = 20;

/** Adds exchanges, oldest first, on top of the list. */
export function showExchanges(exchanges) {
  const list = byId("wire");
  if (exchanges.length === 0) return;
  list.querySelector(".wire-empty")?.remove();
  for (const exchange of exchanges) list.prepend(make("li", {}, detailsFor(exchange)));
  while (list.children.length > SHOWN) list.lastElementChild.remove();
}

/** Empties the list. */
export function clearExchanges() {
  byId("wire").replaceChildren(
    make("li", { class: "wire-empty" }, "还没有往来。发一条消息，就能看到平台推送了什么、收到了什么。"),
  );
}

function detailsFor(exchange) {
  const isGood = exchange.trouble === "";
  const figures = make(
    "span",
    { class: "wire-figures" },
    make("span", { class: isGood ? "wire-status" : "is-bad" }, String(exchange.status || "—")),
    ` · ${exchange.milliseconds.toFixed(0)} ms`,
    exchange.attempts > 1 ? make("span", { class: "is-bad" }, ` · 发了 ${exchange.attempts} 次`) : "",
  );
  const summary = make(
    "summary", {}, make("span", { class: "wire-what" }, titleOf(exchange.push)), figures,
  );
  return make(
    "details",
    {},
    summary,
    make("h4", {}, "平台推送"),
    make("pre", {}, spread(exchange.push)),
    make("h4", {}, "收到的应答"),
    make("pre", {}, exchange.reply ? spread(exchange.reply) : "success（不回复）"),
  );
}

function titleOf(push) {
  const field = (name) => new RegExp(`<${name}>(?:<!\\[CDATA\\[)?([^<\\]]*)`).exec(push)?.[1];
  const kind = field("MsgType") ?? "";
  const detail = kind === "event" ? field("EventKey") : field("Content") ?? field("Label");
  return [kind === "event" ? field("Event") : kind, detail].filter(Boolean).join(" · ");
}

const spread = (text) => text.replace(/>(?=<(?!!\[CDATA))/g, ">\n").replace(/\]\]>\n/g, "]]>");
