"use strict";
(() => {
  const list = document.querySelector(".samples");
  if (!list) return;
  const items = [...list.children];
  const sort = document.getElementById("sort");
  const style = document.getElementById("style");
  const shown = document.getElementById("shown");
  for (const name of [...new Set(items.map((item) => item.dataset.style).filter(Boolean))].sort()) {
    style.append(new Option(name, name));
  }
  for (const option of [...sort.options]) {
    if (option.value && !items.some((item) => item.hasAttribute("data-" + option.value))) option.remove();
  }
  const bad = (item) => {
    const value = item.getAttribute("data-" + sort.value);
    return value === null ? -Infinity : Number(value);
  };
  const update = () => {
    const order = sort.value ? [...items].sort((a, b) => bad(b) - bad(a) || 0) : items;
    list.append(...order);
    for (const item of items) item.hidden = Boolean(style.value) && item.dataset.style !== style.value;
    shown.textContent = items.filter((item) => !item.hidden).length + " shown";
  };
  sort.addEventListener("change", update);
  style.addEventListener("change", update);
  document.querySelector(".controls").hidden = false;
})();
