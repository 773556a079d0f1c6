// What reaches beyond the right edge of the window and is not inside something that scrolls.
const wide = document.documentElement.clientWidth;
const whole = document.documentElement.scrollWidth;
if (whole <= wide) return [];
const scrolls = (e) => e && e !== document.documentElement && e !== document.body
  && (getComputedStyle(e).overflowX !== "visible" || scrolls(e.parentElement));
const found = [...document.body.querySelectorAll("*")]
  .filter((e) => e.getBoundingClientRect().right > wide + 0.5 && !scrolls(e.parentElement));
return [`the page is ${whole} wide in a window of ${wide}`,
  ...found.slice(-3).map((e) => e.outerHTML.slice(0, 200))];
