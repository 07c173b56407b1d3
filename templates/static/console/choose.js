// Ticking many rows at once; without this, each is ticked by hand.
"use strict";

for (const form of document.querySelectorAll("form[data-choose]")) {
  const boxes = [...form.querySelectorAll("tbody input[type=checkbox]")];
  const corner = form.querySelector("thead .tick");
  const count = form.querySelector("[data-count]");
  if (!boxes.length || !corner || !count) continue;

  const all = document.createElement("input");
  all.type = "checkbox";
  all.setAttribute("aria-label", form.dataset.all || "全选本页");
  corner.append(all);
  count.setAttribute("role", "status");

  const tell = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && ticked < boxes.length;
    count.textContent = ticked ? `已选 ${ticked} 份` : "";
  };
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    tell();
  });
  for (const box of boxes) box.addEventListener("change", tell);
  tell();
}
