// Shows times in the reader's time zone; the server's time stays in the tooltip.
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

// Copies the text of an element. Without a script, one click selects all of it.
for (const button of document.querySelectorAll("button[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", async () => {
    const range = document.createRange();
    range.selectNodeContents(source);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    // Browsers give the clipboard API only to pages from https or localhost.
    if (navigator.clipboard) await navigator.clipboard.writeText(source.textContent);
    else document.execCommand("copy");
    button.firstChild.textContent = "Copied";
  });
}

// Keeps the fragment of the address through the sign-in: browsers do not send it.
const asked = document.querySelector("form[action='/sign_in'] input[name=next]");
if (asked && location.hash && !asked.value.includes("#")) {
  asked.value += location.hash;
  for (const link of document.querySelectorAll("a[data-next]")) {
    const next = encodeURIComponent(link.dataset.next + location.hash);
    link.href = `${link.pathname}?next=${next}`;
  }
}
