/** Asks for a consent to one message, by a tag of WeChat's script; without it the words do. */

const TAG = "wx-open-subscribe";

function load(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => reject(new Error("script not loaded")));
    document.head.append(script);
  });
}

/** Shows the tag once WeChat has accepted the page; whatever fails leaves the words alone. */
async function offer(form) {
  const query = new URLSearchParams({ url: location.href.split("#")[0] });
  const response = await fetch(`${form.dataset.sdk}?${query}`);
  if (!response.ok) return;
  const { is_signed: isSigned, ...config } = await response.json();
  if (!isSigned) return;
  await load(form.dataset.script);
  const { wx } = window;
  const hide = () => { form.hidden = true; };
  document.addEventListener("WeixinOpenTagsError", hide);
  wx.error(hide);
  wx.ready(() => { form.hidden = false; });
  // Without any name in the list of calls the tags are not drawn.
  wx.config({ ...config, jsApiList: ["checkJsApi"], openTagList: [TAG] });
}

function listen(form) {
  const tag = form.querySelector(TAG);
  tag.addEventListener("success", (event) => {
    form.elements.details.value = event.detail?.subscribeDetails ?? "";
    form.submit();
  });
  tag.addEventListener("error", () => {
    form.querySelector("[data-failed]").hidden = false;
  });
}

for (const form of document.querySelectorAll("form[data-subscribe]")) {
  listen(form);
  offer(form).catch(() => { form.hidden = true; });
}
