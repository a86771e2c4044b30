"use strict";
// What pages share: tables that sort, and two pictures with a line between them that is dragged.
const byId = (id) => document.getElementById(id);
const element = (tag, facts = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), facts);
  made.append(...children);
  return made;
};
// Small pictures keep their pixels as squares.
const crisp = (image) => image.classList.toggle("small", Math.max(image.naturalWidth, image.naturalHeight) <= 128);

// Headings that are buttons sort the rows of each body by `data-v`; missing values go last in both directions.
const sortable = (table, changed = () => {}) => {
  const buttons = [...table.querySelectorAll("thead button")];
  const bodies = [...table.tBodies].map((body) => [body, [...body.rows].filter((row) => !row.classList.contains("group"))]);
  const state = { name: "", down: false };
  const apply = () => {
    const chosen = buttons.find((button) => button.dataset.sort === state.name);
    for (const button of buttons) {
      const head = button.closest("th");
      if (button === chosen) head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    for (const [body, rows] of bodies) {
      if (!chosen) { body.append(...rows); continue; }
      const place = chosen.closest("th").cellIndex, text = chosen.dataset.kind === "text", sign = state.down ? -1 : 1;
      const keyed = rows.map((row) => [row, row.cells[place].dataset.v]);
      keyed.sort(([, a], [, b]) => {
        if (a === "" || b === "") return (a === "") - (b === "");
        return a === b ? 0 : sign * (text ? a.localeCompare(b) : Number(a) - Number(b));
      });
      body.append(...keyed.map(([row]) => row));
    }
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      state.down = state.name === button.dataset.sort ? !state.down : button.dataset.kind === "up";
      state.name = button.dataset.sort;
      apply();
      changed();
    });
  }
  return { state, apply, has: (name) => buttons.some((button) => button.dataset.sort === name) };
};
for (const box of document.querySelectorAll("[data-all]")) {
  const table = byId(box.dataset.all);
  const update = () => table.classList.toggle("lead", !box.checked);
  box.addEventListener("change", update);
  box.closest("[hidden]")?.removeAttribute("hidden");
  update();
}

// The line moves with the range below the pictures, or with a finger or the mouse upon them.
for (const figure of document.querySelectorAll(".slider")) {
  const stack = figure.querySelector(".stack"), range = figure.querySelector("input");
  const set = () => stack.style.setProperty("--cut", `${range.value}%`);
  const drag = (event) => {
    const box = stack.getBoundingClientRect();
    range.value = (100 * (event.clientX - box.left)) / box.width;
    set();
  };
  range.addEventListener("input", set);
  stack.addEventListener("dragstart", (event) => event.preventDefault());
  stack.addEventListener("pointerdown", (event) => { stack.setPointerCapture(event.pointerId); drag(event); });
  stack.addEventListener("pointermove", (event) => { if (stack.hasPointerCapture(event.pointerId)) drag(event); });
  for (const image of stack.querySelectorAll("img")) image.addEventListener("load", () => crisp(image));
}
