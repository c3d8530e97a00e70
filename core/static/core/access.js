// What keyboards and screen readers need, and the admin site's library leaves out. Its menus and switches are plain
// elements that answer to clicks alone: they get a place in the order of tabs, a role, a name, and an answer to Enter
// and Space. Fields without a label of their own get the one that people with eyes see.
(function () {
  "use strict";

  const ACTS = ["x-on:click", "@click", "x-on:click.prevent", "x-on:click.stop"];
  const NATIVE = "a[href], button, input, select, textarea, label, summary, option, [contenteditable]";
  // What the symbols of the library's font stand for.
  const NAMES = {
    more_vert: "More",
    more_horiz: "More",
    dock_to_right: "Sidebar",
    menu: "Menu",
    close: "Close",
    unfold_more: "Account",
    visibility: "Show the password",
    visibility_off: "Hide the password",
    light_mode: "Light colours",
    dark_mode: "Dark colours",
    computer: "Colours of the system",
    filter_list: "Filters",
    add: "Add",
    delete: "Delete",
    edit: "Change",
    search: "Search",
    arrow_back: "Back",
    chevron_right: "Show more",
    expand_more: "Show more",
    keyboard_arrow_right: "Show more",
    arrow_drop_down: "Show more",
  };

  function nameOf(element) {
    const symbol = element.matches(".material-symbols-outlined")
      ? element
      : element.querySelector(".material-symbols-outlined");
    const words = symbol ? element.textContent.replace(symbol.textContent, "").trim() : element.textContent.trim();
    if (words || !symbol) return "";
    const symbolic = symbol.textContent.trim();
    return NAMES[symbolic] || symbolic.replaceAll("_", " ");
  }

  function textOf(element) {
    return element ? element.textContent.replace("*", "").trim() : "";
  }

  function name(element, words) {
    if (words && !element.hasAttribute("aria-label")) element.setAttribute("aria-label", words);
  }

  // A field in a table of rows has its label at the head of the column, or beside the row on a phone.
  function nameField(field) {
    if (field.type === "hidden" || (field.labels && field.labels.length)) return;
    name(field, field.closest("td").dataset.label);
  }

  // The box of select2 stands beside the select that it hides, and its label is that one's.
  function nameBox(box) {
    const select = box.closest(".select2-container")?.previousElementSibling;
    const words = select && (textOf(select.labels && select.labels[0]) || select.getAttribute("aria-label"));
    box.removeAttribute("aria-labelledby");
    name(box, words || "Choose");
    box.querySelectorAll("[role=textbox]").forEach((part) => name(part, words || "Choose"));
  }

  // A symbol is drawn out of the letters of its name, which nobody is to hear.
  function hideSymbol(symbol) {
    const owner = symbol.closest("a, button, summary");
    if (owner && !textOf(owner).replace(symbol.textContent.trim(), "").trim()) {
      name(owner, owner.title || nameOf(symbol));
    }
    if (!symbol.hasAttribute("role")) symbol.setAttribute("aria-hidden", "true");
  }

  function mend(element) {
    if (element.matches("td input, td select, td textarea")) nameField(element);
    if (element.matches(".select2-selection")) nameBox(element);
    if (element.matches(".select2-search__field")) name(element, "Search");
    if (element.matches("span.help-tooltip")) element.setAttribute("role", "img");
    if (!ACTS.some((name) => element.hasAttribute(name)) || element.matches(NATIVE)) return;
    // What lies behind an open window only closes it, as Escape does.
    if (element.id === "changelist-filter-close" || element.hasAttribute("tabindex")) return;
    element.setAttribute("tabindex", "0");
    element.setAttribute("role", "button");
    name(element, nameOf(element));
  }

  function mendWithin(root) {
    if (root.nodeType !== Node.ELEMENT_NODE) return;
    [root, ...root.querySelectorAll("*")].forEach(mend);
    root.querySelectorAll(".material-symbols-outlined").forEach(hideSymbol);
  }

  document.addEventListener("keydown", (event) => {
    const element = event.target;
    if (!(element instanceof HTMLElement) || element.getAttribute("role") !== "button") return;
    if (element.matches(NATIVE) || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    element.click();
  });
  document.addEventListener("DOMContentLoaded", () => {
    mendWithin(document.body);
    new MutationObserver((changes) =>
      changes.forEach((change) => change.addedNodes.forEach(mendWithin)),
    ).observe(document.body, { childList: true, subtree: true });
  });
})();
