/** The phone: who holds it, what is in the chat, and what the person does next. */
import { entryItem, timeLine } from "./bubbles.js";
import { byId } from "./dom.js";
import { drawMenu } from "./menu.js";
import { holdPhone, isAddress, openPage } from "./page.js";
import { listChoices, listPeople, listSubscriptions, openSheet, wireSheets } from "./sheets.js";
import { clearExchanges, showExchanges } from "./wire.js";

const POLL_MILLISECONDS = 2000;
const OWN_BUBBLE_MILLISECONDS = 80;
const REMEMBERED = "simulator-person";
const { base, account } = document.body.dataset;

const state = {
  person: null, lastEntry: 0, lastExchange: 0, lastAt: 0, menu: "", mode: "text", waiting: 0,
};

async function ask(path, order) {
  const options = order && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(order),
  };
  const response = await fetch(`${base}phone/${path}`, options);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

/** Lets the person do something; their own bubble shows at once, the answer when it is there. */
async function act(order) {
  state.waiting += 1;
  showWaiting();
  const done = ask("act", { openid: state.person.openid, ...order });
  setTimeout(refresh, OWN_BUBBLE_MILLISECONDS);
  try {
    await done;
  } finally {
    state.waiting -= 1;
    showWaiting();
    await refresh();
  }
}

function showWaiting() {
  byId("title").textContent = state.waiting > 0 ? "对方正在输入…" : account;
}

const say = (text, menuId = "") => act({ do: "text", text, menu_id: menuId });

let turn = Promise.resolve();

/** Brings in what is new; one at a time, so that no bubble shows twice. */
function refresh() {
  turn = turn.then(bringIn).catch((error) => console.warn("simulator", error));
  return turn;
}

async function bringIn() {
  const openid = state.person?.openid;
  if (!openid) return;
  const query = new URLSearchParams({ openid, after: state.lastEntry, seen: state.lastExchange });
  const news = await ask(`chat?${query}`);
  if (state.person.openid !== openid || !news.person) return;
  state.person = news.person;
  showMenu(news.menu);
  showEntries(news.entries);
  showExchanges(news.exchanges);
  state.lastExchange = news.exchanges.at(-1)?.id ?? state.lastExchange;
  const isNotice = (entry) => ["template", "subscribe"].includes(entry.channel);
  if (news.entries.some((entry) => isNotice(entry) && !entry.is_reported)) {
    ask("report", { openid }).then(refresh);
  }
}

function showEntries(entries) {
  if (entries.length === 0) return;
  const scroll = byId("scroll");
  for (const entry of entries) {
    const time = timeLine(entry, state.lastAt);
    const options = { personName: state.person.name, onOption: say };
    byId("chat").append(...(time ? [time] : []), entryItem(entry, options));
    state.lastEntry = entry.id;
    state.lastAt = entry.at;
  }
  scroll.scrollTop = scroll.scrollHeight;
}

function showMenu(menu) {
  const drawn = JSON.stringify(menu);
  if (drawn !== state.menu) {
    state.menu = drawn;
    drawMenu(menu, chooseMenu);
    if (!menu) state.mode = "text";
  }
  byId("bottom").dataset.menu = menu ? "some" : "none";
  setMode(state.mode);
}

function setMode(mode) {
  state.mode = mode;
  byId("bottom").dataset.mode = state.person.is_following ? mode : "stranger";
  byId("toggle").setAttribute("aria-label", mode === "menu" ? "切换到键盘" : "切换到菜单");
}

