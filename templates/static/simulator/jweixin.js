// Stands for WeChat's script: checks the page's signature and lets the tag ask, as the phone does.
"use strict";

(() => {
  const base = new URL(document.currentScript.src).pathname.replace(/static\/.*/, "");
  const waiting = { ready: [], error: [] };
  let state = "";

  const say = (what) => {
    state = what;
    for (const call of waiting[what]) call({ errMsg: `config:${what === "ready" ? "ok" : "invalid signature"}` });
  };

  async function post(path, order) {
    const response = await fetch(`${base}phone/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(order),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return response.json();
  }

  async function config({ appId, timestamp, nonceStr, signature, openTagList = [], jsApiList = [] }) {
    const url = location.href.split("#")[0];
    try {
      await post("signature", { appid: appId, timestamp, nonce: nonceStr, signature, url });
    } catch {
      return say("error");
    }
    if (jsApiList.length && openTagList.includes("wx-open-subscribe")) {
      customElements.define("wx-open-subscribe", Subscribe);
    }
    return say("ready");
  }

  const textOf = (tag, slot) =>
    [...tag.querySelectorAll("script[type='text/wxtag-template']")]
      .filter((one) => (one.getAttribute("slot") ?? "") === slot)
      .map((one) => one.textContent)
      .join("");

  class Subscribe extends HTMLElement {
    connectedCallback() {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(textOf(this, "style").replace(/<\/?style>/g, ""));
      const inside = this.attachShadow({ mode: "open" });
      inside.adoptedStyleSheets = [sheet];
      inside.innerHTML = textOf(this, "");
      inside.addEventListener("click", () => this.ask());
    }

    /** The phone's own window, in which a person says yes or no. */
    ask() {
      const sheet = document.createElement("dialog");
      sheet.setAttribute("aria-label", "微信");
      const words = document.createElement("p");
      words.textContent = "公众号申请向您发送一次通知";
      const answer = (text, isYes) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = text;
        button.addEventListener("click", () => {
          sheet.remove();
          this.answer(isYes);
        });
        return button;
      };
      sheet.append(words, answer("允许", true), answer("取消", false));
      document.body.append(sheet);
      sheet.showModal();
    }

    async answer(isYes) {
      const templates = this.getAttribute("template").split(",");
      const status = isYes ? "accept" : "reject";
      try {
        await post("subscribe", { templates, accept: isYes });
      } catch (error) {
        this.dispatchEvent(new CustomEvent("error", { detail: { errMsg: String(error), errCode: "10002" } }));
        return;
      }
      const details = Object.fromEntries(
        templates.map((one) => [one, JSON.stringify({ status })]),
      );
      const detail = { errMsg: "subscribe:ok", subscribeDetails: JSON.stringify(details) };
      this.dispatchEvent(new CustomEvent("success", { detail }));
    }
  }

  const on = (what) => (call) => {
    if (state === what) call({});
    else waiting[what].push(call);
  };
  window.wx = { config, ready: on("ready"), error: on("error") };
})();
