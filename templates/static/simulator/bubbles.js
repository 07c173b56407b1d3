/** Turns entries of a chat into bubbles, cards and grey lines. */
import { accountAvatar, avatar, make } from "./dom.js";
import { pageLink } from "./page.js";
import { renderText } from "./text.js";

const GAP_SECONDS = 300;
const TROUBLE = "该公众号提供的服务出现故障，请稍后再试";
const MEDIA = { image: "［图片］", voice: "［语音］ 3″", video: "［视频］", music: "［音乐］" };

const REASONS = {
  no_answer: "5 秒内没有应答",
  bad_status: "应答的状态码不是 200",
  malformed: "应答的格式不对",
  not_encrypted: "安全模式下应答没有加密",
  bad_signature: "应答的签名不对",
  wrong_names: "应答的收发双方不对",
  empty_content: "应答的内容是空的",
  too_long: "应答超过 2048 字节",
};

const NOTES = {
  followed: (body) => (body.scene ? `扫码关注了公众号（${body.scene}）` : "关注了公众号"),
  unfollowed: () => "不再关注公众号",
  scanned: (body) => `扫了二维码（${body.scene}）`,
  handover: () => "已转接人工客服",
  consented: () => "同意接收一次订阅通知",
  refused: () => "拒绝了订阅通知",
};

/** Returns the grey line with the time, if the pause since the last entry calls for one. */
export function timeLine(entry, previousAt) {
  if (entry.at - previousAt < GAP_SECONDS) return null;
  return make("li", { class: "when" }, clockOf(entry.at));
}

/** Returns one entry as a list item. */
export function entryItem(entry, { personName, onOption }) {
  if (entry.channel === "system") return noteItem(entry.body);
  if (entry.channel === "template" || entry.channel === "subscribe") return cardItem(entry);
  const isOwn = entry.channel === "person";
  const content = contentOf(entry.body, onOption);
  return make(
    "li",
    { class: isOwn ? "entry own" : "entry" },
    isOwn ? avatar(personName) : accountAvatar(),
    make("span", { class: "unseen" }, isOwn ? "我：" : "汇治理："),
    content,
  );
}

function contentOf(body, onOption) {
  if (body.kind === "location") return placeBubble(body);
  const bubble = make("div", { class: "bubble" });
  if (body.kind === "text") renderText(bubble, body.text, onOption);
  else if (body.kind === "msgmenu") menuInto(bubble, body.content, onOption);
  else if (body.kind === "news") newsInto(bubble, body);
  else bubble.append(MEDIA[body.kind] ?? "［收到不支持的消息类型，暂无法显示］");
  return bubble;
}

function menuInto(bubble, content, onOption) {
  const lines = (content.list ?? []).map((item) =>
    make(
      "button",
      { type: "button", class: "option", click: () => onOption(item.content, item.id) },
      item.content,
    ),
  );
  bubble.append(content.head_content ?? "");
  for (const line of lines) bubble.append("\n", line);
  if (content.tail_content) bubble.append("\n", content.tail_content);
}

function newsInto(bubble, body) {
  const articles = body.articles ?? body.content?.Articles ?? [];
  for (const article of articles) {
    const title = article.title ?? article.Title ?? "";
    const address = article.url ?? article.Url ?? "";
    const markup = `<a href="${address.replaceAll('"', "%22")}">${title}</a>`;
    renderText(bubble, `${markup}\n${article.description ?? article.Description ?? ""}`, () => {});
  }
}

function placeBubble(body) {
  const pin = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  pin.setAttribute("viewBox", "0 0 24 24");
  pin.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M12 21s7-6.3 7-11.5a7 7 0 0 0-14 0C5 14.7 12 21 12 21Z");
  pin.append(path);
  return make(
    "div",
    { class: "bubble place" },
    make("div", { class: "place-name" }, body.label || "位置"),
    make(
      "div",
      { class: "place-degrees" },
      `${body.longitude.toFixed(4)}，${body.latitude.toFixed(4)}`,
    ),
    make("div", { class: "place-map" }, pin),
  );
}

function cardItem(entry) {
  const { title, rows, url } = entry.body;
  const list = make("dl", { class: "card-rows" });
  for (const row of rows) {
    list.append(make("dt", {}, row.label || row.name), make("dd", {}, row.value));
  }
  const head = make(
    "div",
    { class: "card-head" },
    make("span", {}, entry.channel === "template" ? "模板消息" : "订阅通知"),
    make("span", {}, clockOf(entry.at)),
  );
  const card = make("article", { class: "card" }, head);
  if (title) card.append(make("h2", { class: "card-title" }, title));
  card.append(list);
  if (/^https?:\/\//i.test(url)) {
    card.append(pageLink(url, { class: "card-link" }, "查看详情"));
  }
  return make("li", { class: "notice" }, card);
}

function noteItem(body) {
  if (body.code === "trouble") {
    const reason = REASONS[body.trouble] ?? body.trouble;
    return make("li", { class: "note is-trouble" }, `${TROUBLE}（${reason}）`);
  }
  return make("li", { class: "note" }, NOTES[body.code]?.(body) ?? body.code);
}

/** Returns a time as the messenger writes it: today the hour alone, otherwise with the day. */
export function clockOf(seconds) {
  const at = new Date(seconds * 1000);
  const zone = { timeZone: "Asia/Shanghai" };
  const day = (value) => value.toLocaleDateString("zh-CN", zone);
  const hour = at.toLocaleTimeString("zh-CN", {
    ...zone, hour: "2-digit", minute: "2-digit", hour12: false,
  });
  if (day(at) === day(new Date())) return hour;
  const date = at.toLocaleDateString("zh-CN", { ...zone, month: "long", day: "numeric" });
  return `${date} ${hour}`;
}
