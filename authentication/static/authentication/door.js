// Puts the cursor where autofocus wants it. The library hides the page until Alpine has started, and browsers
// give the focus to nothing that is hidden.
document.addEventListener("alpine:initialized", () => {
  requestAnimationFrame(() => document.querySelector("[autofocus]")?.focus());
});