function chooseMenu(button) {
  if (button.type === "click") return act({ do: "click", key: button.key });
  if (button.type === "location_select") return openPlaces("location");
  if (button.type.startsWith("scancode")) return openPlaces("scan");
  const address = button.url ?? "";
  if (/^https?:\/\//i.test(address)) openPage(address);
  return act({ do: "view", url: address || button.pagepath || "" });
}

function hold(person) {
  Object.assign(state, { person, lastEntry: 0, lastExchange: 0, lastAt: 0 });
  localStorage.setItem(REMEMBERED, person.openid);
  holdPhone(person.openid);
  byId("person-name").textContent = person.name;
  byId("open-people").setAttribute("aria-label", `${person.name}，换一个人`);
  // A new list, so that the old person's messages are not read out as new ones.
  byId("chat").replaceChildren();
  clearExchanges();
  return refresh();
}

async function openPeople() {
  listPeople(await ask("people"), state.person?.openid, hold);
  openSheet("sheet-people");
}

async function openPlaces(kind) {
  const { places, codes } = await ask("places");
  if (kind === "location") {
    const items = places
      .filter((place) => place.longitude != null && place.latitude != null)
      .map((place) => ({ name: place.name, aside: place.street, value: place }));
    listChoices("sheet-location", "location-list", "location-search", items, sendPlace);
    openSheet("sheet-location");
    return;
  }
  const known = places.filter((place) => place.scene);
  const scenes = new Set(known.map((place) => place.scene));
  const items = [
    ...known.map((place) => ({
      name: place.name,
      aside: place.kind === "company" ? "员工登记码" : place.street || "街镇",
      value: place.scene,
    })),
    ...codes
      .filter((scene) => !scenes.has(scene))
      .map((scene) => ({ name: scene, aside: "公众号生成", value: scene })),
  ];
  listChoices("sheet-scan", "scan-list", "scan-search", items, scan);
  openSheet("sheet-scan");
}

// A code with an address opens the page; the account hears nothing of it.
const isOwnCode = (content) => content.startsWith("http://weixin.qq.com/q/");
const scan = (content) =>
  isAddress(content) && !isOwnCode(content) ? openPage(content) : act({ do: "scan", scene: content });

const sendPlace = ({ longitude, latitude, name }) =>
  act({ do: "location", longitude, latitude, label: name });

async function openAccount() {
  const { subscriptions } = await ask("places");
  listSubscriptions(subscriptions, (templateId, accept) =>
    act({ do: "consent", template_id: templateId, accept }),
  );
  for (const button of document.querySelectorAll("[data-account-action]")) {
    const { accountAction } = button.dataset;
    if (accountAction === "follow") button.parentElement.hidden = state.person.is_following;
    if (accountAction === "unfollow") button.parentElement.hidden = !state.person.is_following;
  }
  openSheet("sheet-account");
}

function wireForms() {
  const text = byId("text");
  text.addEventListener("input", () => {
    byId("send").hidden = text.value.trim() === "";
  });
  onSubmit("composer", (values) => {
    byId("send").hidden = true;
    if (values.get("text").trim() !== "") say(values.get("text"));
  });
  onSubmit("free-location", (values) => {
    byId("sheet-location").close();
    const [longitude, latitude] = [values.get("longitude"), values.get("latitude")].map(Number);
    sendPlace({ longitude, latitude, name: "" });
  });
  onSubmit("free-scan", (values) => {
    byId("sheet-scan").close();
    const content = values.get("content").trim();
    if (content !== "") scan(content);
  });
  onSubmit("add-person", async (values) => {
    const { openid } = await ask("people", { name: values.get("name") });
    byId("sheet-people").close();
    await choose(openid);
  });
}

function onSubmit(id, handle) {
  byId(id).addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    handle(new FormData(form));
    form.reset();
  });
}

function wireButtons() {
  byId("open-people").addEventListener("click", openPeople);
  byId("open-account").addEventListener("click", openAccount);
  byId("open-more").addEventListener("click", () => openSheet("sheet-more"));
  byId("follow").addEventListener("click", () => act({ do: "follow" }));
  byId("stranger-scan").addEventListener("click", () => openPlaces("scan"));
  byId("toggle").addEventListener("click", () => {
    setMode(state.mode === "menu" ? "text" : "menu");
    if (state.mode === "text") byId("text").focus();
  });
  byId("sheet-more").addEventListener("click", (event) => {
    const kind = event.target.closest("[data-more]")?.dataset.more;
    if (!kind) return;
    byId("sheet-more").close();
    if (kind === "location" || kind === "scan") openPlaces(kind);
    else act({ do: kind });
  });
  byId("sheet-account").addEventListener("click", (event) => {
    const action = event.target.closest("[data-account-action]")?.dataset.accountAction;
    if (!action) return;
    byId("sheet-account").close();
    if (action === "scan") openPlaces("scan");
    else act({ do: action });
  });
  byId("tries").addEventListener("click", (event) => {
    if (event.target.matches("button")) say(event.target.textContent);
  });
}

async function choose(openid) {
  const people = await ask("people");
  await hold(people.find((person) => person.openid === openid) ?? people[0]);
}

wireSheets();
wireForms();
wireButtons();
await choose(localStorage.getItem(REMEMBERED));
setInterval(refresh, POLL_MILLISECONDS);
