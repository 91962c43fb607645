// What scrolls sideways can be scrolled by keyboard, too.
const SCROLLS = "pre, .table-wrapper, .math-wrapper, .cell_output > .output";

function letFocus() {
  for (const box of document.querySelectorAll(SCROLLS)) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

addEventListener("load", letFocus);
addEventListener("resize", letFocus);
