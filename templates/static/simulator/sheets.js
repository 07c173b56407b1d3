/** The sheets that slide up from the phone's edge: people, more, account, location, scan. */
import { avatar, byId, make } from "./dom.js";

const MOST_LISTED = 60;

/** Opens a sheet over the phone's lower edge. */
export function openSheet(id) {
  const box = document.querySelector(".phone").getBoundingClientRect();
  const root = document.documentElement.style;
  root.setProperty("--sheet-left", `${box.left}px`);
  root.setProperty("--sheet-bottom", `${Math.max(0, window.innerHeight - box.bottom)}px`);
  root.setProperty("--sheet-width", `${box.width}px`);
  root.setProperty("--sheet-radius", box.left > 0 ? "36px" : "0px");
  byId(id).showModal();
}

/** Lets the close buttons, and a click beside a sheet, close it. */
export function wireSheets() {
  for (const sheet of document.querySelectorAll("dialog.sheet")) {
    sheet.addEventListener("click", (event) => {
      if (event.target === sheet || event.target.closest("[data-close]")) sheet.close();
    });
  }
}

/** Fills the list of people. */
export function listPeople(people, currentOpenid, onChoose) {
  const rows = people.map((person) =>
    row(
      person.name,
      person.is_following ? "已关注" : "未关注",
      () => {
        byId("sheet-people").close();
        onChoose(person);
      },
      { picture: avatar(person.name), isCurrent: person.openid === currentOpenid },
    ),
  );
  byId("people").replaceChildren(...rows);
}

/** Fills a list that a search box narrows; `items` have `name`, `aside` and `value`. */
export function listChoices(sheetId, listId, searchId, items, onChoose) {
  const search = byId(searchId);
  const show = () => {
    const wanted = search.value.trim();
    const found = items.filter((item) => `${item.name}${item.aside}`.includes(wanted));
    const choose = (item) => () => {
      byId(sheetId).close();
      onChoose(item.value);
    };
    const rows = found.slice(0, MOST_LISTED).map((item) => row(item.name, item.aside, choose(item)));
    if (rows.length === 0) rows.push(make("li", { class: "empty" }, "没有找到，可以在下面直接输入"));
    else if (found.length > MOST_LISTED) {
      rows.push(make("li", { class: "empty" }, `还有 ${found.length - MOST_LISTED} 个，请输入名称查找`));
    }
    byId(listId).replaceChildren(...rows);
  };
  search.value = "";
  search.oninput = show;
  show();
}

/** Fills the list of subscription notices. */
export function listSubscriptions(subscriptions, onAnswer) {
  const rows = subscriptions.flatMap(({ template_id: templateId, title }) => [
    row(title, "允许一次", () => answer(templateId, true)),
    row(title, "拒绝", () => answer(templateId, false)),
  ]);
  const answer = (templateId, accept) => {
    byId("sheet-account").close();
    onAnswer(templateId, accept);
  };
  byId("subscriptions").hidden = rows.length === 0;
  byId("subscription-list").replaceChildren(...rows);
}

function row(name, aside, click, { picture = "", isCurrent = false } = {}) {
  const attributes = { type: "button", click, "aria-current": isCurrent ? "true" : null };
  return make(
    "li",
    {},
    make("button", attributes, picture, make("span", {}, name), make("span", { class: "aside" }, aside)),
  );
}
