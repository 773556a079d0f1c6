// Times in the reader's zone; the exact one stays on hover.
"use strict";
const two = (number) => String(number).padStart(2, "0");
for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  if (Number.isNaN(at.getTime())) continue;
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const text = `${day} ${two(at.getHours())}:${two(at.getMinutes())}`;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  time.title = `${text}:${two(at.getSeconds())} ${zone} (${time.title})`;
  if (!time.classList.contains("ago")) time.textContent = text;
}

// Copies what stands in an element; without a script it is selected by a click.
for (const button of document.querySelectorAll("button[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", async () => {
    const range = document.createRange();
    range.selectNodeContents(source);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    // Only pages under https, or of this machine, have a clipboard.
    if (navigator.clipboard) await navigator.clipboard.writeText(source.textContent);
    else document.execCommand("copy");
    button.firstChild.textContent = "Copied";
  });
}

// What stands behind # comes through the sign-in: browsers do not send it.
const asked = document.querySelector("form[action='/sign_in'] input[name=next]");
if (asked && location.hash && !asked.value.includes("#")) {
  asked.value += location.hash;
  for (const link of document.querySelectorAll("a[data-next]")) {
    const next = encodeURIComponent(link.dataset.next + location.hash);
    link.href = `${link.pathname}?next=${next}`;
  }
}
